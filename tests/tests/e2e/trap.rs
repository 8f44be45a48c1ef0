//! Promise 1 when the filter itself breaks: the filter with one function body replaced by a trap (it
//! has no panic path of its own to reach).

use std::time::{Duration, Instant};

use edgeward_tests::envoy::Launch;
use edgeward_tests::envoy::tail;
use edgeward_tests::keys::FRONTEND;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::Stage;
use edgeward_tests::tap::Fault;
use edgeward_tests::{built, wasm};
use serde_json::json;

/// The plain setup with a filter that traps in the export `function`, and a short stream timer.
fn trapping(function: &str) -> Stage {
    let module = built::target().join(format!("edgeward-{function}-trap.wasm"));
    wasm::with_trap(built::linked_filter(), function, &module);
    let setup = Setup::local()
        .plugin(|plugin| plugin["pdp"]["timeout"] = json!("10s"))
        .manager(|manager| manager["stream_idle_timeout"] = json!("3s"))
        .capability(function)
        .module(&module);
    // One worker, so that every request meets the same VM.
    Stage::with(
        setup,
        &Launch {
            workers: Some(1),
            ..Launch::default()
        },
    )
}

#[test]
fn a_filter_that_traps_refuses_the_request_and_serves_the_next_ones() {
    let stage = trapping("proxy_on_request_body");
    let token = stage.keys.jwt_svid(FRONTEND);
    for round in 0..5 {
        let path = format!("/trap-{round}");
        let reply = stage.send(&Request::new("POST", &path).bearer(&token).body("x"));
        assert!(reply.status >= 500, "{}: {}", reply.status, reply.text());
        assert!(
            !stage
                .upstream
                .seen(&path)
                .iter()
                .any(|seen| seen.body_bytes > 0)
        );
        let back = wait_for(Duration::from_secs(10), || {
            (stage.send(&stage.allowed("/after-trap")).status == 200).then_some(())
        });
        assert!(
            back.is_some(),
            "round {round}: {}",
            tail(&stage.envoy.log())
        );
    }
    assert!(stage.envoy.stat("vm_reload_success") >= 5);
}

#[test]
fn a_request_stranded_by_another_s_trap_is_ended_and_never_forwarded() {
    let stage = trapping("proxy_on_request_body");
    stage
        .tap
        .break_for("/stranded", Fault::Late(Duration::from_millis(1500)));
    let address = stage.envoy.address();
    let stranded = stage.allowed("/stranded");
    let started = Instant::now();
    let waiting = std::thread::spawn(move || stranded.send(address));
    let asked = wait_for(Duration::from_secs(5), || {
        (!stage.tap.asked("/stranded").is_empty()).then_some(())
    });
    assert!(
        asked.is_some(),
        "the request is not waiting for its decision"
    );
    let token = stage.keys.jwt_svid(FRONTEND);
    let trap = Request::new("POST", "/trap")
        .bearer(&token)
        .body("x")
        .send(address);
    assert!(trap.status >= 500, "{}", trap.status);
    let reply = waiting.join().expect("an answer");
    assert!(
        (500..600).contains(&reply.status),
        "{}: {}",
        reply.status,
        reply.text()
    );
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    std::thread::sleep(Duration::from_secs(1));
    assert!(
        stage.upstream.seen("/stranded").is_empty(),
        "a late answer was obeyed"
    );
}
