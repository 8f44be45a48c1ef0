//! Callers that ask for more than they may.

use std::io::Write as _;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Pdp, exchange, read_answer, settings};
use crate::service::{Authorization, Limits, OpaApi, Rate, ServiceSettings};

const QUESTION: &str = r#"{"subject": {"type": "user", "id": "a"}, "action": {"name": "GET"},
    "resource": {"type": "http", "id": "x"}}"#;

fn limited(limits: Limits) -> ServiceSettings {
    ServiceSettings {
        limits,
        opa_api: Some(OpaApi {
            token_digests: Vec::new(),
            authorization: Authorization::Off,
            queries: false,
        }),
        ..settings()
    }
}

fn with_rate(per_second: u32, burst: u32) -> Pdp {
    let rate = NonZeroU32::new(per_second).zip(NonZeroU32::new(burst));
    let rate = rate.map(|(per_second, burst)| Rate { per_second, burst });
    let limits = Limits {
        rate,
        ..settings().limits
    };
    Pdp::deciding_with("decision := true", limited(limits))
}

#[test]
fn a_caller_over_its_rate_is_told_when_to_come_back_and_is_let_in_then() {
    let pdp = with_rate(1, 2);
    assert_eq!(pdp.ask(QUESTION).status, 200);
    assert_eq!(pdp.ask(QUESTION).status, 200);
    let over = pdp.ask(QUESTION);
    assert_eq!(over.status, 429, "{}", over.body);
    assert!(over.body.contains("limits.rate"), "{}", over.body);
    let wait: u64 = over.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // OPA's clients are told in OPA's words.
    let opa = exchange(pdp.connect(), "GET", "/v1/data", &[], b"");
    assert_eq!(
        (opa.status, opa.header("retry-after").is_some()),
        (429, true)
    );
    assert!(opa.json()["code"].is_string(), "{}", opa.body);
    // How it stands can be seen all the same, and what is over is counted.
    for _ in 0..5 {
        assert_eq!(pdp.get("/health/live").status, 200);
    }
    let counted = pdp.get("/metrics").body;
    let series = "edgeward_calls_refused_total{limit=\"rate\"} 2";
    assert!(counted.contains(series), "{counted}");
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(pdp.ask(QUESTION).status, 200);
}

#[test]
fn no_more_calls_are_in_flight_than_may_be_and_a_place_is_free_when_one_ends() {
    let limits = Limits {
        in_flight: NonZeroUsize::new(1),
        request_timeout: Duration::from_secs(20),
        ..settings().limits
    };
    let pdp = Pdp::deciding_with("decision := true", limited(limits));
    // One whose body does not come.
    let mut slow = pdp.connect();
    let head = format!(
        "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        QUESTION.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    let mut refused = None;
    for _ in 0..200 {
        let answer = pdp.ask(QUESTION);
        if answer.status == 503 {
            refused = Some(answer);
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let refused = refused.expect("the one in flight takes the only place");
    assert_eq!(refused.header("retry-after"), Some("1"));
    slow.write_all(QUESTION.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut slow).status, 200);
    let freed = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        pdp.ask(QUESTION).status == 200
    });
    assert!(freed);
}

#[test]
fn by_default_nobody_is_limited() {
    let pdp = Pdp::deciding("decision := true");
    let many: Vec<Value> = (0..300).map(|_| json!(pdp.ask(QUESTION).status)).collect();
    assert!(many.iter().all(|status| status == 200));
}
