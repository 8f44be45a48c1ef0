//! Every built-in is known wherever built-ins are listed.

use std::collections::BTreeSet;

use edgeward_core::time::UnixSeconds;
use serde_json::json;

use super::super::{arity, jwt, names};
use crate::policy::{PolicySet, PolicySettings, Sources, capability, from_json, on_deep_stack};

/// What bytecode calls too.
const IN_BYTECODE: [&str; 7] = [
    "net.cidr_contains",
    "regex.find_n",
    "regex.is_valid",
    "regex.match",
    "regex.replace",
    "regex.split",
    "strings.count",
];

#[test]
fn each_has_one_name_and_may_be_called() {
    let all: Vec<&str> = names().collect();
    let unique: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(unique.len(), all.len());
    for name in all {
        assert!(
            arity(name).is_some() && capability::is_callable(name),
            "{name}"
        );
        assert!(capability::callable().contains(&name), "{name}");
    }
    assert!(arity("io.jwt.nothing").is_none() && arity(jwt::DECODE_VERIFY) == Some(2));
}

fn built(rule: &str) -> PolicySet {
    let policy = format!("package edgeward.authz\n\n{rule}\n");
    let files = vec![("a.rego".to_owned(), policy.into_bytes())];
    let sources = Sources::from_files(files).unwrap();
    PolicySet::build(sources, &PolicySettings::default()).unwrap()
}

#[test]
fn answers_rest_on_arguments_alone_but_for_those_of_time_and_chance() {
    for name in names() {
        let arguments: Vec<String> = (0..arity(name).unwrap())
            .map(|n| format!("input.a{n}"))
            .collect();
        let set = built(&format!(
            "decision if {name}({}) == 1",
            arguments.join(", ")
        ));
        let footprint = set.footprint();
        let chance = name.starts_with("io.jwt.encode_sign");
        assert_eq!(footprint.uncacheable.is_some(), chance, "{name}");
        assert_eq!(
            footprint.clock.is_some(),
            name == jwt::DECODE_VERIFY,
            "{name}"
        );
        let lowered = set.interpreted().is_none();
        let has = IN_BYTECODE.contains(&name);
        assert_eq!(lowered, has, "{name}");
    }
}

#[test]
fn a_token_is_of_the_time_that_the_policy_is_told() {
    let set = built(
        "decision := {\"allow\": v[0]} if {\n\tio.jwt.encode_sign({\"alg\": \"HS256\"}, {\"exp\": 1000}, {\"kty\": \"oct\", \"k\": \"NDI\"}, t)\n\tv := io.jwt.decode_verify(t, {\"secret\": \"42\"})\n}",
    );
    let allowed = on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        [999, 1000].map(|now| {
            worker
                .evaluate(from_json(json!({})), UnixSeconds(now))
                .unwrap()
                .allow
        })
    });
    assert_eq!(allowed.unwrap(), [true, false]);
}
