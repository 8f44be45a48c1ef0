//! Which heads are refused, and that the engine is right about those that are not.

use regorus::{Engine, Value};

use crate::policy::gate::pass;

fn engine(rules: &str) -> Engine {
    let mut engine = Engine::new();
    let text = format!("package p\nallow := true\n{rules}");
    engine.add_policy("p.rego".to_owned(), text).unwrap();
    engine
}

fn refused(rules: &str) -> Option<String> {
    let refusal = pass(engine(rules).get_modules(), "data.p.allow", &[]).err();
    refusal.map(|refusal| refusal.to_string())
}

#[test]
fn a_head_that_takes_an_element_of_a_loop_apart_is_refused_with_the_way_out() {
    for head in [
        "deny contains r.reason if some r in input.rules",
        "deny contains r[\"reason\"] if { some r in input.rules; r.on }",
        "deny contains data.reasons[r] if some r in input.rules",
        "deny contains input.rules[_].reason if input.rules[_].on",
        "deny contains {\"m\": r.reason} if some r in input.rules",
        "deny contains sprintf(\"%v\", [r.reason]) if some r in input.rules",
        "deny contains reason_of(r) if some r in input.rules\nreason_of(r) := r.reason",
        "deny contains concat(\"\", [r]) if some r in input.rules",
        "deny contains r - 1 if some r in input.rules",
        "deny[r.reason] := 1 if some r in input.rules",
        "deny[1] := r.reason if some r in input.rules",
        "role := r.role if { r := input.rules[_] }",
        "role(x) := r.role if { some i; r := x[i] }",
        "deny contains r.reason if { r = input.rules[_] }",
        "deny contains r.reason if { input.rules[_] = r }",
        "deny contains r.reason if { [r, _] = input.rules[_] }",
        "deny contains r.reason if { walk(input, [_, r]) }",
        "deny contains r - 1 if { r = input.rules[_] }",
        "deny[i] := r.reason if { r = input.rules[i] }",
        "deny contains r.reason if { walk(input, r) }\nr := {}",
    ] {
        let refusal = refused(head);
        if head.ends_with("r := {}") {
            // `r` is a rule here: the same for every element.
            assert_eq!(refusal, None, "{head}");
            continue;
        }
        let refusal = refusal.unwrap_or_else(|| panic!("passed: {head}"));
        let way_out = "bind it in the body, as in `member := ";
        assert!(
            refusal.starts_with("p.rego:3: ") && refusal.contains(way_out),
            "{head}: {refusal}"
        );
    }
}

#[test]
fn what_the_engine_gets_right_passes() {
    for head in [
        "deny contains reason if { some r in input.rules; reason := r.reason }",
        "deny contains r if some r in input.rules",
        "deny contains r if { r = input.rules[_] }",
        "deny contains r.reason if { r = input.rules }",
        "role(x) := x.role if { x = input.roles[_] }",
        "deny contains r.reason if { r = input.rules[_] }\nr := {}",
        "deny contains {\"m\": r} if some r in input.rules",
        "deny contains sprintf(\"%v of %v\", [r, input.x.y]) if some r in input.rules",
        "deny contains input.reason if some r in input.rules",
        "deny contains data.reasons[\"x\"] if some r in input.rules",
        "deny contains input.reason if input.on",
        "deny contains r.reason if { r := input.rule }",
        "deny contains [m | m := r.reason] if some r in input.rules",
        "deny[r] := x if { some r in input.rules; x := r.reason }",
        "deny contains \"closed\" if not input.rules[0].open",
        "role := r.role if { r := input.rules[0] }",
    ] {
        assert_eq!(refused(head), None, "{head}");
    }
}

/// The reason for all of this, and that what is offered instead is right.
#[test]
fn bound_in_the_body_no_member_is_lost() {
    let members = |rule: &str, order: &str| -> Option<Value> {
        let mut engine = engine(&format!("deny contains {rule}"));
        engine.set_input_json(order).unwrap();
        engine.eval_rule("data.p.deny".to_owned()).ok()
    };
    let all = Value::from_json_str(r#"["a"]"#).unwrap();
    let is_whole = |value: Option<Value>| {
        let value = value.and_then(|value| Value::from_json_str(&value.to_string()).ok());
        value == Some(all.clone())
    };
    let orders = [
        r#"{"rules": [{"reason": "a"}, {}]}"#,
        r#"{"rules": [{}, {"reason": "a"}]}"#,
    ];
    for order in orders {
        let bound = "reason if { some r in input.rules; reason := r.reason }";
        assert!(is_whole(members(bound, order)), "{order}");
        // Where this holds, the engine has been mended and the refusal can go.
        let taken_apart = "r.reason if some r in input.rules";
        assert!(!is_whole(members(taken_apart, order)), "{order}");
    }
}
