//! Promise 5 for what is taken back before its time: each kind of revocation refuses what passed by
//! a remembered token and decision; what is undone passes again; a restart of the PDP forgets nothing. length: one set of parts.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use edgeward_tests::built;
use edgeward_tests::envoy::{Envoy, tail};
use edgeward_tests::keys::{FRONTEND, ISSUER, Keys, oidc_claims};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::{self, Request};
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::policy_folder;
use edgeward_tests::upstream::Upstream;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The bound across a fleet; on one node it is 50 ms (`./just bench-revocation`).
const BOUND: Duration = Duration::from_secs(1);
/// Enough connections to reach both workers.
const ENOUGH: usize = 16;
const PATH: &str = "/edgeward/v1/revocations";
const TOKEN: &str = "admin-token-of-the-tests";

struct Parts {
    keys: Keys,
    pdp: Pdp,
    envoy: Envoy,
    upstream: Upstream,
    _folder: TempDir,
}

impl Parts {
    fn start(setup: impl FnOnce(&Keys, &Path) -> Setup) -> Self {
        let folder = TempDir::with_prefix("edgeward-revocation").expect("a temporary folder");
        let keys = Keys::generate();
        let setup = setup(&keys, folder.path());
        let mut config = keys.pdp_config();
        config["revocations"] = json!({
            "directory": folder.path().join("revocations"),
            "admin_tokens_sha256": [sha256(TOKEN.as_bytes())],
        });
        let mut pdp = Pdp::prepare(&config, &policy_folder());
        pdp.run();
        let upstream = Upstream::start();
        let setup = setup
            .cluster("edgeward_pdp", pdp.address())
            .cluster("upstream", upstream.address())
            .plugin(|plugin| plugin["pdp"]["timeout"] = json!("5s"));
        let envoy = Envoy::start(&setup);
        Self {
            keys,
            pdp,
            envoy,
            upstream,
            _folder: folder,
        }
    }

    fn admin(&self, method: &str, path: &str, body: &str) -> Reply {
        let mut request = Request::new(method, path)
            .host("pdp")
            .bearer(TOKEN)
            .header("content-type", "application/json");
        if !body.is_empty() {
            request = request.body(body);
        }
        request.send(self.pdp.address())
    }

    /// Revokes; the id.
    fn revoke(&self, order: &Value) -> String {
        let reply = self.admin("POST", PATH, &order.to_string());
        assert_eq!(reply.status, 201, "{order}: {}", reply.text());
        reply.json()["id"].as_str().expect("an id").to_owned()
    }

    fn undo(&self, id: &str) {
        let reply = self.admin("DELETE", &format!("{PATH}/{id}"), "");
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Waits until `send` is answered like this by every worker; how long that took.
    #[track_caller]
    fn settles(
        &self,
        expected: (u16, &str),
        within: Duration,
        send: &dyn Fn() -> Reply,
    ) -> Duration {
        let began = Instant::now();
        let mut last = Reply::default();
        let settled = wait_for(within, || {
            let streak = Instant::now();
            let all = (0..ENOUGH).all(|_| {
                last = send();
                last.status == expected.0 && (expected.1.is_empty() || last.code() == expected.1)
            });
            all.then_some(streak)
        });
        let Some(streak) = settled else {
            panic!(
                "{expected:?}: {} {}\n{}",
                last.status,
                last.text(),
                tail(&self.envoy.log())
            );
        };
        streak.duration_since(began)
    }

    #[track_caller]
    fn falls_and_rises(&self, order: &Value, status: u16, code: &str, send: &dyn Fn() -> Reply) {
        self.settles((200, ""), Duration::from_secs(20), send);
        let last = self.upstream.seen("").pop().expect("it was forwarded");
        let id = last.header("x-edgeward-decision-id").concat();
        assert!(id.starts_with("cached-"), "{order}: {id}");
        let id = self.revoke(order);
        let took = self.settles((status, code), BOUND, send);
        println!("{code}: refused everywhere {took:?} after");
        self.undo(&id);
        let took = self.settles((200, ""), BOUND, send);
        println!("{code}: passes everywhere {took:?} after it was undone");
    }
}

fn named_token(keys: &Keys) -> String {
    let mut claims = oidc_claims("pipeline");
    claims["jti"] = json!("token-1");
    claims["sid"] = json!("session-1");
    keys.issuer.token(&claims)
}

#[test]
fn each_kind_of_revocation_refuses_a_token_within_the_bound_until_it_is_undone() {
    let parts = Parts::start(|_, _| Setup::local());
    let token = named_token(&parts.keys);
    let (signed, _) = token.rsplit_once('.').expect("a signature");
    let send = || {
        Request::get("/reports/1")
            .bearer(&token)
            .send(parts.envoy.address())
    };
    let kid = parts.keys.issuer.jwk("sig")["kid"].clone();
    let revision = raw::get(parts.pdp.address(), "/health/ready")
        .expect("an answer")
        .json()["policy"]["revision"]
        .clone();
    for (order, status, code) in [
        (
            json!({ "kind": "token", "issuer": ISSUER, "jti": "token-1" }),
            401,
            "token-revoked",
        ),
        (
            json!({ "kind": "token", "sha256": sha256(signed.as_bytes()) }),
            401,
            "token-revoked",
        ),
        (
            json!({ "kind": "session", "issuer": ISSUER, "sid": "session-1" }),
            401,
            "session-revoked",
        ),
        (
            json!({ "kind": "subject", "subject": format!("{ISSUER}|pipeline") }),
            401,
            "subject-revoked",
        ),
        (
            json!({ "kind": "key", "issuer": ISSUER, "kid": kid }),
            401,
            "key-revoked",
        ),
        (
            json!({ "kind": "issuer", "issuer": ISSUER }),
            401,
            "issuer-revoked",
        ),
        (
            json!({ "kind": "policy", "revision": revision }),
            403,
            "policy-revoked",
        ),
    ] {
        parts.falls_and_rises(&order, status, code, &send);
    }
    let svid = parts.keys.jwt_svid(FRONTEND);
    let send = || {
        Request::get("/svid")
            .bearer(&svid)
            .send(parts.envoy.address())
    };
    let order = json!({ "kind": "trust-domain", "trust_domain": "example.org" });
    parts.falls_and_rises(&order, 401, "trust-domain-revoked", &send);
}

#[test]
fn a_workload_known_by_its_certificate_is_refused_within_the_bound() {
    let parts = Parts::start(|keys, folder| {
        let server = keys.authority.issue(&["spiffe://example.org/edge/envoy"]);
        keys.authority.write_server(&server, folder);
        std::fs::write(folder.join("other.pem"), keys.other_authority.pem()).expect("written");
        Setup::mtls(folder)
    });
    let leaf = parts.keys.authority.issue(&[FRONTEND]);
    let send = || {
        let stream = raw::connect(parts.envoy.address()).expect("the listener accepts");
        let tls = parts.keys.authority.connect(stream, Some(&leaf));
        // Envoy may still be on its way up.
        let reply = tls.map(|tls| raw::exchange(tls, &Request::get("/mtls").bytes()));
        reply.ok().and_then(Result::ok).unwrap_or_default()
    };
    let certificate = sha256_of_pem(&leaf.pem());
    for (order, code) in [
        (
            json!({ "kind": "certificate", "sha256": certificate }),
            "certificate-revoked",
        ),
        (
            json!({ "kind": "subject", "subject": FRONTEND }),
            "subject-revoked",
        ),
        (
            json!({ "kind": "trust-domain", "trust_domain": "example.org" }),
            "trust-domain-revoked",
        ),
    ] {
        parts.falls_and_rises(&order, 401, code, &send);
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    edgeward_core::revocation::hex(digest.as_ref())
}

fn sha256_of_pem(pem: &str) -> String {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    let leaf = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    sha256(&leaf)
}

#[test]
fn what_the_command_line_revoked_survives_a_crash_of_the_pdp_until_it_is_undone() {
    let mut parts = Parts::start(|_, _| Setup::local());
    let token = named_token(&parts.keys);
    let address = parts.envoy.address();
    let send = || Request::get("/reports/1").bearer(&token).send(address);
    parts.settles((200, ""), Duration::from_secs(20), &send);
    let url = format!("http://{}", parts.pdp.address());
    let edgeward = |arguments: &[&str], token: &str| {
        let mut command = Command::new(built::edgeward());
        command
            .arg("revoke")
            .args(arguments)
            .args(["--pdp", &url, "--output", "json"]);
        command.env("EDGEWARD_ADMIN_TOKEN", token);
        let output = command.output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let order = [
        "session",
        "--issuer",
        ISSUER,
        "session-1",
        "--reason",
        "logged out",
        "--expires",
        "12h",
    ];
    let (code, _, error) = edgeward(&order, "wrong");
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("admin_tokens_sha256"), "{error}");
    let (code, revoked, error) = edgeward(&order, TOKEN);
    assert_eq!(code, Some(0), "{error}");
    parts.settles((401, "session-revoked"), BOUND, &send);

    parts.pdp.crash();
    parts.pdp.run();
    let (_, listed, _) = edgeward(&["list"], TOKEN);
    assert_eq!(listed, revoked);
    parts.settles((401, "session-revoked"), Duration::from_secs(20), &send);
    let forwarded = parts.upstream.seen("/reports/1").len();
    std::thread::sleep(Duration::from_secs(3));
    parts.settles((401, "session-revoked"), Duration::from_secs(20), &send);
    assert_eq!(parts.upstream.seen("/reports/1").len(), forwarded);

    let revoked: Value = serde_json::from_str(&revoked).expect("JSON");
    let id = revoked["id"].as_str().expect("an id");
    assert_eq!(edgeward(&["undo", id], TOKEN).0, Some(0));
    assert_eq!(edgeward(&["undo", id], TOKEN).0, Some(1));
    parts.settles((200, ""), Duration::from_secs(20), &send);
}
