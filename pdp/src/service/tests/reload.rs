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
