//! The decisions of `AuthZEN`'s interop scenarios (todo application, API gateway) and its searches (records,
//! identity provider), asked of a real PDP over the wire, one at a time and many at once.
//!
//! The scenarios' rules are written here as a policy, from their pages; the data says what must come of
//! them.

use std::net::SocketAddr;

use edgeward_tests::pdp::Pdp;
use edgeward_tests::raw::{self, Request};
use serde_json::{Value, json};

use crate::data::{Data, list};
use crate::table::Suite;

/// The rules of the scenarios `todo-1.1` and `api-gateway`.
const POLICY: &str = r#"package edgeward.authz

default decision := {"allow": false}

decision := {"allow": true} if {
	some role in who.roles
	allows(role)
}

who := data.users[input.subject.id]

# The first drafts named the subject by its address.
who := user if {
	some user in data.users
	user.email == input.subject.id
}

allows(_) if input.action.name in {"can_read_user", "can_read_todos"}

allows(role) if {
	role in {"admin", "editor"}
	input.action.name == "can_create_todo"
}

allows("evil_genius") if input.action.name == "can_update_todo"

allows("admin") if input.action.name == "can_delete_todo"

allows("editor") if {
	input.action.name in {"can_update_todo", "can_delete_todo"}
	owner == who.email
}

owner := input.resource.properties.ownerID

# The first drafts named it beside the properties, which 1.0 has ignored (section 5.3).
owner := data.owners[input.resource.id] if not input.resource.properties.ownerID

allows(_) if {
	input.action.name == "GET"
	input.resource.id in {"/users/{userId}", "/todos"}
}

allows(role) if {
	role in {"admin", "editor"}
	input.action.name == "POST"
	input.resource.id == "/todos"
}

allows(role) if {
	role in {"evil_genius", "editor"}
	input.action.name == "PUT"
	input.resource.id == "/todos/{todoId}"
}

allows(role) if {
	role in {"admin", "editor"}
	input.action.name == "DELETE"
	input.resource.id == "/todos/{todoId}"
}
"#;

/// The rules of the scenario `search`: owners may do everything, managers see everything and edit what is of
/// their department, others see that.
const SEARCH_POLICY: &str = r#"package edgeward.authz

default decision := {"allow": false}

decision := {"allow": true} if may

may if record.owner == input.subject.id

may if {
	input.action.name == "view"
	user.role == "manager"
}

may if {
	input.action.name == "view"
	user.department == record.department
}

may if {
	input.action.name == "edit"
	user.role == "manager"
	user.department == record.department
}

user := data.users[input.subject.id]

record := data.records[input.resource.id]

subjects := [{"type": "user", "id": id} | some id, _ in data.users]

resources := [{"type": "record", "id": id} | some id, _ in data.records]

actions := ["view", "edit", "delete"]
"#;

/// Entries of a file, by their ids.
fn by_id(data: &Data, file: &str) -> Value {
    let entries = data.json(file);
    let id = |entry: &Value| entry["id"].to_string().trim_matches('"').to_owned();
    let entries = entries.as_array().expect("a list").iter();
    Value::Object(entries.map(|entry| (id(entry), entry.clone())).collect())
}

fn searches(data: &Data) -> Suite {
    let folder = tempfile::tempdir().expect("a folder");
    let content = json!({
        "users": by_id(data, "interop/search-users.json"),
        "records": by_id(data, "interop/search-records.json"),
    });
    std::fs::write(folder.path().join("search.rego"), SEARCH_POLICY)
        .expect("the policy is written");
    std::fs::write(folder.path().join("data.json"), content.to_string()).expect("data");
    let document = |name: &str| format!("data.edgeward.authz.{name}");
    let mut pdp = Pdp::prepare(
        &json!({ "searches": {
            "subjects": document("subjects"),
            "resources": document("resources"),
            "actions": document("actions"),
        } }),
        folder.path(),
    );
    pdp.run();
    let mut suite = Suite::new("authzen searches");
    for (file, kind) in [
        ("search-subject-results", "subject"),
        ("search-resource-results", "resource"),
        ("search-action-results", "action"),
        ("idp-results", "resource"),
    ] {
        let content = data.json(&format!("interop/{file}.json"));
        let cases = content.get("evaluation").or(content.get("search"));
        for (number, case) in cases.map(|c| list(c, "")).into_iter().flatten().enumerate() {
            let path = format!("/access/v1/search/{kind}");
            let seen = ask(pdp.address(), &path, &case["request"]);
            let held = seen["results"] == case["expected"]["results"];
            suite.check(held, format!("{file} {number}"), seen);
        }
    }
    suite
}

fn users() -> Value {
    let user = |email: &str, roles: &[&str]| json!({"email": email, "roles": roles});
    let id = |number: char| {
        format!("CiRmZD{number}2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs")
    };
    json!({
        id('A'): user("rick@the-citadel.com", &["admin", "evil_genius"]),
        id('E'): user("morty@the-citadel.com", &["editor"]),
        id('I'): user("summer@the-smiths.com", &["editor"]),
        id('M'): user("beth@the-smiths.com", &["viewer"]),
        id('Q'): user("jerry@the-smiths.com", &["viewer"]),
    })
}

/// Whose the todos are, as the scenario's last edition says with each question.
fn owners(data: &Data) -> Value {
    let file = "interop/todo-decisions-authorization-api-1_0-02.json";
    let cases = data.json(file);
    let resources = list(&cases, "/evaluation").iter().filter_map(|case| {
        let resource = &case["request"]["resource"];
        let owner = resource.pointer("/properties/ownerID")?;
        Some((resource["id"].as_str()?.to_owned(), owner.clone()))
    });
    Value::Object(resources.collect())
}

/// Asks all that is served.
pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("todo.rego"), POLICY).expect("the policy is written");
    let content = json!({"users": users(), "owners": owners(data)});
    std::fs::write(folder.path().join("data.json"), content.to_string()).expect("data");
    let mut pdp = Pdp::prepare(&json!({}), folder.path());
    pdp.run();
    let (mut one, mut many) = (
        Suite::new("authzen evaluation"),
        Suite::new("authzen evaluations"),
    );
    for file in data.files("interop") {
        let content = data.json(&file);
        if file.contains("search") || file.contains("idp") {
            continue;
        }
        let cases = content.get("evaluation").or(content.get("decisions"));
        for (number, case) in cases.map(|c| list(c, "")).into_iter().flatten().enumerate() {
            let seen = ask(pdp.address(), "/access/v1/evaluation", &case["request"]);
            let held = seen["decision"] == case["expected"];
            let name = format!("{file} {number}");
            one.check(held, name, seen);
        }
        let cases = content.get("evaluations");
        for (number, case) in cases.map(|c| list(c, "")).into_iter().flatten().enumerate() {
            let seen = ask(pdp.address(), "/access/v1/evaluations", &case["request"]);
            let said: Vec<Value> = list(&seen, "/evaluations")
                .iter()
                .map(|answer| json!({"decision": answer["decision"]}))
                .collect();
            many.check(
                json!(said) == case["expected"],
                format!("{file} {number}"),
                seen,
            );
        }
    }
    vec![one, many, searches(data)]
}

fn ask(pdp: SocketAddr, path: &str, question: &Value) -> Value {
    let request = Request::new("POST", path)
        .header("content-type", "application/json")
        .header("connection", "close")
        .body(question.to_string());
    let stream = raw::connect(pdp).expect("a connection");
    let reply = raw::exchange(stream, &request.bytes()).expect("an answer");
    reply.json()
}
