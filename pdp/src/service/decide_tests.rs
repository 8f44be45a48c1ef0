//! Decisions that are reused against decisions that are made: over random questions, policies, data and
//! times, on one cache that two threads' deciders share, the answer is the one that a fresh engine
//! gives to the whole input at that instant.

use std::collections::HashMap;
use std::time::Duration;

use edgeward_core::cache_key::write_value;
use edgeward_core::decide;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::atoms::AtomSettings;
use crate::keys::{KeySettings, Keyring};
use crate::policy::{PolicySettings, PolicyStore, Sources, on_deep_stack};

/// What decides: each reads something else of the input, in another way.
const POLICIES: [&str; 9] = [
    r#"decision := {"allow": input.action.name == "GET", "reasons": ["by-method"]}"#,
    r#"decision := {"allow": allow, "reasons": [concat("-", ["by", input.subject.id])]}
       default allow := false
       allow if input.subject.properties.claims.groups[_] == "ops"
       allow if not input.resource.properties.headers["x-h"]"#,
    r#"decision := {"allow": true, "obligations": {"request_headers": object.union(
          {"x-edgeward-a": input.resource.properties.path}, {h: v |
          some h in ["x-edgeward-b"]; v := object.get(input.resource.properties.query, ["q", 0], "none")})}}"#,
    r#"decision := {"allow": input.context.time < "2027-01-15T08:00:30Z", "ttl": 7}"#,
    r#"decision := {"allow": count(seen) == 1, "valid_until": 1800000020}
       seen contains x if some x in input.resource.properties.headers["x-h"]"#,
    // An answer that is none, for some.
    r#"decision := {"allow": input.resource.properties.query.q}"#,
    // A clock of its own, alone and beside that of the question: one instant.
    r#"decision := {"allow": time.now_ns() < 1800000030000000000, "ttl": 9,
          "reasons": [sprintf("at-%d", [time.now_ns() / 1000000000])]}"#,
    r#"decision := {"allow": input.action.name == "GET", "reasons": reasons}
       reasons := ["same"] if time.parse_rfc3339_ns(input.context.time) == time.now_ns()
       reasons := ["other"] if time.parse_rfc3339_ns(input.context.time) != time.now_ns()"#,
    // Some data: the last policy, with each of `DATA`.
    r#"decision := {"allow": allow, "reasons": reasons}
       default allow := false
       allow if input.subject.id in data.access.open
       reasons := ["known"] if data.access.names[input.action.name]
       reasons := ["unknown"] if not data.access.names[input.action.name]"#,
];

/// What lies beside the policies: some of it the last of them can read.
const DATA: [&str; 5] = [
    r#"{"access": {"open": ["a"], "names": {"GET": true}, "beside": 1}}"#,
    r#"{"access": {"open": ["a"], "names": {"GET": true}, "beside": 2}, "more": []}"#,
    r#"{"access": {"open": ["b"], "names": {"GET": true}, "beside": 1}}"#,
    r#"{"access": {"open": ["b"], "names": {"GET": false}}}"#,
    "{}",
];

const START: u64 = 1_800_000_000;

#[derive(Debug, Clone)]
enum Event {
    Ask {
        decider: usize,
        subject: usize,
        method: usize,
        path: usize,
        header: usize,
        /// By the filters' own door, where the policy has one.
        projected: bool,
    },
    /// A set of policies and data, by its number among `sets`.
    Load(usize),
    Pass(u64),
    StepBack(u64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let numbers = (0..2_usize, 0..3_usize, 0..2_usize, 0..4_usize, 0..4_usize);
    let ask = (numbers, any::<bool>()).prop_map(
        |((decider, subject, method, path, header), projected)| Event::Ask {
            decider,
            subject,
            method,
            path,
            header,
            projected,
        },
    );
    prop_oneof![
        40 => ask,
        1 => (0..POLICIES.len() - 1 + DATA.len()).prop_map(Event::Load),
        // Other data, and back.
        1 => (POLICIES.len() - 1..POLICIES.len() - 1 + DATA.len()).prop_map(Event::Load),
        4 => (0..4_u64).prop_map(Event::Pass),
        2 => (0..3_u64).prop_map(Event::StepBack),
    ]
}

fn question(now: u64, subject: usize, method: usize, path: usize, header: usize) -> Value {
    let groups = [json!([]), json!(["ops"]), json!("ops")][subject].clone();
    let query = [
        json!({}),
        json!({"q": ["1"]}),
        json!({"q": []}),
        json!({"q": null}),
    ][path]
        .clone();
    let headers = [
        json!({}),
        json!({"x-h": [""]}),
        json!({"x-h": ["", ""]}),
        json!({"X-H": ["1"]}),
    ];
    let (id, name) = (["a", "b", "b"][subject], ["GET", "PUT"][method]);
    let place = ["/", "/a", "/a", "/b"][path];
    let time = jiff::Timestamp::from_second(i64::try_from(now).unwrap()).unwrap();
    json!({
        "subject": {"type": "workload", "id": id,
            "properties": {"claims": {"groups": groups, "jti": path}}},
        "action": {"name": name},
        "resource": {"type": "http", "id": "h", "properties": {"host": "h", "path": place,
            "query": query, "headers": headers[header]}},
        "context": {"time": time.to_string(), "request": now},
    })
}

fn sets() -> Vec<Arc<PolicySet>> {
    let set = |(policy, data): (&str, &str)| {
        let policy = format!("package edgeward.authz\n\n{policy}\n");
        let files = [("policy.rego", &*policy), ("data.json", data)]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        let sources = Sources::from_files(files.to_vec()).unwrap();
        let settings = PolicySettings {
            evaluation_timeout: Duration::from_secs(5),
            ..PolicySettings::default()
        };
        Arc::new(PolicySet::build(sources, &settings).unwrap())
    };
    let (last, others) = POLICIES.split_last().unwrap();
    let others = others.iter().map(|policy| (*policy, DATA[0]));
    let last = DATA.iter().map(|data| (*last, *data));
    others.chain(last).map(set).collect()
}

fn memory() -> impl Fn() -> Memory {
    let store = PolicyStore::open(PolicySettings::default()).unwrap();
    let keys = Arc::new(Keyring::open(KeySettings::default()).unwrap());
    let settings = CacheSettings::default();
    let cache = Arc::new(DecisionCache::new(&settings));
    let metrics = Arc::new(Metrics::new(store.subscribe(), keys, cache.clone()));
    move || Memory {
        settings,
        cache: cache.clone(),
        metrics: metrics.clone(),
    }
}

struct World {
    atoms: Atoms,
    sets: Vec<Arc<PolicySet>>,
    deciders: [Decider; 2],
    fresh: Vec<Worker>,
    known: HashMap<String, Result<Verdict, Failure>>,
    loaded: usize,
    now: u64,
    reused: u64,
}

impl World {
    fn new() -> Self {
        let sets = sets();
        let memory = memory();
        let decider =
            || Decider::new(memory(), sets[0].worker().unwrap(), sets[0].clone()).unwrap();
        Self {
            atoms: Atoms::open(&AtomSettings::default()).unwrap(),
            deciders: [decider(), decider()],
            fresh: sets.iter().map(|set| set.worker().unwrap()).collect(),
            sets,
            known: HashMap::new(),
            loaded: 0,
            now: START,
            reused: 0,
        }
    }

    /// Asks `decider` as everybody does, or as a filter does that was told of the policy in force.
    fn decide(&self, decider: usize, input: &Value, projected: bool) -> Decided {
        let (decider, now) = (&self.deciders[decider], UnixSeconds(self.now));
        let mut body = Vec::new();
        let question = match self.sets[self.loaded].caching() {
            Some(told) if projected => {
                let mut part = told.vary.project(input.clone());
                if let Some(context) = part.get_mut("context").and_then(Value::as_object_mut) {
                    // A filter does not say when it asks.
                    context.remove("time");
                }
                decide::write_question(&mut body, &told.program);
                write_value(&mut body, &decide::about().project(input.clone()));
                write_value(&mut body, &part);
                Some(decide::read_question(&body).unwrap())
            }
            _ => {
                body = serde_json::to_vec(input).unwrap();
                None
            }
        };
        let put = match &question {
            Some(question) => Put::Projected(question),
            None => Put::Whole(&body, Care::Usual),
        };
        decider
            .decide(put, now, &self.atoms, |_, _| None)
            .unwrap()
            .0
    }

    fn happen(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Load(number) => {
                self.loaded = number;
                for decider in &self.deciders {
                    let set = self.sets[number].clone();
                    decider.swap(set.worker().unwrap(), set);
                }
            }
            Event::Pass(seconds) => self.now += seconds,
            Event::StepBack(seconds) => self.now = START.max(self.now - seconds),
            Event::Ask {
                decider,
                subject,
                method,
                path,
                header,
                projected,
            } => {
                let input = question(self.now, subject, method, path, header);
                let decided = self.decide(decider, &input, projected);
                let place = format!("{} {input}", self.loaded);
                let now = self.now;
                let fresh = &mut self.fresh[self.loaded];
                if self.known.len() > 100_000 {
                    self.known.clear(); // Most are of a time that is over.
                }
                let fresh = self
                    .known
                    .entry(place)
                    .or_insert_with(|| fresh.evaluate(from_json(input), UnixSeconds(now)));
                let outcome = decided.outcome.map(|verdict| (*verdict).clone());
                prop_assert_eq!(&outcome, &*fresh, "{:?}", event);
                let reused = decided.id.as_str().starts_with("cached-");
                self.reused += u64::from(reused);
                if let Some(premises) = decided.premises {
                    prop_assert!(premises.until > UnixSeconds(self.now));
                    let ends = fresh.as_ref().ok().and_then(|verdict| verdict.valid_until);
                    prop_assert!(ends.is_none_or(|ends| premises.until <= ends));
                } else {
                    prop_assert!(!reused);
                }
            }
        }
        Ok(())
    }
}

/// `EDGEWARD_CACHE_STEPS` makes it longer: `./just soak-cache`.
fn steps() -> u32 {
    let steps = std::env::var("EDGEWARD_CACHE_STEPS").ok();
    steps
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(100_000)
}

#[test]
fn a_reused_decision_is_the_one_that_a_fresh_engine_would_make_of_the_whole_input() {
    const STEPS_OF_A_HISTORY: u32 = 500;
    let run = || {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            cases: (steps() / STEPS_OF_A_HISTORY).max(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let world = RefCell::new(World::new());
        let history = prop::collection::vec(any_event(), STEPS_OF_A_HISTORY as usize);
        let outcome = runner.run(&history, |events| {
            let world = &mut *world.borrow_mut();
            events.iter().try_for_each(|event| world.happen(event))
        });
        let reused = world.borrow().reused;
        (outcome.map_err(|error| error.to_string()), reused)
    };
    let (outcome, reused) = on_deep_stack(run).unwrap();
    outcome.unwrap();
    println!(
        "{} steps: {reused} decisions reused, 0 differences",
        steps()
    );
    assert!(
        reused > u64::from(steps()) / 20,
        "the test must reuse: {reused}"
    );
}
