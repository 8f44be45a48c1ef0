//! Promises 1 and 8 while a request waits for its decision: many at once, clients that leave,
//! bodies that wait, a PDP that is late.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use edgeward_tests::envoy::Launch;
use edgeward_tests::keys::FRONTEND;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::runtime;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::Stage;
use edgeward_tests::tap::Fault;
use serde_json::json;
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::assert_refused;

/// The plain setup with little patience.
fn impatient() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| {
        let setup = Setup::local().plugin(|plugin| {
            plugin["pdp"]["timeout"] = json!("1s");
            plugin["routes"] = json!([{
                "path_prefix": "/degrade",
                "posture": { "pdp_unavailable": "identity", "pdp_timeout": "identity" },
            }]);
        });
        Stage::with(setup, &Launch::default())
    });
    &STAGE
}

#[test]
fn a_pdp_that_is_late_lets_nothing_pass() {
    let stage = impatient();
    stage
        .tap
        .break_for("/late", Fault::Late(Duration::from_secs(3)));
    let started = Instant::now();
    let reply = stage.send(&stage.allowed("/late"));
    assert_refused(stage, &reply, 503, "pdp-timeout", "/late");
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    std::thread::sleep(Duration::from_secs(3));
    assert!(
        stage.upstream.seen("/late").is_empty(),
        "the late allow was obeyed"
    );
}

#[test]
fn a_route_that_degrades_to_identity_says_so_in_its_decision_id_and_still_wants_identity() {
    let stage = impatient();
    stage
        .tap
        .break_for("/degrade", Fault::Late(Duration::from_secs(3)));
    let reply = stage.send(&stage.allowed("/degrade/known"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let id = stage.upstream.seen("/degrade/known")[0].header("x-edgeward-decision-id");
    assert!(id[0].contains("posture"), "{id:?}");
    let reply = stage.send(&Request::get("/degrade/unknown"));
    assert_refused(stage, &reply, 401, "identity-missing", "/degrade/unknown");
    stage
        .tap
        .break_for("/degrade/garbage", Fault::Answer(200, "garbage".into()));
    stage.tap.heal("/degrade");
    let reply = stage.send(&stage.allowed("/degrade/garbage"));
    assert_refused(stage, &reply, 503, "pdp-answer-invalid", "/degrade/garbage");
}

#[test]
fn a_thousand_requests_may_wait_for_their_decisions_at_once() {
    let stage = crate::stage();
    stage
        .tap
        .break_for("/thousand", Fault::Late(Duration::from_millis(1500)));
    let token = stage.keys.jwt_svid(FRONTEND);
    let statuses = runtime().block_on(async {
        let requests: Vec<_> = (0..1000)
            .map(|index| {
                let request = Request::get(format!("/thousand/{index}")).bearer(&token);
                let bytes = request.header("Connection", "close").bytes();
                tokio::spawn(status(stage.envoy.address(), bytes))
            })
            .collect();
        let mut statuses = Vec::new();
        for request in requests {
            statuses.push(request.await.expect("no panic"));
        }
        statuses
    });
    let allowed = statuses
        .iter()
        .filter(|status| **status == Some(200))
        .count();
    let refused = statuses
        .iter()
        .filter(|status| **status == Some(503))
        .count();
    let others: Vec<_> = statuses
        .iter()
        .filter(|s| !matches!(s, Some(200 | 503)))
        .collect();
    assert_eq!(allowed + refused, 1000, "{others:?}");
    assert_eq!(stage.upstream.seen("/thousand/").len(), allowed);
    assert!(allowed >= 990, "{refused} of 1000 were refused");
}

#[test]
fn a_client_that_leaves_while_its_decision_is_pending_has_nothing_done_for_it() {
    let stage = crate::stage();
    stage
        .tap
        .break_for("/leaver", Fault::Late(Duration::from_millis(1500)));
    // Some leave before they are asked for, and the others while they are.
    let leave = |index| {
        let request = stage.allowed(format!("/leaver/{index}"));
        let mut stream = stage.connect();
        stream.write_all(&request.bytes()).expect("written");
        stream
    };
    (200..300).map(leave).for_each(drop);
    let streams: Vec<_> = (0..200).map(leave).collect();
    let asked = wait_for(Duration::from_millis(500), || {
        (stage.tap.asked("/leaver/").len() > 100).then_some(())
    });
    drop(streams);
    assert!(
        asked.is_some(),
        "only {} were asked",
        stage.tap.asked("/leaver/").len()
    );
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(
        stage.upstream.seen("/leaver/").len(),
        0,
        "a late answer was obeyed"
    );
    assert_eq!(stage.send(&stage.allowed("/after-leavers")).status, 200);
    assert_eq!(stage.envoy.stat("vm_reload"), 0, "the filter was trapped");
}

#[test]
fn a_body_waits_for_its_decision_and_arrives_whole() {
    let stage = crate::stage();
    stage
        .tap
        .break_for("/body", Fault::Late(Duration::from_millis(300)));
    let body = "b".repeat(180_000);
    let token = stage.keys.jwt_svid(FRONTEND);
    let reply = stage.send(
        &Request::new("POST", "/body/allowed")
            .bearer(&token)
            .body(&body),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        stage.upstream.seen("/body/allowed")[0].body_bytes,
        body.len()
    );
    let reply = stage.send(
        &Request::new("POST", "/forbidden/body")
            .bearer(&token)
            .body(&body),
    );
    assert_refused(stage, &reply, 403, "no-rule-allows", "/forbidden/body");
}

#[test]
fn memory_does_not_grow_with_requests_or_with_forged_tokens() {
    let stage = impatient();
    let address = stage.envoy.address();
    let token = Arc::new(stage.keys.jwt_svid(FRONTEND));
    let burst = |round: usize| {
        let token = Arc::clone(&token);
        runtime().block_on(async move {
            let tasks: Vec<_> = (0..4)
                .map(|client| {
                    let token = Arc::clone(&token);
                    tokio::spawn(async move {
                        for index in 0..500 {
                            let forged = format!("{token}{round}{client}{index}");
                            let request = Request::get("/identity-flood").bearer(&forged);
                            let bytes = request.header("Connection", "close").bytes();
                            assert_eq!(status(address, bytes).await, Some(401));
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no panic");
            }
        });
    };
    // Some first: connections that Envoy closes late have their own high-water mark.
    (0..6).for_each(&burst);
    let before = stage.envoy.resident_bytes();
    (6..8).for_each(&burst);
    let grown = stage.envoy.resident_bytes().saturating_sub(before);
    assert!(grown < 24 << 20, "{grown} bytes for 4000 forged tokens");
    assert_eq!(stage.send(&stage.allowed("/after-flood")).status, 200);
}

/// The status of one exchange; `None` when the connection broke or nothing came in 20 seconds.
async fn status(address: std::net::SocketAddr, bytes: Vec<u8>) -> Option<u16> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(&bytes).await.ok()?;
        // Not to the end: Envoy closes a refused connection a second later.
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.ok()?;
        std::str::from_utf8(&answer[9..]).ok()?.parse().ok()
    };
    tokio::time::timeout(Duration::from_secs(20), exchange)
        .await
        .ok()?
}
