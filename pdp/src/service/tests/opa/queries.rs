//! Queries that callers write, and explanations.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::harness::{Pdp, exchange, settings};
use super::{answer, call, encoded, open, serving};

fn get(pdp: &Pdp, query: &str) -> (u16, Value) {
    answer(pdp, &format!("/v1/query?q={}", encoded(query)), None)
}

#[test]
fn a_query_is_answered_from_the_parameter_and_from_the_body() {
    let pdp = serving();
    assert_eq!(get(&pdp, "x := 1"), (200, json!({"result": [{"x": 1}]})));
    assert_eq!(get(&pdp, "data.a.b.undef"), (200, json!({})));
    assert_eq!(get(&pdp, "input"), (200, json!({})));
    let body = json!({"query": "x := data.a.b.allow; input.user = y", "input": {"user": "x"}});
    assert_eq!(
        answer(&pdp, "/v1/query", Some(&body.to_string())),
        (200, json!({"result": [{"x": true, "y": "x"}]}))
    );
    let pretty = call(&pdp, "GET", "/v1/query?q=x:=1&pretty&metrics", "");
    assert!(
        pretty.body.starts_with("{\n  \"metrics\": {\n"),
        "{}",
        pretty.body
    );
    for timer in ["rego_query_compile", "rego_query_eval", "server_handler"] {
        let nanoseconds = &pretty.json()["metrics"][format!("timer_{timer}_ns")];
        assert!(nanoseconds.as_u64().unwrap() > 0, "{timer}");
    }
    let counted = pdp.get("/metrics").body;
    assert!(
        counted.contains("edgeward_queries_total{outcome=\"answered\"} 5"),
        "{counted}"
    );
    assert!(
        counted.contains("edgeward_documents_remembered_total 0"),
        "{counted}"
    );
}

#[test]
fn what_is_no_query_is_a_400_with_code_and_place() {
    let pdp = serving();
    let asked = json!({"query": "x := 1\ny = ["}).to_string();
    let (status, said) = answer(&pdp, "/v1/query", Some(&asked));
    assert_eq!((status, &said["code"]), (400, &json!("invalid_parameter")));
    assert_eq!(said["message"], "error(s) occurred while parsing query");
    assert_eq!(said["errors"][0]["code"], "rego_parse_error");
    assert_eq!(said["errors"][0]["location"]["row"], 2);
    let asked = json!({"query": "true\nhttp.send({\"url\": \"http://127.0.0.1\"})"}).to_string();
    let (status, said) = answer(&pdp, "/v1/query", Some(&asked));
    assert_eq!((status, &said["code"]), (400, &json!("invalid_parameter")));
    assert_eq!(said["message"], "error(s) occurred while compiling query");
    assert_eq!(said["errors"][0]["code"], "rego_type_error");
    assert_eq!(said["errors"][0]["location"], json!({"file": "", "row": 2}));
    for body in [
        "",
        "{",
        "[]",
        "1",
        "null",
        "{\"query\": 1}",
        "{\"query\": \"\"}",
        "{}",
    ] {
        let (status, said) = answer(&pdp, "/v1/query", Some(body));
        assert_eq!(
            (status, &said["code"]),
            (400, &json!("invalid_parameter")),
            "{body}"
        );
    }
    assert_eq!(answer(&pdp, "/v1/query", None).0, 400);
    let long = format!("x := \"{}\"", "a".repeat(17 * 1024));
    assert_eq!(
        answer(&pdp, "/v1/query", Some(&json!({"query": long}).to_string())).0,
        400
    );
}

#[test]
fn a_query_that_runs_away_is_stopped_and_keeps_nobody_waiting() {
    let pdp = serving();
    let range = "numbers.range(1, 100000)";
    let endless =
        format!("some i in {range}; some j in {range}; some k in {range}; i + j + k == 0");
    let (status, said) = get(&pdp, &endless);
    assert_eq!(
        (status, &said["errors"][0]["code"]),
        (500, &json!("eval_cancel_error"))
    );
    for breaking in [
        "x := numbers.range(1, 100000000)",
        "strings.count(\"a\", \"\")",
    ] {
        let (status, _) = get(&pdp, breaking);
        assert!(status == 500 || status == 200, "{breaking}: {status}");
    }
    assert_eq!(get(&pdp, "x := 1").0, 200);
}

#[test]
fn no_query_ends_the_process_or_takes_what_memory_there_is() {
    let pdp = serving();
    let doubled: Vec<String> = (1..60)
        .map(|n| format!("x{n} := [x{0}, x{0}]", n - 1))
        .collect();
    let doubled = format!("x0 := [1]; {}", doubled.join("; "));
    for refused in [
        format!("{doubled}; x59 == 1"),
        format!("{doubled}; json.marshal(x59)"),
        "x := 1e2000000000".to_owned(),
    ] {
        let (status, said) = get(&pdp, &refused);
        assert_eq!(status, 400, "{said}");
    }
    let thousands = "x := numbers.range(1, 100000); s := sprintf(\"%1000d\", [1]); \
                     y := [s | some i in x]; z := [y | some i in x]";
    for failing in [
        "x := sprintf(\"%900000000d\", [1])".to_owned(),
        format!("{thousands}; w := json.marshal(z)"),
        format!("{thousands}; w := sprintf(\"%v\", [z])"),
        "s := sprintf(\"%1000d\", [1]); y := [s | some i in numbers.range(1, 100000)]".to_owned(),
    ] {
        let (status, said) = get(&pdp, &failing);
        assert_eq!(status, 500, "{failing}: {said}");
    }
    assert_eq!(get(&pdp, "x := 1").0, 200);
}

#[test]
fn a_query_that_cannot_be_ended_holds_no_other_call_and_queries_are_refused_until_it_is_over() {
    let pdp = serving();
    // No timer reaches inside of a comparison.
    let list = |n: char| {
        format!(
            "{n}1 := numbers.range(1, 100000); {n}2 := [{n}1 | some i in numbers.range(1, 300)]; \
             {n} := [{n}2 | some i in numbers.range(1, 50)]"
        )
    };
    let held = format!("{}; {}; a == b", list('a'), list('b'));
    let started = Instant::now();
    let (status, said) = get(&pdp, &held);
    assert_eq!(
        (status, &said["code"]),
        (503, &json!("queries_held")),
        "{said}"
    );
    let started_again = Instant::now();
    let (status, said) = get(&pdp, "x := 1");
    assert_eq!(
        (status, &said["code"]),
        (503, &json!("queries_held")),
        "{said}"
    );
    assert!(started_again.elapsed() < Duration::from_secs(1));
    let (status, _) = answer(
        &pdp,
        "/v1/data/a/b/allow",
        Some(r#"{"input": {"user": "x"}}"#),
    );
    assert_eq!(status, 200);
    let counted = pdp.get("/metrics").body;
    assert!(
        counted.contains("edgeward_queries_total{outcome=\"held\"} 2"),
        "{counted}"
    );
    while get(&pdp, "x := 1").0 != 200 {
        assert!(started.elapsed() < Duration::from_mins(4));
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn queries_are_off_unless_they_are_allowed() {
    let mut settings = settings();
    settings.opa_api = Some(open());
    let pdp = Pdp::with_files(super::FILES, settings);
    for (method, body) in [("GET", ""), ("POST", r#"{"query": "x := 1"}"#)] {
        let reply = call(&pdp, method, "/v1/query?q=x:=1", body);
        assert_eq!(reply.status, 403, "{}", reply.body);
        assert_eq!(reply.json()["code"], "invalid_operation");
        assert!(reply.body.contains("opa_api.queries"), "{}", reply.body);
    }
}

#[test]
fn a_query_sees_the_policies_that_are_in_force_now() {
    let pdp = serving();
    assert_eq!(
        get(&pdp, "x := data.shop.limits.max").1,
        json!({"result": [{"x": 3}]})
    );
    let file = pdp.folder.path().join("shop/limits/data.json");
    std::fs::write(file, r#"{"max": 4}"#).unwrap();
    pdp.store.reload();
    let seen = get(&pdp, "x := data.shop.limits.max").1;
    assert_eq!(seen, json!({"result": [{"x": 4}]}));
}

#[test]
fn notes_are_told_where_they_are_asked_for_and_nothing_is_told_of_what_is_not_kept() {
    let pdp = serving();
    let note = |message: &str| {
        json!({"op": "note", "query_id": 0, "parent_id": 0, "type": "", "node": null, "locals": [],
            "message": message})
    };
    let path = "/v1/data/a/noted/allow?explain=notes";
    let body = Some(r#"{"input": {"user": "x"}}"#);
    let (status, said) = answer(&pdp, path, body);
    assert_eq!(status, 200, "{said}");
    assert_eq!(
        said["explanation"],
        json!([note("asked"), note("by \"x\"")])
    );
    assert_eq!(said["result"], true);
    let (_, pretty) = answer(&pdp, &format!("{path}&pretty"), body);
    assert_eq!(
        pretty["explanation"],
        json!(["Note \"asked\"", "Note \"by \\\"x\\\"\""])
    );
    let (_, without) = answer(&pdp, "/v1/data/list?explain=notes", None);
    assert_eq!(without["explanation"], json!([]));
    let (_, queried) = answer(
        &pdp,
        &format!(
            "/v1/query?explain=notes&q={}",
            encoded("x := trace(\"here\")")
        ),
        None,
    );
    let expected = json!({"explanation": [note("here")], "result": [{"x": true}]});
    assert_eq!(queried, expected);
    // Of the entry point's document too, which may be remembered otherwise.
    for _ in 0..3 {
        let path = "/v1/data/edgeward/authz/decision?explain=notes";
        assert_eq!(answer(&pdp, path, body).1["explanation"], json!([]));
    }
    let counted = pdp.get("/metrics").body;
    assert!(
        counted.contains("edgeward_documents_remembered_total 0"),
        "{counted}"
    );
    for explain in ["full", "fails", "debug"] {
        for target in ["/v1/data/a/b/allow?", "/v1/query?q=x:=1&"] {
            let (status, said) = answer(&pdp, &format!("{target}explain={explain}"), None);
            assert_eq!(
                (status, &said["code"]),
                (501, &json!("not_implemented")),
                "{explain}"
            );
            let message = said["message"].as_str().unwrap();
            assert!(
                message.contains(explain) && message.contains("notes"),
                "{message}"
            );
        }
    }
    // Where OPA has no such parameter, it means nothing.
    let bare = exchange(
        pdp.connect(),
        "POST",
        "/v0/data/list?explain=full",
        &[],
        b"",
    );
    assert_eq!(bare.status, 200);
}
