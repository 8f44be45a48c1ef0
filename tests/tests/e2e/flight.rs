//! Promises 1, 4 and 8 where many ask the same at once: one question a worker is asked, everyone is
//! answered by it or not at all, and nobody is stranded by a client that leaves.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use edgeward_tests::envoy::{Envoy, Launch, tail};
use edgeward_tests::keys::{FRONTEND, Keys};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::{self, Request};
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::Stage;
use edgeward_tests::tap::Fault;
use edgeward_tests::upstream::Upstream;
use serde_json::json;

/// How many ask at once.
const MANY: usize = 64;
/// Envoy's workers.
const WORKERS: usize = 2;
/// On a machine that is busy.
const SOON: Duration = Duration::from_secs(10);

fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| {
        let setup = Setup::local().plugin(|plugin| {
            plugin["pdp"]["timeout"] = json!("6s");
            plugin["allowed_request_headers"] = json!(["x-obliged"]);
            plugin["routes"] = json!([{
                "path_prefix": "/obliged/degraded", "posture": { "pdp_timeout": "identity" },
            }]);
        });
        Stage::with(setup, &Launch::default())
    });
    &STAGE
}

/// A request that is sent, and not answered yet.
fn send(stage: &Stage, request: &Request) -> TcpStream {
    let mut stream = stage.connect();
    stream.write_all(&request.bytes()).expect("written");
    stream
}

fn send_many(stage: &Stage, request: &Request) -> Vec<TcpStream> {
    (0..MANY).map(|_| send(stage, request)).collect()
}

fn replies(streams: Vec<TcpStream>) -> Vec<Reply> {
    let reply = |stream| raw::exchange(stream, b"").expect("an answer");
    streams.into_iter().map(reply).collect()
}

fn ids(stage: &Stage, path: &str) -> Vec<String> {
    let seen = stage.upstream.seen(path);
    seen.iter()
        .map(|seen| seen.header("x-edgeward-decision-id").concat())
        .collect()
}

#[track_caller]
fn assert_one_question_a_worker(stage: &Stage, path: &str) {
    let asked = stage.tap.asked(path).len();
    assert!((1..=WORKERS).contains(&asked), "{path}: {asked} questions");
}

#[test]
fn identical_requests_at_once_are_one_question_a_worker_and_each_has_its_own_decision_id() {
    let stage = stage();
    let late = Fault::Late(Duration::from_millis(700));
    stage.tap.break_for("/obliged/same", late);
    let shared = stage.envoy.stat("edgeward.cache.shared");
    let request = stage.allowed("/obliged/a%2Db/../same?x=1");
    assert_eq!(request.send(stage.envoy.address()).status, 400);
    let request = stage.allowed("/obliged/same%2Dpath?x=1");
    for reply in replies(send_many(stage, &request)) {
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-policy-note").as_deref(), Some("seen"));
    }
    assert_one_question_a_worker(stage, "/obliged/same");
    let seen = stage.upstream.seen("/obliged/same-path?x=1");
    assert_eq!(seen.len(), MANY, "each as it was decided on");
    for seen in &seen {
        assert_eq!(seen.header("x-obliged"), ["by policy"]);
        assert!(seen.header("authorization").is_empty());
    }
    let ids = ids(stage, "/obliged/same");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), MANY, "{ids:?}");
    let reused = ids.iter().filter(|id| id.starts_with("cached-"));
    assert!(reused.count() >= MANY - WORKERS, "{ids:?}");
    let all = shared + (MANY - WORKERS) as u64;
    let counted = || (stage.envoy.stat("edgeward.cache.shared") >= all).then_some(());
    assert!(wait_for(SOON, counted).is_some());
}

#[test]
fn a_deny_that_many_wait_for_is_a_deny_for_each_and_the_workers_go_on() {
    let stage = stage();
    let late = Fault::Late(Duration::from_millis(700));
    stage.tap.break_for("/forbidden/crowd", late);
    let request = stage.allowed("/forbidden/crowd");
    for reply in replies(send_many(stage, &request)) {
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "no-rule-allows")
        );
    }
    assert_one_question_a_worker(stage, "/forbidden/crowd");
    assert!(stage.upstream.seen("/forbidden/crowd").is_empty());
    for number in 0..MANY {
        let after = stage.allowed(format!("/after-crowd?{number}"));
        assert_eq!(after.send(stage.envoy.address()).status, 200);
    }
    assert_eq!(stage.envoy.stat("vm_reload_success"), 0, "it was trapped");
}

#[test]
fn where_the_client_that_asked_leaves_the_others_are_answered_by_what_was_asked_and_it_is_not() {
    let stage = stage();
    let late = Fault::Late(Duration::from_millis(2000));
    stage.tap.break_for("/leader", late);
    let request = stage.allowed("/leader");
    let asked = || stage.tap.asked("/leader").len();
    let (mut leaders, mut waiting) = (Vec::new(), Vec::new());
    // One after the other, to see which of them asks.
    while leaders.len() < WORKERS && waiting.len() < 6 {
        let stream = send(stage, &request);
        let more = wait_for(Duration::from_millis(150), || {
            (asked() > leaders.len()).then_some(())
        });
        match more {
            Some(()) => leaders.push(stream),
            None => waiting.push(stream),
        }
    }
    waiting.extend((0..16).map(|_| send(stage, &request)));
    std::thread::sleep(Duration::from_millis(200));
    let questions = asked();
    assert!((1..=WORKERS).contains(&questions), "{questions} questions");
    let all = waiting.len();
    drop(leaders);
    for reply in replies(waiting) {
        assert_eq!(reply.status, 200, "{}", tail(&stage.envoy.log()));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(stage.upstream.seen("/leader").len(), all);
    assert_eq!(asked(), questions, "nobody asked again");
}

#[test]
fn clients_that_leave_while_they_wait_have_nothing_done_for_them() {
    let stage = stage();
    let late = Fault::Late(Duration::from_millis(700));
    stage.tap.break_for("/fickle", late);
    let request = stage.allowed("/fickle");
    let mut streams = send_many(stage, &request);
    std::thread::sleep(Duration::from_millis(200));
    let staying = streams.split_off(MANY - 8);
    drop(streams);
    for reply in replies(staying) {
        assert_eq!(reply.status, 200);
    }
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(stage.upstream.seen("/fickle").len(), 8);
}

#[test]
fn a_pdp_that_gives_no_answer_to_one_is_not_asked_for_the_others_and_all_are_refused() {
    let stage = stage();
    for (path, fault, code) in [
        ("/down", Fault::Answer(503, "{}".into()), "pdp-unavailable"),
        ("/slow", Fault::Late(Duration::from_secs(8)), "pdp-timeout"),
    ] {
        stage.tap.break_for(path, fault);
        let request = stage.allowed(path);
        for reply in replies(send_many(stage, &request)) {
            assert_eq!((reply.status, reply.code().as_str()), (503, code));
        }
        assert!(stage.upstream.seen(path).is_empty());
    }
    assert_one_question_a_worker(stage, "/slow");
    // Each route's posture holds for its own.
    let late = Fault::Late(Duration::from_secs(8));
    stage.tap.break_for("/obliged/degraded", late);
    let request = stage.allowed("/obliged/degraded");
    for reply in replies(send_many(stage, &request)) {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let ids = ids(stage, "/obliged/degraded");
    assert!(ids.iter().all(|id| id.starts_with("posture-")), "{ids:?}");
}

#[test]
fn an_answer_that_may_not_be_remembered_is_for_nobody_but_who_asked() {
    let stage = stage();
    let body = json!({ "decision": true, "context": { "id": "foreign" } });
    let fault = Fault::Answer(200, body.to_string().into());
    stage.tap.break_for("/unshared", fault);
    let request = stage.allowed("/unshared");
    for _ in 0..2 {
        for reply in replies(send_many(stage, &request)) {
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
    }
    assert_eq!(stage.tap.asked("/unshared").len(), 2 * MANY);
    let ids = ids(stage, "/unshared");
    assert!(ids.iter().all(|id| id == "foreign"), "{ids:?}");
}

#[test]
fn many_at_once_are_one_question_a_worker_on_the_short_way_to_the_pdp_too() {
    let keys = Keys::generate();
    let pdp = Pdp::start(&keys);
    let upstream = Upstream::start();
    let setup = Setup::local()
        .cluster("edgeward_pdp", pdp.address())
        .cluster("upstream", upstream.address())
        .plugin(|plugin| plugin["pdp"]["timeout"] = json!("5s"));
    let envoy = Envoy::start(&setup);
    let request = |path| Request::get(path).bearer(&keys.jwt_svid(FRONTEND));
    let ready = || {
        let all = || (0..16).all(|_| request("/warm").send(envoy.address()).status == 200);
        all().then_some(())
    };
    assert!(wait_for(Duration::from_secs(20), ready).is_some());
    let crowd = request("/crowd");
    pdp.freeze(true);
    let streams: Vec<_> = (0..MANY)
        .map(|_| {
            let mut stream = raw::connect(envoy.address()).expect("the listener accepts");
            stream.write_all(&crowd.bytes()).expect("written");
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    pdp.freeze(false);
    for reply in replies(streams) {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let seen = upstream.seen("/crowd");
    let ids = seen
        .iter()
        .map(|seen| seen.header("x-edgeward-decision-id").concat());
    let (reused, made): (Vec<_>, Vec<_>) = ids.partition(|id| id.starts_with("cached-"));
    assert_eq!(reused.len() + made.len(), MANY);
    assert!((1..=WORKERS).contains(&made.len()), "{made:?}");
}
