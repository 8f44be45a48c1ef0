//! Why attested attributes are given no identity.

use std::fmt::Write as _;

use thiserror::Error;

use super::WorkloadName;

/// The most workloads that a refusal names.
pub const MAX_NAMES: usize = 8;

/// No client workload is admitted on these attributes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAdmitted {
    /// No workload of this provider has such attributes.
    #[error("no client workload of this trust provider has these attributes")]
    Unknown,
    /// Several have, and none of them is the most specific one.
    #[error("{}", ambiguous(.names, *.more))]
    Ambiguous {
        /// The first of them, at the most [`MAX_NAMES`], in the order of the configuration.
        names: Vec<WorkloadName>,
        /// How many more there are.
        more: usize,
    },
    /// It was recognised, but runs where it should not.
    #[error("`{workload}` was recognised, but `{attribute}` is not as its environment has it")]
    Environment {
        /// Who it is.
        workload: WorkloadName,
        /// The first attribute, by name, that does not hold.
        attribute: String,
    },
}

impl NotAdmitted {
    /// The stable reason code (`docs/reason-codes.md`).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "client-workload-unknown",
            Self::Ambiguous { .. } => "workload-ambiguous",
            Self::Environment { .. } => "environment-mismatch",
        }
    }
}

fn ambiguous(names: &[WorkloadName], more: usize) -> String {
    let mut text =
        "several client workloads have these attributes, and none is more specific than \
                    all others: "
            .to_owned();
    for (number, name) in names.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}`{name}`");
    }
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}
