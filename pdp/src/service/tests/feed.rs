//! The sync feed and the health doors.

use std::time::{Duration, Instant};

use edgeward_core::feed::Feed;

use super::fixtures::{ISSUER, write_decision, write_keys};
use super::harness::{Pdp, settings};

const SYNC: &str = "/edgeward/v1/sync";
/// RFC 8037, appendix A.2.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"k1","alg":"EdDSA","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn feed(pdp: &Pdp, since: &str) -> (u16, Option<Feed>) {
    let answer = pdp.get(&format!("{SYNC}?since={since}"));
    let feed = (answer.status == 200).then(|| Feed::parse(answer.body.as_bytes()).unwrap());
    (answer.status, feed)
}

#[test]
fn the_feed_is_whole_and_204_when_nothing_changes() {
    let pdp = Pdp::deciding("decision := true");
    let answer = pdp.get(SYNC);
    assert_eq!(answer.status, 200);
    let first = Feed::parse(answer.body.as_bytes()).unwrap();
    let revision = pdp.store.subscribe().borrow().set.revision().to_owned();
    assert_eq!(first.policy_revision, revision);
    assert_eq!(first.issuers[0].issuer.to_string(), ISSUER);
    let started = Instant::now();
    assert_eq!(feed(&pdp, &first.cursor).0, 204);
    assert!(
        started.elapsed() >= Duration::from_millis(450),
        "{:?}",
        started.elapsed()
    );
    let (status, again) = feed(&pdp, "stale");
    let again = again.unwrap();
    assert_eq!((status, &again.cursor), (200, &first.cursor));
    assert_ne!(again.lease, first.lease);
}

#[test]
fn a_long_poll_answers_as_soon_as_policy_or_keys_change() {
    let mut settings = settings();
    settings.sync_max_wait = Duration::from_secs(15);
    let pdp = Pdp::start(settings);
    let first = feed(&pdp, "").1.unwrap();
    let poll = |since: String, change: &dyn Fn()| {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| (feed(&pdp, &since).1.unwrap(), Instant::now()));
            std::thread::sleep(Duration::from_millis(200));
            assert!(!waiting.is_finished());
            let changed = Instant::now();
            change();
            let (feed, answered) = waiting.join().unwrap();
            (feed, answered.duration_since(changed))
        })
    };
    let file = pdp.folder.path().join("data/access/suspended.yaml");
    let (second, took) = poll(first.cursor.clone(), &|| {
        std::fs::write(&file, "suspended: {}\n").unwrap();
        pdp.folder
            .path()
            .join("data/access/demo_test.rego")
            .pipe(std::fs::remove_file)
            .unwrap();
        pdp.store.reload();
    });
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_ne!(second.policy_revision, first.policy_revision);
    let (third, took) = poll(second.cursor, &|| write_keys(pdp.folder.path(), KEY));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(third.policy_revision, second.policy_revision);
    assert_eq!(third.issuers[0].keys["keys"][0]["kid"], "k1");
}

#[test]
fn a_waiting_poll_does_not_hold_up_the_stop() {
    let mut settings = settings();
    settings.sync_max_wait = Duration::from_secs(30);
    let mut pdp = Pdp::start(settings);
    let cursor = feed(&pdp, "").1.unwrap().cursor;
    let mut stream = pdp.connect();
    let head = format!("GET {SYNC}?since={cursor} HTTP/1.1\r\nhost: x\r\n\r\n");
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    assert_eq!(pdp.stop(), crate::service::Ended::Drained);
    assert!(
        started.elapsed() < Duration::from_millis(1900),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(super::harness::read_answer(&mut stream).status, 204);
}

#[test]
fn readiness_says_what_serves_and_what_was_refused() {
    let pdp = Pdp::deciding("decision := true");
    assert_eq!(pdp.get("/health/live").status, 200);
    let ready = pdp.get("/health/ready").json();
    let revision = pdp.store.subscribe().borrow().set.revision().to_owned();
    assert_eq!(ready["policy"]["revision"], revision.as_str());
    assert_eq!(ready["keys"]["sources"][0]["issuer"], ISSUER);
    write_decision(pdp.folder.path(), "decision := true if http.send({})");
    pdp.store.reload();
    let ready = pdp.get("/health/ready").json();
    assert_eq!(ready["policy"]["revision"], revision.as_str());
    let error = ready["policy"]["last_error"].as_str().unwrap();
    assert!(
        error.starts_with("policy.rego:2: calls `http.send`"),
        "{error}"
    );
    assert!(pdp.get("/metrics").body.contains("edgeward_policy_stale 1"));
}

trait Pipe: Sized {
    fn pipe<T>(self, then: impl FnOnce(Self) -> T) -> T {
        then(self)
    }
}

impl Pipe for std::path::PathBuf {}
