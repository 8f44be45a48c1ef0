//! What is wrong with a configuration, said so that it can be put right: file, field, fix.
//!
//! All problems of a file are collected before any is reported.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The place of a value in the file, such as `issuers[0].keys.file`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field(String);

impl Field {
    /// The member `name` of this value.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.to_owned())
        } else {
            Self(format!("{}.{name}", self.0))
        }
    }

    /// The item at `index` of this value.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The path as text; empty for the file as a whole.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One thing to put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; empty for the file as a whole.
    pub field: Field,
    /// What is wrong and, after a colon, what to do about it.
    pub message: String,
    /// The line in the file, counted from 1, where the parser had one.
    pub line: Option<u64>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.as_str().is_empty() {
            write!(f, "{}: ", self.field.as_str())?;
        }
        f.write_str(&self.message)?;
        match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// Why there is no configuration. Nothing of a refused file is ever applied.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file was read, and refused.
    #[error("{}", one_a_line(file, problems))]
    Refused {
        /// The file.
        file: PathBuf,
        /// Everything found, in the order of the checks; never empty.
        problems: Vec<Problem>,
    },
}

fn one_a_line(file: &Path, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {problem}", file.display()))
        .collect();
    lines.join("\n")
}

/// Collects problems, so that one run of `edgeward check` names them all.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Problem>);

impl Findings {
    /// Notes a problem at `field`.
    pub(super) fn refuse(&mut self, field: &Field, message: impl fmt::Display) {
        let message = message.to_string();
        self.0.push(Problem {
            field: field.clone(),
            message,
            line: None,
        });
    }

    /// The value, or its error noted at `field`.
    pub(super) fn accept<T, E: fmt::Display>(
        &mut self,
        field: &Field,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.refuse(field, error)).ok()
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.0
    }
}
