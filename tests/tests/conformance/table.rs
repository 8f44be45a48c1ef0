//! The result: one row per suite, on stdout and as `target/conformance.json`.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};
use edgeward_core::revocation::hex;
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

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn cases(&self) -> usize {
        self.pass + self.failures.len() + self.skipped()
    }

    pub(crate) fn passed(&self) -> usize {
        self.pass
    }

    pub(crate) fn failed(&self) -> usize {
        self.failures.len()
    }

    pub(crate) fn skipped(&self) -> usize {
        self.skipped.values().sum()
    }

    /// Why cases are skipped, and how many.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (&str, usize)> {
        let reasons = self.skipped.iter();
        reasons.map(|(why, cases)| (why.as_str(), *cases))
    }
}

/// The rows, and what data they are of.
pub(crate) struct Table {
    suites: Vec<Suite>,
    absent: Vec<String>,
    data: Context,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            suites: Vec::new(),
            absent: Vec::new(),
            data: Context::new(&SHA256),
        }
    }
}

impl Table {
    pub(crate) fn extend(&mut self, suites: Vec<Suite>) {
        self.suites.extend(suites);
    }

    /// Notes a file of the data that is read.
    pub(crate) fn read(&mut self, name: &str, bytes: &[u8]) {
        let length = bytes.len().to_le_bytes();
        for part in [name.as_bytes(), b"\0", &length, bytes] {
            self.data.update(part);
        }
    }

    /// What tells this edition of the data from all others: the first half of the SHA-256 of all files.
    pub(crate) fn edition(&self) -> String {
        let digest = self.data.clone().finish();
        hex(digest.as_ref().get(..16).unwrap_or_default())
    }

    /// Whether the data of every suite is here.
    pub(crate) fn is_whole(&self) -> bool {
        self.absent.is_empty()
    }

    pub(crate) fn suites(&self) -> impl Iterator<Item = &Suite> {
        self.suites.iter()
    }

    pub(crate) fn absent(&mut self, suite: &str) {
        self.absent.push(suite.to_owned());
    }

    pub(crate) fn failures(&self) -> usize {
        self.suites.iter().map(Suite::failed).sum()
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
        let edition = self.edition();
        let document = json!({"edition": edition, "suites": suites, "no_data": self.absent});
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
