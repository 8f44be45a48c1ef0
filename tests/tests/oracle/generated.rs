//! Policies and questions by chance, from the generator of the bytecode's tests.

use std::collections::BTreeMap;
use std::path::Path;

use edgeward::policy::on_deep_stack;
use serde_json::Value;

use crate::generator::{DATA, Generator};
use crate::opa::{self, Opa};
use crate::ours::Ours;

const ENTRY_POINT: &str = "data.edgeward.authz.decision";
const PAIRS: usize = 20_000;
const QUESTIONS: usize = 100;

/// What came of the policies.
#[derive(Debug, Default)]
struct Count {
    pairs: usize,
    policies: usize,
    in_bytecode: usize,
    undefined: usize,
    errors: usize,
    refused: BTreeMap<String, usize>,
    refused_by_opa: usize,
    differences: Vec<String>,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.policies += other.policies;
        self.in_bytecode += other.in_bytecode;
        self.undefined += other.undefined;
        self.errors += other.errors;
        self.refused_by_opa += other.refused_by_opa;
        for (why, count) in other.refused {
            *self.refused.entry(why).or_default() += count;
        }
        self.differences.extend(other.differences);
    }
}

fn files(policy: &str, library: &str) -> [(String, String); 2] {
    [("a.rego", policy), ("lib.rego", library)]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
}

fn try_policy(seed: u64, opa: &mut Opa, count: &mut Count) {
    let data: Value = serde_json::from_str(DATA).expect("data");
    let mut generator = Generator::new(seed, false, false);
    let (policy, library) = generator.policy();
    let questions: Vec<Value> = (0..QUESTIONS).map(|_| generator.question()).collect();
    let (for_opa, opa_library) = Generator::new(seed, true, false).policy();
    let asked = opa.ask(
        &files(&for_opa, &opa_library),
        &data,
        ENTRY_POINT,
        &questions,
    );
    let Ok(answers) = asked else {
        count.refused_by_opa += 1;
        return;
    };
    let mut ours = match Ours::load(&files(&policy, &library), &data, ENTRY_POINT) {
        Ok(ours) => ours,
        Err(error) => {
            let text = error.to_string();
            let why = text.split_once(": ").map_or(&*text, |(_, why)| why);
            let why = why.split('`').next().unwrap_or_default();
            *count.refused.entry(why.to_owned()).or_default() += 1;
            return;
        }
    };
    count.policies += 1;
    count.in_bytecode += usize::from(ours.engine == "bytecode");
    for (question, said) in questions.iter().zip(answers) {
        count.pairs += 1;
        count.undefined += usize::from(said == opa::Said::Undefined);
        count.errors += usize::from(matches!(said, opa::Said::Error(_)));
        if let Some(how) = ours.difference(question, &said) {
            count.differences.push(format!(
                "seed {seed}: {how}\nfor {question}\nin {policy}\nbeside {library}\nby {}",
                ours.engine
            ));
            return;
        }
    }
}

/// Policies from `first` on, every second, until there are `pairs` or a difference.
fn run(folder: &Path, first: u64, pairs: usize) -> Count {
    let mut opa = Opa::start(folder);
    let mut count = Count::default();
    let mut seed = first;
    while count.pairs < pairs && count.differences.is_empty() {
        try_policy(seed, &mut opa, &mut count);
        seed += 2;
    }
    count
}

#[test]
fn generated_policies_answer_as_in_opa() {
    let Some(folder) = opa::folder() else { return };
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|n| n.parse::<u64>().expect("a number"))
    };
    let first = number("EDGEWARD_SEED").unwrap_or(1);
    let pairs = number("EDGEWARD_PAIRS").map_or(PAIRS, |n| usize::try_from(n).expect("a number"));
    let mut count = Count::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = [first, first + 1]
            .into_iter()
            .map(|first| {
                let folder = folder.clone();
                scope.spawn(move || on_deep_stack(move || run(&folder, first, pairs / 2)))
            })
            .collect();
        for thread in threads {
            count.add(thread.join().expect("a thread").expect("no panic"));
        }
    });
    let differences = std::mem::take(&mut count.differences);
    println!("{count:#?}");
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    assert!(count.pairs >= pairs / 2 * 2, "{count:?}");
    assert!(count.in_bytecode * 4 > count.policies, "{count:?}");
}
