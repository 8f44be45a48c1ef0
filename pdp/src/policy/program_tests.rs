//! What makes another program, and what does not.

use std::time::Duration;

use super::super::set::PolicySet;
use super::super::tests::sources;
use super::*;

const POLICY: &str = "package edgeward.authz\n\ndecision if input.action.name == data.access.method[data.access.way]\n";
const DATA: &str =
    r#"{"access": {"method": {"a": "GET"}, "way": "a"}, "other": 1, "deep": {"er": {}}}"#;

fn set(files: &[(&str, &str)], settings: &PolicySettings) -> PolicySet {
    PolicySet::build(sources(files).unwrap(), settings).unwrap()
}

fn plain(policy: &str, data: &str) -> PolicySet {
    let files = [("policy.rego", policy), ("data.json", data)];
    set(&files, &PolicySettings::default())
}

fn name(set: &PolicySet) -> String {
    set.caching().unwrap().program
}

#[test]
fn data_that_the_entry_point_cannot_read_make_no_other_program() {
    let first = plain(POLICY, DATA);
    for other in [
        DATA.replace("\"other\": 1", "\"other\": 2"),
        DATA.replace("\"other\": 1, ", ""),
        DATA.replace("\"er\": {}", "\"er\": {\"x\": [1, 2]}"),
        DATA.replace('{', "{ "),
    ] {
        let next = plain(POLICY, &other);
        assert_ne!(first.revision(), next.revision());
        assert_eq!(first.numbers(), next.numbers(), "{other}");
        assert_eq!(name(&first), name(&next), "{other}");
    }
}

#[test]
fn data_that_can_be_read_make_another_program_of_the_same_policies_and_going_back_the_first() {
    let first = plain(POLICY, DATA);
    let mut names = vec![name(&first)];
    for other in [
        DATA.replace("GET", "PUT"),
        DATA.replace("\"way\": \"a\"", "\"way\": \"b\""),
        DATA.replace("\"a\": \"GET\"", "\"a\": \"GET\", \"b\": null"),
        DATA.replace("\"a\": \"GET\"", "\"a\": [\"GET\"]"),
        DATA.replace("\"a\": \"GET\"", "\"a\": {\"GET\": {}}"),
        DATA.replace("\"GET\"", "10000000000000000"),
        DATA.replace("\"GET\"", "1e16"),
        DATA.replace("\"GET\"", "\"10000000000000000\""),
        DATA.replace(", \"way\": \"a\"", ""),
    ] {
        let next = plain(POLICY, &other);
        assert_eq!(first.numbers().policies, next.numbers().policies, "{other}");
        assert_ne!(first.numbers().data, next.numbers().data, "{other}");
        assert!(!names.contains(&name(&next)), "{other}");
        names.push(name(&next));
    }
    let again = plain(POLICY, DATA);
    assert_eq!(
        (first.numbers(), names[0].clone()),
        (again.numbers(), name(&again))
    );
}

#[test]
fn another_policy_entry_point_or_limit_is_another_program_and_another_test_is_not() {
    let files = [("policy.rego", POLICY), ("data.json", DATA)];
    let first = plain(POLICY, DATA);
    let slower = PolicySettings {
        evaluation_timeout: Duration::from_secs(7),
        ..PolicySettings::default()
    };
    let other_rule = PolicySettings {
        entry_point: "data.edgeward.authz.other".to_owned(),
        ..PolicySettings::default()
    };
    let two_rules = format!("{POLICY}\nother if input.action.name == \"GET\"\n");
    for (other, data_too) in [
        (plain(&format!("{POLICY}\n"), DATA), false),
        (set(&files, &slower), false),
        (plain(&two_rules, DATA), false),
        (
            set(
                &[("policy.rego", &two_rules), ("data.json", DATA)],
                &other_rule,
            ),
            true,
        ),
    ] {
        assert_ne!(first.numbers().policies, other.numbers().policies);
        assert_eq!(first.numbers().data != other.numbers().data, data_too);
        assert_ne!(name(&first), name(&other));
    }
    let test = "package edgeward.authz_test\n\ntest_a if true\n";
    let tested = set(
        &[
            ("policy.rego", POLICY),
            ("data.json", DATA),
            ("policy_test.rego", test),
        ],
        &PolicySettings::default(),
    );
    assert_ne!(first.revision(), tested.revision());
    assert_eq!(name(&first), name(&tested));
}
