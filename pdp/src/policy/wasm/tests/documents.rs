//! Documents of a set with a compiled policy: what that makes, what rules make, and what data files say, each
//! once.

use super::*;

fn read(others: &[(&str, &str)], at: &'static str) -> Json {
    let entry_points = ["edgeward/authz/decision", "edgeward/authz/twice"];
    let set = set_of_module(&module(), &entry_points, others).unwrap();
    let found = with_worker(set, move |worker| {
        document(worker, at, Some(json!({"a": 1})), BuiltinErrors::Fail)
    });
    let found = found.unwrap();
    found.map_or(json!("undefined"), |value| {
        serde_json::to_value(value).unwrap()
    })
}

#[test]
fn a_document_is_made_by_whoever_speaks_for_it() {
    let others = [
        ("a.rego", "package edgeward.authz\nother := input.a\n"),
        (
            "edgeward/data.json",
            "{\"authz\": {\"base\": 7}, \"more\": 8}",
        ),
    ];
    let denied = json!({"allow": false, "reasons": ["no-role"]});
    for (at, expected) in [
        ("data.edgeward.authz.decision", denied.clone()),
        ("data.edgeward.authz.decision.reasons", json!(["no-role"])),
        ("data.edgeward.authz.decision.reasons.0", json!("no-role")),
        ("data.edgeward.authz.decision.gone", json!("undefined")),
        ("data.edgeward.authz.twice", json!(1)),
        ("data.edgeward.authz.other", json!(1)),
        ("data.edgeward.authz.base", json!(7)),
        // Compiled, and not in the manifest: as if it were not there.
        ("data.edgeward.authz.values", json!("undefined")),
        (
            "data.edgeward.authz",
            json!({"base": 7, "decision": denied, "other": 1, "twice": 1}),
        ),
        (
            "data",
            json!({"edgeward": {"more": 8, "authz": {"base": 7, "decision": denied, "other": 1, "twice": 1}}}),
        ),
        ("data.gone", json!("undefined")),
    ] {
        assert_eq!(read(&others, at), expected, "{at}");
    }
    assert_eq!(read(&[], "data.edgeward.authz.decision"), denied);
    let entry_point = "data.edgeward.authz.decision";
    let set = set_of_module(&module(), &["edgeward/authz/decision"], &[]).unwrap();
    assert!(set.is_entry_point(&Reference::at(entry_point)));
}

#[test]
fn rules_decide_where_only_other_documents_are_compiled() {
    let entry_points = ["edgeward/authz/values"];
    let others = [(
        "a.rego",
        "package edgeward.authz\ndecision := input.a == 1\n",
    )];
    let set = set_of_module(&module(), &entry_points, &others).unwrap();
    assert_eq!(set.engine(), "bytecode");
    let verdict = with_worker(set, |worker| {
        worker.evaluate(from_json(json!({"a": 1})), NOW)
    });
    assert!(verdict.unwrap().allow);
}
