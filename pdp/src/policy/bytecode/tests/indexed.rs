//! Rules with many definitions: what a tree finds is what trying them all would give.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Pair, Said};
use crate::policy::{from_json, on_deep_stack};

const POLICIES: u64 = 120;
const QUESTIONS: u64 = 40;
const CONSTANTS: [&str; 12] = [
    r#""""#,
    r#""a""#,
    r#""b""#,
    r#""ab""#,
    r#""é""#,
    "true",
    "false",
    "[]",
    r#"["a"]"#,
    r#"["a", "b"]"#,
    "1",
    "null",
];
const PATHS: [&str; 4] = ["input.p", "input.q.r", "input[\"s\"]", "input.list"];
/// What may stand after the comparisons, or before them; two of them can fail.
const OTHERS: [&str; 5] = [
    "input.n > 1",
    "to_number(input.n) == 2",
    "some x in input.list; x == \"a\"",
    "not input.q",
    "input.p == input.q.r",
];

/// Numbers by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one<'c>(&mut self, of: &[&'c str]) -> &'c str {
        of[self.below(of.len())]
    }

    fn policy(&mut self) -> String {
        let mut policy = "package p\n".to_owned();
        if self.below(2) == 0 {
            policy.push_str("default r := false\n");
        }
        for _ in 0..=self.below(40) {
            let mut statements = Vec::new();
            for _ in 0..=self.below(3) {
                let (path, constant) = (self.one(&PATHS), self.one(&CONSTANTS));
                statements.push(match self.below(4) {
                    0 => format!("{constant} == {path}"),
                    _ => format!("{path} == {constant}"),
                });
            }
            if self.below(3) == 0 {
                let place = self.below(statements.len() + 1);
                statements.insert(place, self.one(&OTHERS).to_owned());
            }
            let statements = statements.join("; ");
            writeln!(policy, "r if {{ {statements} }}").unwrap();
        }
        policy
    }

    fn value(&mut self) -> Value {
        match self.below(16) {
            12 => json!(["b", 1]),
            13 => json!({"a": 1}),
            14 => json!(2),
            15 => json!([["a"]]),
            constant => serde_json::from_str(CONSTANTS[constant]).unwrap(),
        }
    }

    fn question(&mut self) -> Value {
        let mut input = json!({ "q": { "r": self.value() }, "n": "2" });
        for name in ["p", "s", "list"] {
            if self.below(6) > 0 {
                input[name] = self.value();
            }
        }
        for (name, value) in [("n", json!(2)), ("q", self.value())] {
            if self.below(5) == 0 {
                input[name] = value;
            }
        }
        input
    }
}

/// Whether the machine takes a policy, and says of `input` what the interpreter says.
fn agrees(policy: &str, input: Value) -> bool {
    let policy = policy.to_owned();
    let said = on_deep_stack(move || {
        let mut pair = Pair::of(&[("p.rego", &*policy)], None, "data.p.r").ok()?;
        Some(pair.ask(&from_json(input)))
    });
    matches!(said.unwrap(), Some(Said::Same(_)))
}

#[test]
fn comparisons_that_contradict_each_other_are_a_tree_all_the_same() {
    let mut policy = "package p\n".to_owned();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "x"] {
        writeln!(policy, "r if {{ input.m == \"x\"; input.m == \"{name}\" }}").unwrap();
    }
    assert!(agrees(&policy, json!({"m": "x"})) && agrees(&policy, json!({"m": "a"})));
}

#[test]
fn a_comparison_with_something_made_is_no_key_and_keeps_a_policy_in_bytecode() {
    let policy = "package p\nf(x) := x\nr if input.a == f(input.b)\nr if [x | some x in input.l] == input.a\n";
    assert!(agrees(policy, json!({"a": 1, "b": 1, "l": []})));
}

#[test]
fn thousands_of_definitions_stay_in_bytecode() {
    for definitions in [2_500, 4_500] {
        let mut policy = "package p\n".to_owned();
        for number in 0..definitions {
            writeln!(policy, "r if {{ input.k == \"k{number}\" }}").unwrap();
        }
        assert!(
            agrees(&policy, json!({"k": "k77", "m": "x"})),
            "{definitions}"
        );
    }
}

#[test]
fn definitions_that_a_tree_finds_answer_as_all_of_them_tried() {
    on_deep_stack(|| {
        let (mut same, mut held) = (0, 0);
        for seed in 0..POLICIES {
            let mut chance = Chance(seed);
            let policy = chance.policy();
            let mut pair = Pair::of(&[("p.rego", &*policy)], None, "data.p.r").unwrap();
            for _ in 0..QUESTIONS {
                let question = chance.question();
                match pair.ask(&from_json(question.clone())) {
                    Said::Same(value) => {
                        same += 1;
                        held += u32::from(value == regorus::Value::from(true));
                    }
                    Said::Doubt(_) => {}
                    Said::Different(how) => panic!("{policy}\n{question}\n{how}"),
                }
            }
        }
        assert!(same > 3000 && held > 500, "{same} alike, {held} held");
    })
    .unwrap();
}
