//! `AuthZEN`'s searches: nobody is found whom a decision would deny, and nobody else is missing.

use serde_json::{Value, json};

use super::harness::{Answer, Pdp, exchange, settings};
use crate::policy::Reference;
use crate::service::{Searches, ServiceSettings};

/// Users may do to a record what its owner may, or read it where it is of their department.
const POLICY: &str = r#"
default decision := {"allow": false}
decision := {"allow": true} if records[input.resource.id].owner == input.subject.id
decision := {"allow": true} if {
    input.action.name == "read"
    input.subject.properties.department == records[input.resource.id].department
}
decision := {"allow": true} if input.context.emergency
records := {
    "1": {"owner": "alice", "department": "a"}, "2": {"owner": "bob", "department": "b"},
    "3": {"owner": "alice", "department": "b"},
}
users contains {"type": "user", "id": id, "properties": {"department": department}} if {
    some id, department in {"alice": "a", "bob": "b", "carol": "b", "dan": "d"}
}
robots := [{"type": "robot", "id": "r2"}]
subjects := array.concat(robots, [user | some user in users])
resources := [{"type": "record", "id": id} | some id, _ in records] if not input.context.closed
actions := ["read", {"name": "write"}]
"#;

fn pdp() -> Pdp {
    let document = |name: &str| {
        let names = ["edgeward", "authz", name];
        Some(Reference::of(names.map(str::to_owned)))
    };
    let searches = Searches {
        subjects: document("subjects"),
        resources: document("resources"),
        actions: document("actions"),
    };
    Pdp::deciding_with(
        POLICY,
        ServiceSettings {
            searches,
            ..settings()
        },
    )
}

fn search(pdp: &Pdp, kind: &str, body: &Value) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-request-id", "s-1"),
    ];
    let path = format!("/access/v1/search/{kind}");
    exchange(
        pdp.connect(),
        "POST",
        &path,
        &headers,
        body.to_string().as_bytes(),
    )
}

/// Who is found, by their ids or names.
#[track_caller]
fn found(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("x-request-id"), Some("s-1"));
    let told = answer.json();
    let results = told["results"].as_array().unwrap().iter();
    let name = |one: &Value| {
        one.get("id")
            .unwrap_or(&one["name"])
            .as_str()
            .unwrap()
            .to_owned()
    };
    results.map(name).collect()
}

fn who(action: &str, record: &str) -> Value {
    json!({ "subject": {"type": "user", "id": "ignored"}, "action": {"name": action},
        "resource": {"type": "record", "id": record} })
}

#[test]
fn a_search_finds_whom_a_decision_allows_and_nobody_else() {
    let pdp = pdp();
    assert_eq!(
        found(&search(&pdp, "subject", &who("read", "2"))),
        ["bob", "carol"]
    );
    assert_eq!(
        found(&search(&pdp, "subject", &who("write", "3"))),
        ["alice"]
    );
    let answer = search(&pdp, "subject", &who("write", "3"));
    assert_eq!(
        answer.json()["results"],
        json!([{"type": "user", "id": "alice"}])
    );
    assert_eq!(answer.json().get("page"), None);
    let emergency = |kind: &str| {
        let mut question = who("read", "1");
        question["subject"] = json!({ "type": kind });
        question["context"] = json!({"emergency": true});
        found(&search(&pdp, "subject", &question))
    };
    assert_eq!(emergency("robot"), ["r2"]);
    assert_eq!(emergency("user"), ["alice", "bob", "carol", "dan"]);
    assert!(emergency("stranger").is_empty());

    let mut what = json!({ "subject": {"type": "user", "id": "alice"}, "action": {"name": "write"},
        "resource": {"type": "record"} });
    assert_eq!(found(&search(&pdp, "resource", &what)), ["1", "3"]);
    what["subject"]["properties"] = json!({"department": "b"});
    what["action"]["name"] = json!("read");
    assert_eq!(found(&search(&pdp, "resource", &what)), ["1", "2", "3"]);
    what["context"] = json!({"closed": true});
    assert!(found(&search(&pdp, "resource", &what)).is_empty());

    let may = |who: &str, record: &str| {
        let subject = json!({"type": "user", "id": who, "properties": {"department": "b"}});
        let question = json!({ "subject": subject, "resource": {"type": "record", "id": record} });
        found(&search(&pdp, "action", &question))
    };
    assert_eq!(may("bob", "2"), ["read", "write"]);
    assert_eq!(may("bob", "3"), ["read"]);
    assert!(may("bob", "1").is_empty());
}

#[test]
fn pages_together_are_the_whole_and_a_token_is_good_for_its_own_search_only() {
    let pdp = pdp();
    let question = |page: Value| {
        let mut question = who("read", "1");
        question["context"] = json!({"emergency": true});
        question["page"] = page;
        question
    };
    let (mut all, mut token, mut tokens) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = json!({"limit": 2, "token": token});
        let answer = search(&pdp, "subject", &question(page));
        all.extend(found(&answer));
        let page = &answer.json()["page"];
        assert_eq!(
            page["count"],
            answer.json()["results"].as_array().unwrap().len()
        );
        page["next_token"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
        tokens.push(token.clone());
    }
    assert_eq!(all, ["alice", "bob", "carol", "dan"]);
    let refused = |kind: &str, question: &Value| {
        let answer = search(&pdp, kind, question);
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains("page.token"), "{}", answer.body);
    };
    let token = &tokens[0];
    refused("subject", &question(json!({"limit": 3, "token": token})));
    refused(
        "subject",
        &question(json!({"limit": 2, "token": format!("{token}A")})),
    );
    refused("subject", &question(json!({"limit": 2, "token": "?"})));
    let mut other = question(json!({"limit": 2, "token": token}));
    other["resource"]["id"] = json!("2");
    refused("subject", &other);
    other["resource"]["id"] = json!("1");
    refused("resource", &other);
}

#[test]
fn a_candidate_of_which_the_policy_fails_is_an_error_and_not_left_out() {
    let document = Reference::of(["edgeward", "authz", "levels"].map(str::to_owned));
    let searches = Searches {
        subjects: Some(document),
        ..Searches::default()
    };
    let policy = r#"
decision if to_number(input.subject.properties.level) > 5
levels := [{"type": "user", "id": id, "properties": {"level": level}} |
    some id, level in object.union({"a": "9", "b": "1"}, object.get(input.context, "more", {}))]
"#;
    let pdp = Pdp::deciding_with(
        policy,
        ServiceSettings {
            searches,
            ..settings()
        },
    );
    let mut question = who("read", "1");
    question["context"] = json!({"more": {}});
    assert_eq!(found(&search(&pdp, "subject", &question)), ["a"]);
    question["context"] = json!({"more": {"c": "nine"}});
    let answer = search(&pdp, "subject", &question);
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.body.contains("policy-error"), "{}", answer.body);
}

#[test]
fn what_is_no_search_is_refused_by_name_and_what_is_not_configured_is_not_there() {
    let pdp = pdp();
    for (kind, body, named) in [
        ("subject", json!({}), "subject"),
        (
            "subject",
            json!({"subject": {"type": "user"}, "action": {"name": "a"}}),
            "resource",
        ),
        (
            "subject",
            json!({"subject": {}, "action": {"name": "a"}, "resource": {"type": "r", "id": "1"}}),
            "subject.type",
        ),
        (
            "resource",
            json!({"subject": {"type": "user"}, "action": {"name": "a"}, "resource": {"type": "r"}}),
            "subject.id",
        ),
        (
            "action",
            json!({"subject": {"type": "user", "id": "a"}}),
            "resource",
        ),
        (
            "action",
            json!({"subject": {"type": "u", "id": "a"}, "resource": {"type": "r", "id": "1"}, "page": []}),
            "page",
        ),
        (
            "action",
            json!({"subject": {"type": "u", "id": "a"}, "resource": {"type": "r", "id": "1"}, "page": {"limit": 0}}),
            "page.limit",
        ),
        (
            "action",
            json!({"subject": {"type": "u", "id": "a"}, "resource": {"type": "r", "id": "1"}, "context": 1}),
            "context",
        ),
    ] {
        let answer = search(&pdp, kind, &body);
        assert_eq!(answer.status, 400, "{kind} {body}");
        assert!(
            answer.body.contains(&format!("`{named}`")),
            "{}",
            answer.body
        );
    }
    let none = Pdp::deciding(POLICY);
    assert_eq!(search(&none, "subject", &who("read", "1")).status, 404);
}

#[test]
fn candidates_that_are_none_are_an_error_and_not_an_empty_search() {
    let document = Reference::of(["edgeward", "authz", "bad"].map(str::to_owned));
    for (rule, code) in [
        ("bad := [1]", "policy-result-invalid"),
        ("bad := {\"a\": 1}", "policy-result-invalid"),
        ("bad := to_number(\"x\")", "policy-error"),
        ("bad := 1\nbad := 2", "policy-error"),
    ] {
        let searches = Searches {
            subjects: Some(document.clone()),
            ..Searches::default()
        };
        let policy = format!("decision := true\n{rule}\n");
        let pdp = Pdp::deciding_with(
            &policy,
            ServiceSettings {
                searches,
                ..settings()
            },
        );
        let answer = search(&pdp, "subject", &who("read", "1"));
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains(code), "{rule}: {}", answer.body);
    }
}
