//! Opaque tokens for a token: who is asked, how often, for how long that counts, and what is revoked here.

use std::time::Duration;

use edgeward_core::revocation::{Revocations, Revoked, digest_of_token};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::KeyOwner;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::stage::{Stage, workload_by};
use crate::attestation::introspection::test_server::TestServer;
use crate::attestation::introspection::{Authentication, Client, IntrospectionSettings};
use crate::fetch::{AddressRule, FetchSettings};
use crate::token_service::{ACCESS_TOKEN, ExchangeRefusal, Issued};

const ISSUER: &str = "https://op.test";

/// A service that asks `server`, as the provider `asked`, and takes its word for `recheck_after` seconds.
struct Asking {
    stage: Stage,
    server: TestServer,
    runtime: Handle,
    /// Until this is dropped the runtime goes on.
    _running: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

impl Asking {
    fn new(recheck_after: u64) -> Self {
        let (server, folder) = (TestServer::start(), tempfile::tempdir().unwrap());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "s").unwrap();
        let settings = IntrospectionSettings {
            endpoint: server.endpoint(),
            issuer: Some(ISSUER.parse().unwrap()),
            audiences: vec!["edgeward".to_owned()],
            client: Client {
                id: "edgeward".to_owned(),
                authentication: Authentication::Basic(secret),
            },
            claims: Vec::new(),
            leeway: Duration::ZERO,
            max_lifetime: Duration::from_hours(1),
            recheck_after: Duration::from_secs(recheck_after),
            fetch: FetchSettings {
                addresses: AddressRule {
                    allow_loopback: true,
                    allow_link_local: false,
                },
                ..FetchSettings::default()
            },
        };
        let stage = Stage::with(|parts| {
            parts.workloads = vec![
                workload_by("batch", "asked", ("client_id", "batch")),
                workload_by("other", "asked-too", ("client_id", "batch")),
            ];
            parts.introspection = vec![
                ("asked".parse().unwrap(), settings.clone()),
                ("asked-too".parse().unwrap(), settings),
            ];
        });
        let (runtime, running) = runtime();
        let asking = Self {
            stage,
            server,
            runtime,
            _running: running,
            _folder: folder,
        };
        asking.server.tell(&asking.active(600));
        asking
    }

    /// An answer about a token that lives for so many seconds.
    fn active(&self, seconds: u64) -> Value {
        json!({
            "active": true, "iss": ISSUER, "aud": "edgeward", "client_id": "batch", "jti": "t-1",
            "iat": self.stage.now.0, "exp": self.stage.now.0 + seconds,
        })
    }

    fn ask(&self, token: &str, provider: &str) -> Result<Issued, ExchangeRefusal> {
        let _entered = self.runtime.enter();
        let more = [("audience", "orders"), ("trust_provider", provider)];
        self.stage.ask_by(ACCESS_TOKEN, token, &more)
    }

    fn code(&self, token: &str) -> &'static str {
        self.ask(token, "asked").unwrap_err().code()
    }

    fn questions(&self) -> usize {
        self.server.asked().len()
    }
}

/// A runtime of a thread of its own, as those of the PDP are.
fn runtime() -> (Handle, oneshot::Sender<()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let (running, ended) = oneshot::channel::<()>();
    std::thread::spawn(move || runtime.block_on(ended));
    (handle, running)
}

#[test]
fn an_answer_counts_for_as_long_as_configured_and_never_beyond_the_tokens_end() {
    let mut asking = Asking::new(10);
    let start = asking.stage.now;
    for _ in 0..3 {
        asking.ask("opaque", "asked").unwrap();
    }
    assert_eq!(asking.questions(), 1);
    // Neither another token nor another provider has its answer.
    asking.ask("another", "asked").unwrap();
    let issued = asking.ask("opaque", "asked-too").unwrap();
    assert_eq!(
        (issued.workload.name.as_str(), asking.questions()),
        ("other", 2)
    );
    asking.stage.now = UnixSeconds(start.0 + 10);
    asking.server.tell(&json!({ "active": false }));
    assert_eq!(asking.code("opaque"), "token-inactive");
    // What was refused is asked about anew, and nothing of before counts.
    assert_eq!(asking.code("opaque"), "token-inactive");
    assert_eq!(asking.questions(), 2);

    let mut asking = Asking::new(600);
    asking.server.tell(&asking.active(5));
    let issued = asking.ask("opaque", "asked").unwrap();
    assert_eq!(
        issued.expires_in, 5,
        "a token lives no longer than its evidence"
    );
    asking.stage.now = UnixSeconds(asking.stage.now.0 + 5);
    assert_eq!(asking.code("opaque"), "token-expired");
}

#[test]
fn without_a_memory_each_exchange_asks_and_those_at_once_ask_once() {
    let asking = Asking::new(0);
    for _ in 0..3 {
        asking.ask("opaque", "asked").unwrap();
    }
    assert_eq!(asking.questions(), 3);
    asking.server.slow(Duration::from_millis(500));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| asking.ask("opaque", "asked").unwrap());
        }
    });
    assert_eq!(asking.questions(), 1);
}

#[test]
fn made_up_tokens_beyond_those_that_may_ask_at_once_are_refused_and_not_queued() {
    let asking = Asking::new(0);
    asking.server.slow(Duration::from_secs(1));
    let most = super::super::MAX_ASKING;
    let refused = std::thread::scope(|scope| {
        let asking = &asking;
        let all: Vec<_> = (0..most + 6)
            .map(|number| scope.spawn(move || asking.ask(&format!("made-up-{number}"), "asked")))
            .collect();
        let all = all.into_iter().map(|one| one.join().unwrap());
        let codes = all.filter_map(|one| one.err().map(|refusal| refusal.code()));
        codes.collect::<Vec<_>>()
    });
    assert_eq!(refused, ["token-service-unavailable"; 6]);
    assert_eq!(asking.questions(), most);
    asking.server.slow(Duration::ZERO);
    asking.ask("opaque", "asked").unwrap();
}

#[test]
fn what_is_revoked_here_gets_no_token_also_where_its_server_still_stands_behind_it() {
    let mut asking = Asking::new(10);
    asking.ask("opaque", "asked").unwrap();
    let issuer = KeyOwner::Issuer(ISSUER.parse().unwrap());
    let by_id = Revoked::Token {
        owner: issuer.clone(),
        token_id: "t-1".to_owned(),
    };
    for (revoked, code) in [
        (
            Revoked::TokenDigest(digest_of_token("opaque")),
            "token-revoked",
        ),
        (by_id, "token-revoked"),
        (
            Revoked::Subject(format!("{ISSUER}|batch")),
            "subject-revoked",
        ),
        (Revoked::Owner(issuer), "issuer-revoked"),
        (
            Revoked::Subject("spiffe://prod.test/batch".to_owned()),
            "subject-revoked",
        ),
    ] {
        asking.stage.revocations = Revocations::of([&revoked]);
        assert_eq!(asking.code("opaque"), code, "{revoked:?}");
    }
    asking.stage.revocations = Revocations::of([&Revoked::Subject(format!("{ISSUER}|other"))]);
    asking.ask("opaque", "asked").unwrap();
}
