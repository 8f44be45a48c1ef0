//! Promise 1 through ext_authz: without an allow nothing passes, whatever fails.

use std::time::Duration;

use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use serde_json::json;

use super::{Door, filter, patient};

#[test]
fn nothing_passes_ext_authz_while_the_pdp_is_away_and_all_goes_on_once_it_is_back() {
    let mut door = Door::open(patient(Setup::ext_authz()), &json!({}));
    assert_eq!(door.send(&door.allowed("/before")).status, 200);
    door.pdp.crash();
    let reply = door.send(&door.allowed("/while-away"));
    assert_eq!(reply.status, 503, "{}", reply.text());
    door.pdp.run();
    let reply = door.send(&door.allowed("/after"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(door.upstream.seen("/while-away").is_empty());
}

#[test]
fn a_pdp_without_the_door_lets_nothing_pass_ext_authz() {
    let door = Door::open(patient(Setup::ext_authz()), &serde_json::Value::Null);
    let reply = door.send(&door.allowed("/no-door"));
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(door.upstream.seen("/no-door").is_empty());
}

#[test]
fn envoy_s_access_log_names_the_decision_of_ext_authz() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let setup = patient(Setup::ext_authz()).manager(|manager| {
        let metadata = |key: &str| format!("%DYNAMIC_METADATA(envoy.filters.http.ext_authz:{key})%");
        let format = format!("%REQ(:path)% {} {}\n", metadata("decision_id"), metadata("code"));
        manager["access_log"] = json!([{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": file.path(),
                "log_format": { "text_format_source": { "inline_string": format } },
            },
        }]);
    });
    let door = Door::open(setup, &json!({}));
    assert_eq!(door.send(&door.allowed("/logged")).status, 200);
    let id = door.upstream.seen("/logged")[0].header("x-edgeward-decision-id");
    let denied = door.send(&door.allowed("/forbidden"));
    let denied = denied.header("x-edgeward-decision-id").expect("an id");
    let lines = [
        format!("/logged {} -\n", id[0]),
        format!("/forbidden {denied} no-rule-allows\n"),
    ];
    let logged = wait_for(Duration::from_secs(30), || {
        let log = std::fs::read_to_string(file.path()).ok()?;
        lines.iter().all(|line| log.contains(line)).then_some(())
    });
    let log = std::fs::read_to_string(file.path()).unwrap_or_default();
    assert!(logged.is_some(), "{lines:?} not in {log}");
}

/// Nobody should set it; but then still every call that reaches the PDP ends in a decision, and no
/// request can turn itself into an error.
#[test]
fn no_request_turns_into_an_error_that_failure_mode_allow_would_let_pass() {
    let setup = filter(patient(Setup::ext_authz()), |filter| {
        filter["failure_mode_allow"] = json!(true);
    });
    let door = Door::open(setup, &json!({}));
    let plain = |path: &str| Request::get(path).header("X-A", "b");
    for request in [
        plain("/fail-open"),
        plain("/fail-open").bearer("x"),
        plain("/fail-open//"),
        door.allowed("/fail-open").header("X-A", [0xff, 0xfe]),
        door.allowed("/fail-open")
            .header("X-A", "v".repeat(50_000))
            .header("X-B", [0x80]),
        door.allowed("/fail-open").host("a..b"),
    ] {
        let reply = door.send(&request);
        assert!(reply.status >= 400, "{}: {}", reply.status, reply.text());
    }
    assert!(door.upstream.seen("/fail-open").is_empty());
}
