//! The tests a policy set brings along: rules named `test_…`, each of which must be true.
//!
//! They are run when a set is loaded and by `edgeward test`. This file runs and reports; what a
//! failing test means is for the caller.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use regorus::{Engine, Value};

use super::bounded::{budget, check_size};
use super::engine_error;
use super::set::{LoadError, PolicySet};
use super::settings::PolicySettings;
use super::time_limit::timer;

/// A single test may take this long.
const TEST_TIMEOUT: Duration = Duration::from_secs(5);

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// True.
    Pass,
    /// Anything else; the text says what.
    Fail(String),
}

/// One test.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// `data.package.test_name`.
    pub name: String,
    /// File below the policy folder.
    pub file: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What it printed, one line an entry.
    pub prints: Vec<String>,
}

/// All tests of a set, by name.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    /// One entry a test.
    pub tests: Vec<TestResult>,
}

impl TestReport {
    /// The tests that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = &TestResult> {
        self.tests
            .iter()
            .filter(|test| test.outcome != Outcome::Pass)
    }

    /// As [`TestReport::failures`], each as `name (file): what happened`.
    pub(super) fn failures_in_words(&self) -> Vec<String> {
        self.failures()
            .map(|test| match &test.outcome {
                Outcome::Fail(what) => format!("{} ({}): {what}", test.name, test.file),
                Outcome::Pass => test.name.clone(),
            })
            .collect()
    }
}

/// Runs `tests`, given as path and file, on `engine`, which holds the test files too.
pub(super) fn run(engine: &mut Engine, tests: &[(String, String)]) -> TestReport {
    engine.set_execution_timer_config(timer(TEST_TIMEOUT));
    let pristine = engine.clone();
    let mut report = TestReport::default();
    for (name, file) in tests {
        // Each test starts from the same state, whatever the one before did.
        let mut engine = pristine.clone();
        budget::begin();
        let value = catch_unwind(AssertUnwindSafe(|| engine.eval_rule(name.clone())));
        let outcome = match value {
            Ok(Ok(Value::Bool(true))) => Outcome::Pass,
            Ok(Ok(Value::Undefined)) => Outcome::Fail("undefined: a condition did not hold".into()),
            Ok(Ok(value)) if check_size(&value).is_err() => {
                Outcome::Fail("is more than can be shown, not `true`".into())
            }
            Ok(Ok(value)) => Outcome::Fail(format!("is `{value}`, not `true`")),
            Ok(Err(error)) => Outcome::Fail(engine_error::in_one_line(&error)),
            Err(_) => Outcome::Fail("the engine panicked".into()),
        };
        report.tests.push(TestResult {
            name: name.clone(),
            file: file.clone(),
            outcome,
            prints: engine.take_prints().unwrap_or_default(),
        });
    }
    report
}

/// Runs the tests of the policies in `directory` (none: the embedded ones) and reports on each.
pub fn test_folder(directory: Option<&Path>, entry_point: &str) -> Result<TestReport, LoadError> {
    let settings = PolicySettings {
        directory: directory.map(Path::to_owned),
        entry_point: entry_point.to_owned(),
        ..PolicySettings::default()
    };
    Ok(PolicySet::load_untested(&settings)?.tests().clone())
}
