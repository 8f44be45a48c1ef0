//! Atoms over the wire: what policies are told, what premises and feed say of it.

use std::time::Duration;

use edgeward_core::feed::Feed;
use serde_json::{Value, json};

use super::harness::Pdp;
use crate::atoms::AtomSettings;
use crate::config::Config;
use crate::service::clock;

const BY_ATOMS: &str = r#"default decision := false

decision if {
	"corp" in input.context.source.networks
	"now" in input.context.schedules
	input.resource.properties.route == "order"
}"#;

/// A schedule `now` that holds until `until`, a network and a route.
fn settings(until: u64) -> AtomSettings {
    let until = clock::text_of(edgeward_core::time::UnixSeconds(until));
    let text = format!(
        "networks: {{corp: [10.0.0.0/8]}}\n\
         routes: [{{name: order, template: '/orders/{{id}}'}}]\n\
         schedules: {{now: {{windows: [{{from: '2026-01-01T00:00:00Z', until: '{until}'}}]}}}}\n"
    );
    Config::parse(&text, "".as_ref()).unwrap().atoms
}

fn ask(pdp: &Pdp, address: &str, path: &str) -> Value {
    let question = json!({
        "subject": {"type": "workload", "id": "s"},
        "action": {"name": "GET"},
        "resource": {"type": "http", "id": "h", "properties": {"host": "h", "path": path, "route": "order"}},
        "context": {"source": {"address": address, "networks": ["corp"]}, "schedules": ["now"]},
    });
    pdp.ask(&question.to_string()).json()
}

#[test]
fn a_policy_is_told_atoms_and_questions_with_the_same_atoms_share_an_answer() {
    let pdp = Pdp::deciding_by(BY_ATOMS, &settings(clock::now().0 + 1000));
    let first = ask(&pdp, "10.0.0.1", "/orders/1");
    let same = ask(&pdp, "10.200.0.1", "/orders/2");
    assert_eq!(
        (&first["decision"], &same["decision"]),
        (&json!(true), &json!(true)),
        "{first}"
    );
    let id = |answer: &Value| answer["context"]["id"].as_str().unwrap().to_owned();
    assert!(
        id(&same).starts_with("cached-") && id(&same).ends_with(&id(&first)),
        "{same}"
    );
    for (address, path) in [
        ("11.0.0.1", "/orders/1"),
        ("10.0.0.1", "/orders"),
        ("", "/orders/1"),
        ("10.0.0.1", "/orders/%31"),
    ] {
        assert_eq!(
            ask(&pdp, address, path)["decision"],
            false,
            "{address} {path}"
        );
    }
}

#[test]
fn a_decision_ends_with_its_schedule_here_and_in_every_filter() {
    let end = clock::now().0 + 3;
    let pdp = Pdp::deciding_by(BY_ATOMS, &settings(end));
    let mut last_allow = 0;
    loop {
        let answer = ask(&pdp, "10.0.0.1", "/orders/1");
        let premises = &answer["context"]["premises"];
        let [now, until] = ["now", "until"].map(|name| premises[name].as_u64().unwrap());
        if answer["decision"] == true {
            assert!(now < end && until == end, "{answer}");
            last_allow = now;
        } else {
            assert!(now >= end, "{answer}");
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(last_allow > 0, "it was allowed before");
}

#[test]
fn the_feed_names_the_program_that_premises_name_and_the_definitions_that_it_reads() {
    let pdp = Pdp::deciding_by(BY_ATOMS, &settings(clock::now().0 + 1000));
    let answer = ask(&pdp, "10.0.0.1", "/orders/1");
    let feed = pdp.get("/edgeward/v1/sync").body;
    let caching = Feed::parse(feed.as_bytes()).unwrap().caching.unwrap();
    assert_eq!(
        answer["context"]["premises"]["program"],
        caching.program.as_str()
    );
    let networks: Vec<&str> = caching.atoms.networks.of("10.9.9.9").collect();
    assert_eq!((networks, caching.atoms.routes.len()), (vec!["corp"], 1));
    let other = Pdp::deciding_by(
        "decision if input.subject.id == \"s\"",
        &settings(clock::now().0 + 1000),
    );
    let feed = other.get("/edgeward/v1/sync").body;
    let caching = Feed::parse(feed.as_bytes()).unwrap().caching.unwrap();
    assert_eq!(
        caching.atoms,
        edgeward_core::atoms::Atoms::default(),
        "what is not read is not told"
    );
}
