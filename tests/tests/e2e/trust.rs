//! Issue 5: who is asking. Workloads get in by their own evidence and reach their own service; stolen,
//! replayed, re-targeted and misplaced evidence is refused, each with its reason.

use edgeward_tests::trust::Trust;
use edgeward_tests::trust::cases;

#[test]
fn each_workload_gets_in_by_its_own_evidence_and_nobody_by_another_s() {
    let trust = Trust::start();
    let wrong: Vec<String> = cases::all(&trust)
        .iter()
        .filter_map(|case| {
            let outcome = trust.play(case);
            let line = format!(
                "{}, {}: {outcome:?}, not {:?}",
                case.who, case.title, case.must
            );
            (outcome != case.must).then_some(line)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{}\n{}",
        wrong.join("\n"),
        trust.pdp.log()
    );
}
