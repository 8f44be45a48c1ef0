//! The result: one row per suite, on stdout and as `target/conformance.json`.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::PathBuf;

use serde_json::{Value, json};

/// The cases of one suite.
pub(crate) struct Suite {
    name: String,
    pass: usize,
    failures: Vec<String>,
    skipped: BTreeMap<String, usize>,
    notes: Vec<String>,
}

impl Suite {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            pass: 0,
            failures: Vec::new(),
            skipped: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// Counts one case. `seen` is what happened, for the reader of a failure.
    pub(crate) fn check(&mut self, held: bool, case: impl Display, seen: impl fmt::Debug) {
        if held {
            self.pass += 1;
        } else {
            self.failures.push(format!("{case}: {seen:?}"));
        }
    }

    /// Counts cases that ended as they should.
    pub(crate) fn pass(&mut self, cases: usize) {
        self.pass += cases;
    }

    /// Counts one case that is not run, or that Edgeward refuses on purpose.
    pub(crate) fn skip(&mut self, reason: &str) {
        *self.skipped.entry(reason.to_owned()).or_default() += 1;
    }

    /// A case labelled good that Edgeward refuses on purpose: skipped once it was seen refused.
    pub(crate) fn refused_by_design(
        &mut self,
        refused: bool,
        case: impl Display,
        seen: impl fmt::Debug,
        reason: &str,
    ) {
        if refused {
            self.skip(reason);
        } else {
            self.check(false, case, seen);
        }
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn skipped(&self) -> usize {
        self.skipped.values().sum()
    }
}

#[derive(Default)]
pub(crate) struct Table {
    suites: Vec<Suite>,
    absent: Vec<String>,
}

impl Table {
    pub(crate) fn extend(&mut self, suites: Vec<Suite>) {
        self.suites.extend(suites);
    }

    pub(crate) fn absent(&mut self, suite: &str) {
        self.absent.push(suite.to_owned());
    }

    pub(crate) fn failures(&self) -> usize {
        self.suites.iter().map(|suite| suite.failures.len()).sum()
    }

    /// Writes the same content to `target/conformance.json`.
    pub(crate) fn write(&self) {
        let suites: Vec<Value> = self
            .suites
            .iter()
            .map(|suite| {
                json!({
                    "suite": suite.name,
                    "pass": suite.pass,
                    "fail": suite.failures.len(),
                    "skipped": suite.skipped(),
                    "skipped_because": suite.skipped,
                    "failures": suite.failures,
                    "notes": suite.notes,
                })
            })
            .collect();
        let document = json!({"suites": suites, "no_data": self.absent});
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
            PathBuf::from,
        );
        std::fs::create_dir_all(&folder).expect("target/ can be made");
        std::fs::write(folder.join("conformance.json"), format!("{document:#}\n"))
            .expect("target/conformance.json can be written");
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<38} {:>5} {:>5} {:>8}",
            "suite", "pass", "fail", "skipped"
        )?;
        for suite in &self.suites {
            writeln!(
                f,
                "{:<38} {:>5} {:>5} {:>8}",
                suite.name,
                suite.pass,
                suite.failures.len(),
                suite.skipped()
            )?;
            for (reason, count) in &suite.skipped {
                writeln!(f, "    skipped {count}: {reason}")?;
            }
            for note in &suite.notes {
                writeln!(f, "    note: {note}")?;
            }
            for failure in &suite.failures {
                writeln!(f, "    FAIL {failure}")?;
            }
        }
        for suite in &self.absent {
            writeln!(f, "skipped: no conformance data ({suite})")?;
        }
        let total = |count: fn(&Suite) -> usize| self.suites.iter().map(count).sum::<usize>();
        writeln!(
            f,
            "{:<38} {:>5} {:>5} {:>8}",
            "all",
            total(|suite| suite.pass),
            self.failures(),
            total(Suite::skipped)
        )
    }
}
