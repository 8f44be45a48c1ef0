//! Policies change while requests come in.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::fixtures::{frontend, write_decision};
use super::harness::Pdp;

#[test]
fn a_reload_under_load_drops_no_request_and_reaches_every_worker() {
    let pdp = Pdp::deciding("decision := {\"allow\": true, \"reasons\": [\"v-0\"]}");
    let body = frontend("GET", &["orders"]).to_string();
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let answer = pdp.ask(&body);
                    assert_eq!(answer.status, 200, "{}", answer.head);
                    assert_eq!(answer.json()["decision"], true, "{}", answer.body);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for version in 1..=5 {
            let reasons =
                format!("decision := {{\"allow\": true, \"reasons\": [\"v-{version}\"]}}");
            write_decision(pdp.folder.path(), &reasons);
            pdp.store.reload();
            write_decision(pdp.folder.path(), "decision := {");
            pdp.store.reload();
            std::thread::sleep(Duration::from_millis(100));
        }
        // Every worker has the last good one in the end; each connection may meet another worker.
        let mut in_a_row = 0;
        for _ in 0..2000 {
            let latest = pdp.ask(&body).json()["context"]["reasons"][0] == "v-5";
            in_a_row = if latest { in_a_row + 1 } else { 0 };
            if in_a_row == 40 {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
        assert_eq!(in_a_row, 40);
    });
    assert!(asked.load(Ordering::Relaxed) > 40);
    let state = pdp.store.subscribe().borrow().clone();
    assert_eq!((state.reloads, state.refused), (5, 5));
    assert!(state.last_error.unwrap().contains("policy.rego:"));
}

#[test]
fn other_data_end_a_remembered_decision_only_if_the_policy_can_read_them() {
    let pdp = Pdp::deciding("decision if data.open[input.action.name]");
    let body = frontend("GET", &["orders"]).to_string();
    let data = |text: &str| {
        std::fs::write(pdp.folder.path().join("data.json"), text).unwrap();
        pdp.store.reload();
        let revision = pdp.store.subscribe().borrow().set.revision().to_owned();
        // Both workers have it once it answered so often.
        let mut in_a_row = 0;
        for _ in 0..2000 {
            let context = pdp.ask(&body).json()["context"].clone();
            let latest = context["policy"]["revision"] == *revision;
            in_a_row = if latest { in_a_row + 1 } else { 0 };
            if in_a_row == 40 {
                break;
            }
        }
        assert_eq!(in_a_row, 40);
        let answer = pdp.ask(&body).json();
        let id = answer["context"]["id"].as_str().unwrap();
        let original = id.rsplit('.').next().unwrap().to_owned();
        (answer["decision"] == true, original)
    };
    let (allow, first) = data(r#"{"open": {"GET": true}}"#);
    assert!(allow);
    // Another revision, the same decision: the id names its original.
    assert_eq!(
        data(r#"{"open": {"GET": true}, "more": 1}"#),
        (true, first.clone())
    );
    let (allow, second) = data(r#"{"open": {"GET": false}}"#);
    assert!(!allow && second != first);
    // And back: what was decided on those data has given way to the other.
    assert!(data(r#"{"open": {"GET": true}, "more": 2}"#).0);
    let metrics = pdp.get("/metrics").body;
    let counted = |series: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("{series}: {metrics}"))
            .trim()
            .parse::<f64>()
            .unwrap()
    };
    for (result, least) in [("hit", 100.0), ("data", 2.0), ("cold", 1.0)] {
        let series = format!("edgeward_cache_look_ups_total{{result=\"{result}\"}}");
        assert!(counted(&series) >= least, "{series}");
    }
    let aged = counted("edgeward_cache_reused_age_seconds_count");
    assert!(aged >= 100.0, "{aged}");
}
