//! What callers and policies do wrong, and that it stays bounded.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use super::fixtures::frontend;
use super::harness::{Pdp, read_answer, settings};
use crate::service::Ended;

#[test]
fn a_runaway_policy_denies_in_bounded_time_and_the_process_goes_on() {
    let pdp = Pdp::deciding(
        "decision := count([1 | some a in xs; some b in xs; a + b < 0]) == 1 if input.action.name == \"RUN\"\n\
         decision := numbers.range(1, 100000000)[0] == 1 if input.action.name == \"RANGE\"\n\
         decision := object.subset([1], []) if input.action.name == \"PANIC\"\n\
         decision := \"yes\" if input.action.name == \"TYPE\"\n\
         decision := true if input.action.name == \"GET\"\n\
         xs := numbers.range(1, 20000)",
    );
    for (action, reason) in [
        ("RUN", "policy-timeout"),
        ("RANGE", "policy-error"),
        ("PANIC", "policy-error"),
        ("TYPE", "policy-result-invalid"),
        ("NONE", "policy-undefined"),
    ] {
        let started = Instant::now();
        let answer = pdp.ask(&frontend(action, &["x"]).to_string());
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{action}: {:?}",
            started.elapsed()
        );
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["decision"], false);
        assert_eq!(
            answer.json()["context"]["reasons"],
            json!([reason]),
            "{action}"
        );
        assert_eq!(
            pdp.ask(&frontend("GET", &["x"]).to_string()).json()["decision"],
            true
        );
    }
    let metrics = pdp.get("/metrics").body;
    for line in [
        "edgeward_decisions_total{decision=\"allow\",cause=\"policy\"} 5",
        "edgeward_decisions_total{decision=\"deny\",cause=\"policy-timeout\"} 1",
        "edgeward_decisions_total{decision=\"deny\",cause=\"policy-error\"} 2",
        "edgeward_evaluation_duration_seconds_count 10",
        "edgeward_evaluation_duration_seconds_bucket{le=\"+Inf\"} 10",
        "edgeward_policy_stale 0",
        "edgeward_connections ",
    ] {
        assert!(metrics.contains(line), "{line} not in:\n{metrics}");
    }
}

#[test]
fn a_client_that_sends_its_head_drop_by_drop_is_cut_off() {
    let pdp = Pdp::start(settings());
    for opening in [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "POST /access/v1/evaluation HTTP/1.1\r\nx: ",
    ] {
        let mut stream = pdp.connect();
        let started = Instant::now();
        stream.write_all(opening.as_bytes()).unwrap();
        while started.elapsed() < Duration::from_secs(8) {
            std::thread::sleep(Duration::from_millis(100));
            if stream.write_all(b"y").is_err() {
                break;
            }
        }
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{opening:?}: {took:?}");
    }
}

#[test]
fn a_body_that_does_not_arrive_is_answered_408() {
    let pdp = Pdp::start(settings());
    let mut stream = pdp.connect();
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).status, 408);
}

#[test]
fn an_endless_body_is_refused_at_the_limit() {
    let pdp = Pdp::start(settings());
    let mut stream = pdp.connect();
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    for _ in 0..17 {
        let _ = stream.write_all(chunk.as_bytes());
    }
    assert_eq!(read_answer(&mut stream).status, 413);
}

#[test]
fn above_the_connection_limit_a_newcomer_is_closed_and_slots_come_back() {
    let mut settings = settings();
    settings.limits.connections = 4;
    let pdp = Pdp::start(settings);
    let held: Vec<_> = (0..4).map(|_| pdp.connect()).collect();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(read_answer(&mut pdp.connect()).status, 0);
    drop(held);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(pdp.get("/health/live").status, 200);
}

#[test]
fn a_request_in_flight_is_answered_while_draining_and_newcomers_are_not() {
    let mut pdp = Pdp::start(settings());
    let body = frontend("GET", &["orders"]).to_string();
    let (first, rest) = body.split_at(10);
    let mut stream = pdp.connect();
    let head = format!(
        "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{first}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    pdp.begin_stop();
    let begun = Instant::now();
    while std::net::TcpStream::connect(pdp.address()).is_ok() {
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "newcomers are let in"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    stream.write_all(rest.as_bytes()).unwrap();
    let answer = read_answer(&mut stream);
    assert_eq!(
        (answer.status, &answer.json()["decision"]),
        (200, &json!(true))
    );
    assert_eq!(pdp.stop(), Ended::Drained);
}

#[test]
fn a_connection_that_will_not_end_is_cut_off_at_the_drain_deadline() {
    let mut settings = settings();
    settings.limits.drain = Duration::from_millis(300);
    settings.limits.request_timeout = Duration::from_secs(30);
    let mut pdp = Pdp::start(settings);
    let mut stream = pdp.connect();
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    assert_eq!(pdp.stop(), Ended::CutOff(1));
    assert!(started.elapsed() < Duration::from_secs(5));
}
