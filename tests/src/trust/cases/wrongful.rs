//! Good evidence used for what it is not for, and what nobody vouches for.

use serde_json::json;

use super::{Case, Outcome, case, exchange, form, no_token, show};
use crate::mint::SigningKey;
use crate::trust::Trust;
use crate::trust::platforms::AUDIENCE;

/// Good evidence, used for what it is not for.
pub(super) fn not_theirs(trust: &Trust) -> Vec<Case> {
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
            ("/deploys/42", no_token("client-workload-unknown")),
        ),
        case(
            "CI job",
            "of a branch",
            exchange(&platforms.job(&json!({ "ref": "refs/heads/x" })), "deploys"),
            ("/deploys/42", no_token("client-workload-unknown")),
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
            ("/stock", no_token("client-workload-unknown")),
        ),
    ]
}

/// What nobody vouches for.
pub(super) fn forged(trust: &Trust) -> Vec<Case> {
    let platforms = &trust.platforms;
    let now = crate::keys::now();
    let old = json!({ "iat": now - 7200, "exp": now - 3600 });
    let own = SigningKey::es256("platform-1");
    let forged = own.token(&json!({
        "sub": "spiffe://partner.demo/feed", "aud": [AUDIENCE],
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
