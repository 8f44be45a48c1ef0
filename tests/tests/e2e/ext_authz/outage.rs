//! Promise 1 through ext_authz: without an allow nothing passes, whatever fails.

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
