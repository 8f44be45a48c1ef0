//! Networks, routes, schedules and countries on the command line.

use serde_json::{Value, json};

use crate::program::Place;

const CONFIG: &str = "\
policies: { directory: p, entrypoint: data.a.decision }
networks: { corp: [10.0.0.0/8] }
routes: [{ name: order, template: '/orders/{id}' }]
schedules:
  night: { time_zone: Europe/Berlin, windows: [{ from: '22:00', to: '06:00' }] }
";
const POLICY: &str = r#"package a

decision if {
	"corp" in input.context.source.networks
	"night" in input.context.schedules
	input.resource.properties.route == "order"
	input.resource.properties.params.id == "7"
}
"#;
const INPUT: &str = r#"{"action": {"name": "GET"}, "context": {"source": {"address": "10.1.2.3"}},
    "resource": {"type": "http", "properties": {"host": "h", "path": "/orders/7", "route": "none"}}}"#;

fn place() -> Place {
    Place::with(&[
        ("edgeward.yaml", CONFIG),
        ("p/a.rego", POLICY),
        ("in.json", INPUT),
    ])
}

#[test]
fn an_input_is_told_its_atoms_where_a_configuration_defines_them() {
    let place = place();
    let eval = [
        "eval",
        "--config",
        "edgeward.yaml",
        "--input",
        "in.json",
        "--at",
    ];
    for (at, code) in [
        ("2026-01-12T20:59:59Z", 1),
        ("2026-01-12T21:00:00Z", 0),
        ("2026-07-12T20:00:00Z", 0),
    ] {
        let said = place.run(&[&eval[..], &[at]].concat());
        assert_eq!(said.code, code, "{at}: {} {}", said.out, said.err);
    }
    let plain = place.run(&[
        "eval",
        "--policies",
        "p",
        "--entry",
        "data.a.decision",
        "--input",
        "in.json",
    ]);
    assert_eq!(
        plain.code, 1,
        "nothing is told without definitions: {}",
        plain.out
    );
    let without = place.run(&["eval", "--policies", "p", "--input", "in.json", "--at", "0"]);
    assert_eq!(without.code, 2, "{}", without.err);
}

#[test]
fn the_footprint_says_which_parts_are_atoms() {
    let said = place().run(&["policy", "footprint", "--config", "edgeward.yaml"]);
    for line in [
        "  input.context.schedules (atom of the time: an answer ends where one begins or ends)\n",
        "  input.context.source.networks (atom of the address)\n",
        "  input.resource.properties.params.id (atom of method, host and path)\n",
        "  input.resource.properties.route (atom of method, host and path)\n",
        "cacheable: yes\n",
    ] {
        assert!(said.out.contains(line), "{}", said.out);
    }
    let said = place().run(&[
        "policy",
        "footprint",
        "--config",
        "edgeward.yaml",
        "--output",
        "json",
    ]);
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    let parts = [
        "context.schedules",
        "context.source.networks",
        "resource.properties.params.id",
        "resource.properties.route",
    ];
    assert_eq!(
        answer["atoms"],
        json!(parts.map(|part| format!("input.{part}")))
    );
}

#[test]
fn a_check_counts_definitions_and_refuses_a_database_that_is_absent_or_none() {
    let place = place();
    let check = ["check", "--config", "edgeward.yaml"];
    let said = place.run(&check);
    assert!(
        said.out.contains("1 network, 1 route, 1 schedule"),
        "{} {}",
        said.out,
        said.err
    );
    place.write(
        "edgeward.yaml",
        &format!("{CONFIG}country_database: countries.mmdb\n"),
    );
    for (content, problem) in [
        (None, "cannot be read"),
        (Some("none"), "is no sound MaxMind database"),
    ] {
        if let Some(content) = content {
            place.write("countries.mmdb", content);
        }
        for arguments in [&check[..], &["serve", "--config", "edgeward.yaml"]] {
            let said = place.run(arguments);
            assert_eq!(said.code, 2, "{}", said.err);
            let expected = format!("country_database: countries.mmdb: {problem}");
            assert!(said.err.contains(&expected), "{}", said.err);
        }
    }
}
