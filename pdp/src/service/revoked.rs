//! Is the subject of a question revoked, or the policy that would decide it? Asked before the
//! policy is.
//!
//! A PEP says who asks in the shape of `edgeward_core::authzen`; what it does not say is not judged.

use edgeward_core::decision::Obligations;
use edgeward_core::revocation::{Identity, Kind, Revocations};

use super::asked::Asked;
use crate::policy::Verdict;

/// The deny for a question that is `asked` of the policy with this revision, where something it rests on
/// is revoked.
pub(super) fn judge(
    revocations: &Revocations,
    asked: &Asked<'_>,
    revision: &str,
) -> Option<Verdict> {
    if revocations.is_empty() {
        return None;
    }
    let kind = if revocations.has_policy(revision) {
        Kind::Policy
    } else {
        find(revocations, asked)?
    };
    Some(Verdict {
        allow: false,
        reasons: vec![kind.code().to_owned()],
        obligations: Obligations::default(),
        ttl: None,
        valid_until: None,
    })
}

/// By what the subject, or the workload at the other end of its connection, is revoked.
fn find(revocations: &Revocations, asked: &Asked<'_>) -> Option<Kind> {
    let id = &*asked.subject;
    let mut who = Identity::of_subject(id);
    let qualified;
    if who.issuer.is_none() && who.trust_domain.is_none() {
        who.issuer = asked.issuer.as_deref();
        who.trust_domain = asked.trust_domain.as_deref();
        if let Some(issuer) = who.issuer {
            qualified = format!("{issuer}|{id}");
            who.subject = Some(&qualified);
        }
    }
    who.token_id = asked.token_id.as_deref();
    who.session = asked.session.as_deref();
    let peer = asked.peer.as_deref().map(Identity::of_subject);
    revocations.find(&who).or_else(|| revocations.find(&peer?))
}

#[cfg(test)]
mod tests {
    use edgeward_core::revocation::Order;
    use serde_json::{Value, json};

    use super::*;

    fn found(order: &Value, subject: &Value, peer: &str) -> Option<Kind> {
        let order = Order::parse(order.to_string().as_bytes()).unwrap();
        let input = json!({ "subject": subject, "context": { "tls": { "peer": peer } } });
        find(&Revocations::of([&order.revoked]), &Asked::of(&input))
    }

    #[test]
    fn a_subject_is_found_by_everything_that_a_question_says_of_it() {
        let claims = json!({ "jti": "j", "sid": "s" });
        let issued = json!({ "type": "workload", "id": "https://i.test|job",
            "properties": { "issuer": "https://i.test", "claims": claims } });
        let bare = json!({ "type": "user", "id": "job",
            "properties": { "issuer": "https://i.test", "claims": claims } });
        let svid = json!({ "type": "workload", "id": "spiffe://d/w",
            "properties": { "trust_domain": "d", "issuer": "https://i.test", "claims": claims } });
        for (order, of_issuer, of_domain) in [
            (
                json!({"kind": "issuer", "issuer": "https://i.test"}),
                true,
                false,
            ),
            (
                json!({"kind": "token", "issuer": "https://i.test", "jti": "j"}),
                true,
                false,
            ),
            (
                json!({"kind": "session", "issuer": "https://i.test", "sid": "s"}),
                true,
                false,
            ),
            (
                json!({"kind": "subject", "subject": "https://i.test|job"}),
                true,
                false,
            ),
            (
                json!({"kind": "subject", "subject": "spiffe://d/w"}),
                false,
                true,
            ),
            (
                json!({"kind": "trust-domain", "trust_domain": "d"}),
                false,
                true,
            ),
            (
                json!({"kind": "token", "trust_domain": "d", "jti": "j"}),
                false,
                true,
            ),
            (
                json!({"kind": "session", "trust_domain": "d", "sid": "s"}),
                false,
                true,
            ),
            (
                json!({"kind": "session", "trust_domain": "d", "sid": "t"}),
                false,
                false,
            ),
        ] {
            let is_found = |subject: &Value| found(&order, subject, "spiffe://o/x").is_some();
            assert_eq!(is_found(&issued), of_issuer, "{order}");
            assert_eq!(is_found(&bare), of_issuer, "{order}");
            assert_eq!(is_found(&svid), of_domain, "{order}");
        }
        let peer = json!({"kind": "subject", "subject": "spiffe://o/x"});
        assert_eq!(found(&peer, &issued, "spiffe://o/x"), Some(Kind::Subject));
    }
}
