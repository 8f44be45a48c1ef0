//! `edgeward check`: how safely client workloads are bound.

use serde_json::{Value, json};

use crate::program::Place;

const CONFIG: &str = r#"
trust_providers:
  - name: ci
    github: { audiences: [edgeward] }
  - name: cluster
    kubernetes: { issuer: https://cluster.example, audiences: [edgeward] }
client_workloads:
  - name: deploy
    spiffe_id: spiffe://prod.example/deploy
    provider: ci
    selectors: { repository_id: "7", ref: refs/heads/main }
    audiences: [orders]
  - name: build
    spiffe_id: spiffe://prod.example/build
    provider: ci
    selectors: { repository: octo/shop }
    audiences: [orders]
  - name: cart
    spiffe_id: spiffe://prod.example/cart
    provider: cluster
    selectors: { namespace: shop, service_account: "*" }
    audiences: [orders]
token_service:
  trust_domain: prod.example
  keys: { directory: keys, sealing_key_file: sealing.key }
"#;

#[test]
fn each_finding_is_a_line_and_none_is_a_mistake() {
    let place = Place::with(&[("edgeward.yaml", CONFIG), ("sealing.key", SEALING_KEY)]);
    let said = place.run(&["check", "--config", "edgeward.yaml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let beginnings = [
        "edgeward.yaml: client_workloads, `build`: dangerous, any-scope: ",
        "edgeward.yaml: client_workloads, `build`: caution, recyclable-name (`repository`): ",
        "edgeward.yaml: client_workloads, `cart`: caution, whole-owner (`namespace`): ",
    ];
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines.len(), beginnings.len(), "{}", said.err);
    for (line, beginning) in lines.iter().zip(beginnings) {
        assert!(line.starts_with(beginning), "{line}");
    }
    let summary = "3 client workloads (1 safe, 1 caution, 1 dangerous)";
    assert!(said.out.contains(summary), "{}", said.out);
}

#[test]
fn a_program_gets_the_grade_of_each_workload() {
    let place = Place::with(&[("edgeward.yaml", CONFIG), ("sealing.key", SEALING_KEY)]);
    let said = place.run(&["check", "--config", "edgeward.yaml", "--output", "json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    let workloads = &answer["client_workloads"];
    assert_eq!(
        workloads[0],
        json!({"name": "deploy", "grade": "safe", "findings": []})
    );
    let finding = &workloads[1]["findings"][1];
    assert_eq!(workloads[1]["grade"], "dangerous");
    assert_eq!(finding["grade"], "caution");
    assert_eq!(finding["code"], "recyclable-name");
    assert_eq!(finding["attribute"], "repository");
    assert_eq!(workloads[2]["grade"], "caution");
}

const SEALING_KEY: &str = "00000000000000000000000000000000";
