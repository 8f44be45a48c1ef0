//! What a probe is told, and what it says: evidence, that its platform is not here, or that it is here and
//! gives none.

use std::path::PathBuf;

use edgeward_core::time::UnixSeconds;
use thiserror::Error;

use super::evidence::{Evidence, EvidenceError, EvidenceType};
use super::metadata::MetadataError;
use super::variables::Variables;
use crate::fetch::FetchError;

/// What a probe is told.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// The variables of the environment.
    pub(crate) variables: Variables,
    /// What the token service is called in evidence: `audiences` of its trust providers.
    pub(crate) audience: String,
    /// A file with evidence, in place of the platform's own.
    pub(crate) evidence_file: Option<PathBuf>,
    /// The variable with evidence.
    pub(crate) evidence_variable: Option<String>,
    /// What that evidence is.
    pub(crate) evidence_type: EvidenceType,
}

impl Surroundings {
    /// The time, which evidence of some platforms is made for.
    pub(crate) fn now() -> UnixSeconds {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        UnixSeconds(since.unwrap_or_default().as_secs())
    }
}

/// What a probe found.
#[derive(Debug)]
pub(crate) enum Probed {
    /// The platform vouches for this workload.
    Found(Evidence),
    /// It does not run there: what was looked for, and what to do if it should.
    Absent(String),
}

impl Probed {
    pub(super) fn absent(why: impl Into<String>) -> Self {
        Self::Absent(why.into())
    }
}

/// Why a platform that is there gives no evidence. Nothing else is tried then: another platform would say
/// that this is somebody else.
#[derive(Debug, Error)]
pub(crate) enum ProbeError {
    /// Evidence that is none.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A variable that says what cannot be.
    #[error("{name}: {reason}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The metadata service broke off.
    #[error("metadata service: {0}")]
    Metadata(#[from] MetadataError),
    /// What the platform's API said.
    #[error("{0}")]
    Fetch(#[from] FetchError),
    /// An answer that is not what the platform documents.
    #[error("{of} answered {what}")]
    Answer {
        /// Who.
        of: &'static str,
        /// What, without anything secret.
        what: String,
    },
    /// The Workload API.
    #[error("SPIFFE Workload API: {0}")]
    WorkloadApi(String),
    /// Something is missing that only a person can say.
    #[error("{0}")]
    Missing(String),
}

impl ProbeError {
    /// An answer with a status that is not 200.
    pub(super) fn status(of: &'static str, status: u16) -> Self {
        Self::Answer {
            of,
            what: format!("with status {status}"),
        }
    }

    /// An answer that cannot be read.
    pub(super) fn unread(of: &'static str, member: &str) -> Self {
        Self::Answer {
            of,
            what: format!("without `{member}`, or it is not as documented"),
        }
    }
}
