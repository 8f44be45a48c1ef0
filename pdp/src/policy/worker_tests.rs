//! Two engines that differ.

use serde_json::json;

use edgeward_core::time::UnixSeconds;

use super::*;
use crate::policy::bytecode::lower;
use crate::policy::tests::sources;
use crate::policy::{disagreements, doubts};
use crate::policy::{from_json, on_deep_stack};

const ENTRY_POINT: &str = "data.edgeward.authz.decision";

/// A worker whose machine has another policy than its interpreter.
fn differing(interpreter: &str, machine: &str) -> Worker {
    let engine_of = |policy: &str| {
        let policy = format!("package edgeward.authz\ndecision := {policy}");
        let sources = sources(&[("a.rego", &policy)]).unwrap();
        let data = sources.data.clone();
        let mut engine =
            crate::policy::parse::engine(sources.modules.iter(), data, BuiltinErrors::Fail)
                .unwrap();
        engine
            .compile_with_entrypoint(&regorus::Rc::from(ENTRY_POINT))
            .unwrap();
        engine
    };
    let timeout = Duration::from_secs(5);
    let nothing = Value::new_object();
    let lowered = lower(engine_of(machine).get_modules(), ENTRY_POINT, &nothing).unwrap();
    let machine = Machine::new(&lowered, nothing, timeout).unwrap();
    Worker::new(
        engine_of(interpreter),
        ENTRY_POINT.to_owned(),
        timeout,
        false,
        None,
        Some(machine),
    )
}

#[test]
fn where_the_engines_differ_only_what_both_allow_is_allowed_and_the_interpreter_goes_on() {
    on_deep_stack(|| {
        for (interpreter, machine, first, second) in [
            ("true", "false", false, true),
            ("false", "true", false, false),
            ("to_number(\"x\")", "true", false, false),
            ("true", "input.absent", false, true),
            (
                "{\"allow\": true, \"ttl\": 1}",
                "{\"allow\": true, \"ttl\": 2}",
                true,
                true,
            ),
        ] {
            let before = disagreements();
            let mut worker = differing(interpreter, machine);
            let mut allows = || {
                let outcome = worker.evaluate(from_json(json!({})), UnixSeconds(1));
                (
                    outcome.as_ref().is_ok_and(|v| v.allow),
                    outcome.ok().and_then(|v| v.ttl),
                )
            };
            let (one, ttl) = allows();
            assert_eq!(
                (one, allows().0),
                (first, second),
                "{interpreter} {machine}"
            );
            assert_ne!(ttl, Some(2), "the interpreter's answer");
            assert!(disagreements() > before, "{interpreter} {machine}");
        }
    })
    .unwrap();
}

#[test]
fn what_the_machine_is_in_doubt_about_the_interpreter_answers() {
    on_deep_stack(|| {
        let before = doubts();
        let mut worker = differing("true", "to_number(\"x\")");
        assert!(
            worker
                .evaluate(from_json(json!({})), UnixSeconds(1))
                .unwrap()
                .allow
        );
        assert!(doubts() > before);
    })
    .unwrap();
}
