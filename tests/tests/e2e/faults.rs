//! Promise 1: no request passes without an allow, whatever the PDP answers.

use std::time::Duration;

use edgeward_tests::envoy::Launch;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::Stage;
use edgeward_tests::tap::Fault;

use crate::{assert_refused, stage, with_routes};

/// Bodies with status 200 that are no allow.
const NO_ALLOW: [&str; 24] = [
    "",
    "not json",
    "<html>ok</html>",
    "[]",
    "null",
    "true",
    "\"true\"",
    "{}",
    r#"{"decision":null}"#,
    r#"{"decision":"true"}"#,
    r#"{"decision":1}"#,
    r#"{"decision":[true]}"#,
    r#"{"decision":{"allow":true}}"#,
    r#"{"Decision":true}"#,
    r#"{"allow":true}"#,
    r#"{"decision":true"#,
    r#"{"decision":true}{"decision":true}"#,
    r#"{"decision":false,"decision":true}"#,
    r#"{"decision":true,"context":[]}"#,
    r#"{"decision":true,"context":{"id":7}}"#,
    r#"{"decision":true,"context":{"id":"a b"}}"#,
    r#"{"decision":true,"context":{"obligations":[]}}"#,
    r#"{"decision":true,"context":{"obligations":{"unknown":{}}}}"#,
    r#"{"decision":true,"context":{"obligations":{"request_headers":{"host":"x"}}}}"#,
];

#[test]
fn a_pdp_that_answers_anything_but_a_well_formed_allow_lets_nothing_pass() {
    let stage = stage();
    for (index, body) in NO_ALLOW.into_iter().enumerate() {
        let path = format!("/no-allow-{index}-");
        stage.tap.break_for(&path, Fault::Answer(200, body.into()));
        let reply = stage.send(&stage.allowed(&path));
        assert_refused(stage, &reply, 503, "pdp-answer-invalid", &path);
    }
}

#[test]
fn a_pdp_that_answers_with_any_other_status_lets_nothing_pass_even_when_the_body_allows() {
    // A stage of its own: a 204 with a body is no HTTP, and Envoy gives up the connection, with all that is
    // asked on it.
    let stage = &Stage::with(with_routes(Setup::local()), &Launch::default());
    let allow = r#"{"decision":true,"context":{"id":"d"}}"#;
    let statuses = [
        201, 202, 203, 204, 206, 207, 226, 300, 301, 302, 304, 307, 400, 401, 403, 404, 408, 413,
        415, 418, 429, 500, 501, 502, 503, 504, 505, 599, 999,
    ];
    for status in statuses {
        let path = format!("/status-{status}");
        stage
            .tap
            .break_for(&path, Fault::Answer(status, allow.into()));
        let reply = stage.send(&stage.allowed(&path));
        let code = reply.code();
        assert!(
            code.is_empty() || code.starts_with("pdp-"),
            "{status}: {code}"
        );
        assert_refused(stage, &reply, 503, &code, &path);
    }
}

#[test]
fn a_pdp_whose_answer_is_not_declared_as_json_lets_nothing_pass_even_when_the_body_allows() {
    let stage = stage();
    let allow = r#"{"decision":true,"context":{"id":"d"}}"#;
    let typed = |name: &str, kind| {
        let path = format!("/typed-{name}");
        stage.tap.break_for(&path, Fault::Typed(kind, allow.into()));
        (stage.send(&stage.allowed(&path)), path)
    };
    for (name, kind) in [
        ("html", "text/html"),
        ("problem", "application/problem+json"),
        ("longer", "application/jsonx"),
        ("two", "application/json,text/html"),
        ("empty", ""),
    ] {
        let (reply, path) = typed(name, kind);
        assert_refused(stage, &reply, 503, "pdp-answer-invalid", &path);
    }
    let (reply, path) = typed("parameters", "Application/JSON; charset=utf-8");
    assert_eq!(reply.status, 200);
    assert_eq!(stage.upstream.seen(&path).len(), 1);
}

#[test]
fn a_pdp_that_breaks_off_half_way_lets_nothing_pass() {
    let stage = stage();
    stage.tap.break_for("/truncated", Fault::Truncated);
    let reply = stage.send(&stage.allowed("/truncated"));
    assert_refused(stage, &reply, 503, &reply.code(), "/truncated");
}

#[test]
fn a_pdp_whose_obligation_would_split_the_response_lets_nothing_pass() {
    let stage = stage();
    let values = [r"a\r\nset-cookie: b=c", r"a\nb", r"a\u0000b", r"a\u007fb"];
    for (index, value) in values.into_iter().enumerate() {
        for side in ["request_headers", "response_headers"] {
            let path = format!("/split-{side}-{index}");
            let body = format!(
                r#"{{"decision":true,"context":{{"obligations":{{"{side}":{{"x-obliged":"{value}"}}}}}}}}"#
            );
            stage.tap.break_for(&path, Fault::Answer(200, body.into()));
            let reply = stage.send(&stage.allowed(&path));
            assert_refused(stage, &reply, 503, "pdp-answer-invalid", &path);
            assert_eq!(reply.header("set-cookie"), None);
        }
    }
}

#[test]
fn a_reason_of_the_pdp_cannot_split_the_response() {
    let stage = stage();
    let body =
        r#"{"decision":false,"context":{"id":"d1","reasons":["x\r\nset-cookie: a=b","ok"]}}"#;
    stage
        .tap
        .break_for("/split-reason", Fault::Answer(200, body.into()));
    for request in [
        stage.allowed("/split-reason"),
        stage
            .allowed("/split-reason")
            .header("Content-Type", "application/grpc"),
    ] {
        let reply = stage.send(&request);
        assert_eq!(reply.header("set-cookie"), None, "{:?}", reply.headers);
        assert!(reply.headers.iter().all(|(name, _)| name != "set-cookie"));
    }
    assert!(stage.upstream.seen("/split-reason").is_empty());
}

#[test]
fn an_answer_of_many_megabytes_neither_hangs_nor_ends_the_filter() {
    let stage = stage();
    stage.tap.break_for("/huge", Fault::Padded(8 << 20));
    let reply = stage.send(&stage.allowed("/huge"));
    // It is a well-formed allow, so it may pass; nothing else may happen.
    assert!(
        reply.status == 200 || reply.code() == "pdp-answer-invalid",
        "{}",
        reply.text()
    );
    let noise = "x".repeat(8 << 20);
    stage
        .tap
        .break_for("/noise", Fault::Answer(200, noise.into()));
    let reply = stage.send(&stage.allowed("/noise"));
    assert_refused(stage, &reply, 503, "pdp-answer-invalid", "/noise");
    assert_eq!(stage.send(&stage.allowed("/after-noise")).status, 200);
    assert_eq!(stage.envoy.stat("vm_reload"), 0, "the filter was trapped");
}

#[test]
fn a_client_cannot_have_the_answer_of_another() {
    let stage = stage();
    stage
        .tap
        .break_for("/slow-forbidden", Fault::Late(Duration::from_millis(200)));
    let slow: Vec<_> = (0..8)
        .map(|index| {
            std::thread::spawn(move || {
                let stage = crate::stage();
                let path = if index % 2 == 0 {
                    "/forbidden/slow-forbidden"
                } else {
                    "/ok/slow-forbidden"
                };
                let reply = stage.send(&stage.allowed(path));
                (path, reply.status, reply.text())
            })
        })
        .collect();
    for thread in slow {
        let (path, status, text) = thread.join().expect("an answer");
        let expected = if path.starts_with("/ok") { 200 } else { 403 };
        assert_eq!(status, expected, "{path}: {text}");
    }
    let reply = stage.send(&Request::get("/forbidden/slow-forbidden"));
    assert_eq!(reply.status, 401);
}
