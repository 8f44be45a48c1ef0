//! A test in a process of its own, with a bound of memory: what aborts it fails the test, and nothing else.

use std::process::Command;

const INSIDE: &str = "EDGEWARD_TEST_CONFINED";

/// Address space that it may have, in KiB: threads for policies have 256 MiB of stack each.
const KIBIBYTES: u64 = 3 * 1024 * 1024;

/// Runs `work`, what the test `name` of this module does, confined.
pub(super) fn confined(name: &str, work: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return work();
    }
    let this = std::env::current_exe().unwrap();
    let test = format!("policy::bounded::tests::{name}");
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ulimit -v {KIBIBYTES}; exec timeout 60 \"$0\" \"$1\" --exact --nocapture"
        ))
        .args([this.as_os_str(), test.as_ref()])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{}\n{told}\n{errors}",
        output.status
    );
}
