//! Who gets in by their own evidence, with their own certificate, or for who called them; and each next to
//! one who would like to.

use serde_json::json;

use super::{Ask, Case, JWT, Outcome, case, exchange, exchange_aws, form, no_token, show};
use crate::trust::Trust;

/// Each by its own evidence, to its own service.
pub(super) fn own_service(trust: &Trust) -> Vec<Case> {
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

/// AWS's callers, each known by what it signs; none where moto is missing.
pub(super) fn callers(trust: &Trust) -> Vec<Case> {
    let Some(sts) = &trust.platforms.sts else {
        eprintln!("skipped: callers of AWS (no moto: `./just setup`)");
        return Vec::new();
    };
    vec![
        case(
            "AWS caller",
            "a role, writes the ledger",
            exchange_aws(&sts.evidence("role_presigned"), "ledger"),
            ("/ledger", Outcome::Passed),
        ),
        case(
            "AWS caller",
            "the same request, replayed",
            exchange_aws(&sts.evidence("role_presigned"), "ledger"),
            ("/ledger", no_token("evidence-replayed")),
        ),
        case(
            "AWS caller",
            "of another name in that account",
            exchange_aws(&sts.evidence("user_presigned"), "ledger"),
            ("/ledger", no_token("client-workload-unknown")),
        ),
        case(
            "AWS caller",
            "its name, signed with another's key",
            exchange_aws(&sts.evidence("stolen_presigned"), "ledger"),
            ("/ledger", no_token("evidence-rejected")),
        ),
    ]
}

/// Tokens that are worth nothing without the certificate of who asked for them.
pub(super) fn bound(trust: &Trust) -> Vec<Case> {
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
pub(super) fn on_behalf(trust: &Trust) -> Vec<Case> {
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
