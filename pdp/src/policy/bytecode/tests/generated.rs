//! Generated policies and questions: what is let through answers as in the interpreter.

use std::collections::BTreeMap;

use super::generator::{DATA, Generator};
use super::{None, Pair, Said};
use crate::policy::{from_json, on_deep_stack};

const ENTRY_POINT: &str = "data.edgeward.authz.decision";
const POLICIES: u64 = 1800;
const QUESTIONS: usize = 16;

/// What came of the policies.
#[derive(Debug, Default)]
struct Count {
    refused: usize,
    obstacles: BTreeMap<String, usize>,
    admitted: usize,
    same: usize,
    doubts: usize,
    undefined: usize,
}

fn try_policy(seed: u64, count: &mut Count) {
    let mut generator = Generator::new(seed, false, true);
    let (policy, library) = generator.policy();
    let files = [
        ("a.rego", &*policy),
        ("lib.rego", &*library),
        ("d.json", DATA),
    ];
    let mut pair = match Pair::of(&files, Option::None, ENTRY_POINT) {
        Ok(pair) => pair,
        Err(None::Refused(_)) => {
            count.refused += 1;
            return;
        }
        Err(None::Obstacle(obstacle)) => {
            let text = obstacle.to_string();
            let what = text.split_once(": ").map_or(&*text, |(_, what)| what);
            *count.obstacles.entry(what.to_owned()).or_default() += 1;
            return;
        }
    };
    count.admitted += 1;
    for _ in 0..QUESTIONS {
        let question = generator.question();
        match pair.ask(&from_json(question.clone())) {
            Said::Same(value) => {
                count.same += 1;
                count.undefined += usize::from(value == regorus::Value::Undefined);
            }
            Said::Doubt(_) => count.doubts += 1,
            Said::Different(how) => panic!("seed {seed}: {how}\nfor {question}\nin {policy}"),
        }
    }
}

#[test]
fn generated_policies_answer_in_bytecode_as_in_the_interpreter() {
    let first = std::env::var("EDGEWARD_SEED").map_or(1, |seed| seed.parse().unwrap());
    let policies = std::env::var("EDGEWARD_POLICIES").map_or(POLICIES, |n| n.parse().unwrap());
    let count = on_deep_stack(move || {
        let mut count = Count::default();
        for seed in first..first + policies {
            try_policy(seed, &mut count);
        }
        count
    })
    .unwrap();
    println!("{count:#?}");
    // A test that lets nothing through proves nothing.
    assert!(count.same + count.doubts >= 20_000, "{count:?}");
    assert!(count.same > count.doubts, "{count:?}");
}
