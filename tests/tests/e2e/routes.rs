//! Promise 1 on every kind of route, and the form of a refusal for gRPC.

use edgeward_tests::keys::FRONTEND;
use edgeward_tests::raw::Request;

use crate::{assert_refused, stage};

#[test]
fn an_anonymous_route_still_asks_and_a_bad_token_there_is_not_no_token() {
    let stage = stage();
    let reply = stage.send(&Request::get("/public/nobody"));
    // The tests' policy grants nothing to `anonymous`: asked, and denied.
    assert_refused(stage, &reply, 403, "no-rule-allows", "/public/nobody");
    assert_eq!(
        stage.tap.asked("/public/nobody")[0]["subject"]["id"],
        "anonymous"
    );
    let reply = stage.send(&Request::get("/public/bad").bearer("not.a.token"));
    assert_refused(stage, &reply, 401, &reply.code(), "/public/bad");
    assert!(stage.tap.asked("/public/bad").is_empty());
}

#[test]
fn an_identity_route_verifies_and_does_not_ask() {
    let stage = stage();
    assert_eq!(stage.send(&stage.allowed("/identity/known")).status, 200);
    assert!(stage.tap.asked("/identity/known").is_empty());
    let reply = stage.send(&Request::get("/identity/unknown"));
    assert_refused(stage, &reply, 401, "identity-missing", "/identity/unknown");
}

#[test]
fn a_route_setting_ends_at_a_segment_boundary_and_at_its_host() {
    let stage = stage();
    for path in ["/identityx", "/publicx", "/healthz/x", "/healthzx"] {
        let reply = stage.send(&Request::get(path));
        assert_refused(stage, &reply, 401, "identity-missing", path);
    }
    let reply = stage.send(&Request::get("/boundary?x=/healthz").host("notoff.test"));
    assert_refused(stage, &reply, 401, "identity-missing", "/boundary");
    let off = stage.send(&Request::get("/off-host").host("OFF.test."));
    assert_eq!(off.status, 200, "{}", off.text());
}

#[test]
fn a_route_that_is_switched_off_still_refuses_what_is_not_canonical() {
    let stage = stage();
    for path in [
        "/healthz/../admin-off",
        "/healthz%2f..%2fadmin-off",
        "//healthz/admin-off",
    ] {
        assert_eq!(stage.send(&Request::get(path)).status, 400, "{path}");
    }
    assert!(stage.upstream.seen("admin-off").is_empty());
}

#[test]
fn a_grpc_call_is_refused_with_a_grpc_status() {
    let stage = stage();
    let call = |path: &str| {
        Request::new("POST", path)
            .header("Content-Type", "application/grpc")
            .body("")
    };
    let refused = stage.send(&call("/shop.Orders/Get"));
    let denied = stage.send(&call("/forbidden/Get").bearer(&stage.keys.jwt_svid(FRONTEND)));
    for (reply, status) in [(refused, "16"), (denied, "7")] {
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("grpc-status").as_deref(), Some(status));
        assert!(reply.body.is_empty(), "{}", reply.text());
    }
    assert!(stage.upstream.seen("/shop.Orders/Get").is_empty());
    assert!(stage.upstream.seen("/forbidden/Get").is_empty());
}
