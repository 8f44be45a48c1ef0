//! What each workload gets by its own evidence, and what those get who have it wrongly.

use serde_json::json;

use crate::ca::Leaf;
use crate::mint::SigningKey;

use super::Trust;

/// How a caller comes to the token that it shows.
pub enum Ask {
    /// It exchanges what it has.
    Exchange {
        /// The parameters of the form.
        form: Vec<(&'static str, String)>,
        /// The client certificate, of which it also shows the token.
        certificate: Option<Leaf>,
    },
    /// It has one already.
    Show {
        /// The token.
        token: String,
        /// The certificate with which it is shown.
        certificate: Option<Leaf>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The upstream has seen the request.
    Passed,
    /// The token service refused, with this code.
    NoToken(String),
    /// Envoy answered with this status and code.
    Denied(u16, String),
}

/// A story, and how it must end.
pub struct Case {
    /// Who, as the table says it.
    pub who: &'static str,
    /// What it tries.
    pub title: &'static str,
    /// How it comes to its token.
    pub ask: Ask,
    /// The path that it calls.
    pub path: &'static str,
    /// What must come of it.
    pub must: Outcome,
}

/// All stories, with fresh evidence.
pub fn all(trust: &Trust) -> Vec<Case> {
    let mut cases = own_service(trust);
    cases.extend(not_theirs(trust));
    cases.extend(forged(trust));
    cases.extend(bound(trust));
    cases.extend(on_behalf(trust));
    cases
}

/// Each by its own evidence, to its own service.
fn own_service(trust: &Trust) -> Vec<Case> {
    let platforms = &trust.platforms;
    vec![
        case(
            "CI job",
            "deploys",
            exchange(&platforms.job(&json!({})), "deploys"),
            ("/deploys/42", Outcome::Passed),
        ),
        case(
            "Kubernetes pod",
            "calls orders",
            exchange(&platforms.pod("cart", &json!({})), "orders"),
            ("/orders/7", Outcome::Passed),
        ),
        case(
            "SPIFFE workload",
            "of a partner, reads stock",
            exchange(&platforms.svid("/feed"), "stock"),
            ("/stock", Outcome::Passed),
        ),
    ]
}

/// Good evidence, used for what it is not for.
fn not_theirs(trust: &Trust) -> Vec<Case> {
    let platforms = &trust.platforms;
    let used = platforms.job(&json!({}));
    let first = trust.ask(&form(&used, "deploys").each(), None);
    assert_eq!(first.status, 200, "{}", first.text());
    let deploys = trust.ask(&form(&platforms.job(&json!({})), "deploys").each(), None);
    let deploys = deploys.json()["access_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    vec![
        case(
            "CI job",
            "wants a token for orders",
            exchange(&platforms.job(&json!({})), "orders"),
            ("/orders/7", no_token("audience-not-granted")),
        ),
        case(
            "CI job",
            "its token, re-targeted at orders",
            show(&deploys, None),
            (
                "/orders/7",
                Outcome::Denied(403, "token-for-another-service".to_owned()),
            ),
        ),
        case(
            "CI job",
            "its evidence, replayed",
            exchange(&used, "deploys"),
            ("/deploys/42", no_token("evidence-replayed")),
        ),
        case(
            "CI job",
            "of a repository that took the name",
            exchange(&platforms.job(&json!({ "repository_id": "99" })), "deploys"),
            ("/deploys/42", no_token("workload-unknown")),
        ),
        case(
            "CI job",
            "of a branch",
            exchange(&platforms.job(&json!({ "ref": "refs/heads/x" })), "deploys"),
            ("/deploys/42", no_token("workload-unknown")),
        ),
        case(
            "CI job",
            "on somebody's own runner",
            exchange(
                &platforms.job(&json!({ "runner_environment": "self-hosted" })),
                "deploys",
            ),
            ("/deploys/42", no_token("environment-mismatch")),
        ),
        case(
            "CI job",
            "shows its evidence to Envoy",
            show(&platforms.job(&json!({})), None),
            (
                "/deploys/42",
                Outcome::Denied(401, "token-issuer-unknown".to_owned()),
            ),
        ),
        case(
            "Kubernetes pod",
            "on another continent",
            exchange(&platforms.pod_elsewhere("cart"), "orders"),
            ("/orders/7", no_token("environment-mismatch")),
        ),
        case(
            "Kubernetes pod",
            "with its API server's token",
            exchange(
                &platforms.pod("cart", &json!({ "aud": "https://kubernetes.default.svc" })),
                "orders",
            ),
            ("/orders/7", no_token("token-audience-mismatch")),
        ),
        case(
            "SPIFFE workload",
            "that nobody knows",
            exchange(&platforms.svid("/other"), "stock"),
            ("/stock", no_token("workload-unknown")),
        ),
    ]
}

/// What nobody vouches for.
fn forged(trust: &Trust) -> Vec<Case> {
    let platforms = &trust.platforms;
    let now = crate::keys::now();
    let old = json!({ "iat": now - 7200, "exp": now - 3600 });
    let own = SigningKey::es256("platform-1");
    let forged = own.token(&json!({
        "sub": "spiffe://partner.demo/feed", "aud": [super::platforms::AUDIENCE],
        "iat": now, "exp": now + 300,
    }));
    let ours = own.token(&json!({
        "sub": "spiffe://prod.demo/shop/cart", "aud": ["spiffe://prod.demo"],
        "iat": now, "exp": now + 300,
        "edgeward": { "workload": "cart", "provider": "cluster", "attested_at": now },
    }));
    vec![
        case(
            "nobody",
            "signs a partner's SVID itself",
            exchange(&forged, "stock"),
            ("/stock", no_token("token-signature-invalid")),
        ),
        case(
            "nobody",
            "signs a token of ours itself",
            exchange(&ours, "orders"),
            ("/orders/7", no_token("token-key-unknown")),
        ),
        case(
            "Kubernetes pod",
            "its token of yesterday",
            exchange(&platforms.pod("cart", &old), "orders"),
            ("/orders/7", no_token("token-expired")),
        ),
        case(
            "Kubernetes pod",
            "says it is another's subject",
            exchange(
                &platforms.pod(
                    "cart",
                    &json!({ "sub": "system:serviceaccount:shop:orders" }),
                ),
                "orders",
            ),
            ("/orders/7", no_token("evidence-claims-disagree")),
        ),
    ]
}

/// Tokens that are worth nothing without the certificate of who asked for them.
fn bound(trust: &Trust) -> Vec<Case> {
    let pod = trust.platforms.pod("batch", &json!({}));
    let leaf = || trust.authority.issue(&["spiffe://prod.demo/shop/batch"]);
    let own = leaf();
    let token = trust.ask(&form(&pod, "reports").each(), Some(&own));
    let token = token.json()["access_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let mut with_certificate = exchange(&pod, "reports");
    if let Ask::Exchange { certificate, .. } = &mut with_certificate {
        *certificate = Some(leaf());
    }
    vec![
        case(
            "batch",
            "reads reports over mTLS",
            with_certificate,
            ("/reports", Outcome::Passed),
        ),
        case(
            "batch",
            "asks without its certificate",
            exchange(&pod, "reports"),
            ("/reports", no_token("certificate-needed")),
        ),
        case(
            "thief",
            "shows batch's token, without TLS",
            show(&token, None),
            (
                "/reports",
                Outcome::Denied(401, "token-binding-mismatch".to_owned()),
            ),
        ),
        case(
            "thief",
            "shows batch's token, own certificate",
            show(&token, Some(leaf())),
            (
                "/reports",
                Outcome::Denied(401, "token-binding-mismatch".to_owned()),
            ),
        ),
    ]
}

/// A service goes on for who called it.
fn on_behalf(trust: &Trust) -> Vec<Case> {
    let platforms = &trust.platforms;
    let sent = trust.ask(
        &form(&platforms.pod("cart", &json!({})), "orders").each(),
        None,
    );
    let sent = sent.json()["access_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let acting = |token: &str, actor: &str| {
        let mut asked = exchange(token, "payments");
        if let Ask::Exchange { form, .. } = &mut asked {
            form.push(("actor_token", actor.to_owned()));
            form.push(("actor_token_type", JWT.to_owned()));
        }
        asked
    };
    vec![
        case(
            "orders",
            "pays on behalf of cart",
            acting(&sent, &platforms.pod("orders", &json!({}))),
            ("/payments", Outcome::Passed),
        ),
        case(
            "batch",
            "found cart's token, would pay with it",
            acting(&sent, &platforms.pod("batch", &json!({}))),
            ("/payments", no_token("delegation-not-allowed")),
        ),
        case(
            "orders",
            "would pay with cart's evidence",
            acting(
                &platforms.pod("cart", &json!({})),
                &platforms.pod("orders", &json!({})),
            ),
            ("/payments", no_token("delegation-of-evidence")),
        ),
    ]
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The form of an exchange.
pub struct Form(Vec<(&'static str, String)>);

impl Form {
    /// Its parameters.
    pub fn each(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }
}

/// What asks for a token for `audience`, on this evidence.
pub fn form(evidence: &str, audience: &str) -> Form {
    Form(vec![
        ("grant_type", EXCHANGE.to_owned()),
        ("subject_token", evidence.to_owned()),
        ("subject_token_type", JWT.to_owned()),
        ("audience", audience.to_owned()),
    ])
}

fn exchange(evidence: &str, audience: &str) -> Ask {
    Ask::Exchange {
        form: form(evidence, audience).0,
        certificate: None,
    }
}

fn show(token: &str, certificate: Option<Leaf>) -> Ask {
    Ask::Show {
        token: token.to_owned(),
        certificate,
    }
}

fn no_token(code: &str) -> Outcome {
    Outcome::NoToken(code.to_owned())
}

fn case(
    who: &'static str,
    title: &'static str,
    ask: Ask,
    (path, must): (&'static str, Outcome),
) -> Case {
    Case {
        who,
        title,
        ask,
        path,
        must,
    }
}
