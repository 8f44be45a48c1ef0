//! What happens in `exchange_cache_tests.rs`: a PDP with random programs, and random events.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use edgeward_core::decide;
use edgeward_core::decision::{Decision, Obligations};
use edgeward_core::footprint::Footprint;
use edgeward_core::time::UnixSeconds;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SIGNING, TOKENS};

/// Where every request comes from lies in one network. On the wire as `core::atoms` has it.
pub(super) const NETWORKS: [&str; 2] = ["4c0000200 doc", "4c0000300"];
/// One path is a route of its own, the others are another's.
pub(super) const ROUTES: [&str; 2] = ["first GET  /a", "other   /{x}"];

/// The question as the PDP tells it to the policy, by the definitions above.
pub(super) fn with_atoms(question: &Value) -> Value {
    let mut told = question.clone();
    told["context"]["source"]["networks"] = json!(["doc"]);
    let properties = &mut told["resource"]["properties"];
    let (route, params) = match &properties["segments"][0] {
        Value::String(segment) if segment == "a" => ("first", json!({})),
        segment => ("other", json!({ "x": segment })),
    };
    properties["route"] = json!(route);
    properties["params"] = params;
    told
}

/// A PDP whose programs decide by anything they read and by the time, which they read in steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Program {
    number: u8,
    pub(super) vary: Footprint,
    step: u64,
}

impl Program {
    pub(super) fn name(&self) -> String {
        format!("{}-{}-{}", self.number, self.step, json!(self.vary))
    }

    /// Whether the answer is an allow, and the tier it gives.
    pub(super) fn decide(&self, question: &Value, now: u64) -> (bool, String) {
        let mut hasher = DefaultHasher::new();
        let read = self.vary.project(question.clone()).to_string();
        (self.name(), read, now / self.step).hash(&mut hasher);
        let hash = hasher.finish();
        (!hash.is_multiple_of(3), format!("{hash:016x}"))
    }

    /// Whoever reads the time itself knows it to the second.
    pub(super) fn until(&self, now: u64) -> u64 {
        let reads_time = self.vary.at(["context", "time"]).is_some();
        let step = if reads_time { 1 } else { self.step };
        (now / step + 1) * step
    }

    /// To a projected question.
    pub(super) fn short_answer(&self, mut input: Value, now: u64, number: usize) -> Vec<u8> {
        input["context"]["time"] = json!(now);
        let (allow, tier) = self.decide(&input, now);
        let id = format!("d-{number}").parse().unwrap();
        let reasons = vec![format!("tier-{tier}")];
        let tiers = BTreeMap::from([("x-tier".to_owned(), tier)]);
        let decision = if allow {
            Decision::Allow {
                id,
                reasons,
                obligations: Obligations::new(tiers, BTreeMap::new()).unwrap(),
            }
        } else {
            Decision::Deny { id, reasons }
        };
        let holds = (UnixSeconds(now), UnixSeconds(self.until(now)));
        let mut body = Vec::new();
        decide::write_answer(&mut body, &decision, Some(holds));
        body
    }

    /// To a whole one. The real PDP adds the time.
    pub(super) fn answer(&self, mut question: Value, now: u64, number: usize) -> String {
        question["context"]["time"] = json!(now);
        let (allow, tier) = self.decide(&question, now);
        json!({"decision": allow, "context": {
            "id": format!("d-{number}"),
            "reasons": [format!("tier-{tier}")],
            "obligations": {"request_headers": {"x-tier": tier}},
            "premises": {"program": self.name(), "now": now, "until": self.until(now)},
        }})
        .to_string()
    }
}

#[derive(Debug, Clone)]
pub(super) enum Event {
    Request {
        token: usize,
        path: &'static str,
        header: Option<&'static str>,
    },
    /// The PDP answers a question, as it decided at once or as it decides now.
    Answer {
        which: usize,
        late: bool,
    },
    /// It does not.
    Fail {
        which: usize,
        status: &'static str,
    },
    /// A client leaves.
    Leave(usize),
    /// The root's tick.
    Tick,
    Turn,
    Load(Program),
    Feed,
    /// The issuer's key, of two, changes: told by the next feed.
    Rotate(u8),
    /// Nobody, or one subject, is revoked: told by the next feed.
    Revoke(Option<usize>),
    Quiet,
    Pass(u64),
    StepBack(u64),
}

pub(super) fn any_event() -> impl Strategy<Value = Event> {
    let path = prop::sample::select(&["/a", "/a?q=1", "/b", "/a?q=1&q=2", "/stale"][..]);
    let header = prop::option::of(prop::sample::select(&["", "1", "1,1"][..]));
    let request = (0..TOKENS, path, header).prop_map(|(token, path, header)| Event::Request {
        token,
        path,
        header,
    });
    let answer =
        (0..8_usize, any::<bool>()).prop_map(|(which, late)| Event::Answer { which, late });
    let status = prop::sample::select(&["503", "504", "500", ""][..]);
    let fail = (0..8_usize, status).prop_map(|(which, status)| Event::Fail { which, status });
    prop_oneof![
        14 => request,
        9 => answer,
        2 => fail,
        1 => (0..8_usize).prop_map(Event::Leave),
        3 => Just(Event::Tick),
        6 => Just(Event::Turn),
        1 => any_program().prop_map(Event::Load),
        3 => Just(Event::Feed),
        1 => prop_oneof![4 => Just(SIGNING), 1 => Just(SIGNING + 1)].prop_map(Event::Rotate),
        1 => prop::option::of(0..TOKENS / 2).prop_map(Event::Revoke),
        1 => Just(Event::Quiet),
        2 => (0..40_u64).prop_map(Event::Pass),
        1 => (0..5_u64).prop_map(Event::StepBack),
    ]
}

pub(super) fn any_program() -> impl Strategy<Value = Program> {
    let paths = prop::sample::select(
        &[
            "subject.id",
            "subject",
            "action.name",
            "resource.properties.path",
            "resource.properties.query",
            "resource.properties.query.q",
            "resource.properties.headers.x-h",
            "resource.properties.route",
            "resource.properties.params",
            "context.source",
            "context.source.networks",
            "context.time",
        ][..],
    );
    (
        0..2_u8,
        prop::collection::vec(paths, 0..4),
        prop::sample::select(&[1, 7, 30][..]),
    )
        .prop_map(|(number, paths, step)| {
            let mut vary = Footprint::nothing();
            for path in paths {
                vary.widen(path.split('.'));
            }
            Program { number, vary, step }
        })
}

/// What happened in all, to be printed.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) made: usize,
    pub(super) together: usize,
    pub(super) reused: usize,
    pub(super) shared: usize,
    pub(super) failed: usize,
    pub(super) stale: usize,
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            made: self.made + more.made,
            together: self.together + more.together,
            reused: self.reused + more.reused,
            shared: self.shared + more.shared,
            failed: self.failed + more.failed,
            stale: self.stale + more.stale,
        }
    }
}
