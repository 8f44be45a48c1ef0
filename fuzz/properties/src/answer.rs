//! What the PDP tells the filter: decisions, and whom to believe.

use edgeward_core::authzen;
use edgeward_core::decision::{Decision, DecisionId};
use edgeward_core::feed::Feed;
use edgeward_core::token::Trust;
use edgeward_core::{headers, json};
use serde_json::Value;

use crate::Verdict;

/// Only strict JSON whose `decision` is `true` allows, with obligations that can all be met.
pub fn authzen_answer(data: &[u8]) -> Verdict {
    let Ok(fallback) = "fallback".parse::<DecisionId>() else {
        return Verdict::Refused;
    };
    let Ok(answer) = authzen::read_answer(data, || fallback) else {
        return Verdict::Refused;
    };
    let decision = answer.decision;
    let strict = json::parse_object(data);
    assert!(strict.is_ok(), "not strict JSON, but {decision:?}");
    let members = strict.unwrap_or_default();
    let said = members.get("decision").and_then(Value::as_bool);
    assert_eq!(said, Some(decision.is_allow()));
    assert!(!decision.id().as_str().is_empty());
    if let Decision::Allow { obligations, .. } = &decision {
        let all = [&obligations.request_headers, &obligations.response_headers];
        for (name, value) in all.into_iter().flatten() {
            assert!(headers::may_be_set(name));
            assert!(!value.contains(['\r', '\n', '\0']));
        }
    }
    Verdict::Accepted
}

/// All of a feed holds, or none: nothing in it is overlooked, and what was understood, written and
/// read back, is the same.
pub fn sync_feed(data: &[u8]) -> Verdict {
    let Ok(feed) = Feed::parse(data) else {
        return Verdict::Refused;
    };
    let mut members = json::parse_object(data).unwrap_or_default();
    members.insert("x-unknown".to_owned(), Value::Null);
    let more = serde_json::to_vec(&members).unwrap_or_default();
    assert!(Feed::parse(&more).is_err());
    let Ok(trust) = feed.trust() else {
        return Verdict::Refused;
    };
    assert_eq!(
        trust.issuers.len(),
        feed.issuers.len(),
        "an issuer got lost"
    );
    assert_eq!(
        trust.trust_domains.len(),
        feed.trust_domains.len(),
        "a trust domain got lost"
    );
    let written = write(&trust, &feed);
    let again = Feed::parse(&written).and_then(|again| again.trust());
    assert!(again.is_ok(), "{:?}", again.err());
    assert_eq!(write(&again.unwrap_or_default(), &feed), written);
    Verdict::Accepted
}

fn write(trust: &Trust, feed: &Feed) -> Vec<u8> {
    let (cursor, revision) = (feed.cursor.clone(), feed.policy_revision.clone());
    let feed = Feed::of(
        trust,
        cursor,
        feed.lease.clone(),
        revision,
        feed.caching.clone(),
    );
    serde_json::to_vec(&feed).unwrap_or_default()
}
