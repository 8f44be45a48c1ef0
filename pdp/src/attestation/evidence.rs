//! Evidence that is no JWT: the one provider of each kind.
//!
//! A JWT says by its issuer whose it is; a request names these by their kind.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use thiserror::Error;

use super::aws_instance::{self, AwsInstanceRefusal, AwsInstanceSettings, RegionCertificates};
use super::aws_sts::{self, AwsStsRefusal, AwsStsSettings};
use super::azure_document::{self, AzureDocumentRefusal, AzureDocumentSettings};
use super::cms::{Authorities, SignerCertificate};
pub use super::evidence_kind::{EvidenceKind, EvidenceKindError};
use super::static_keys::{self, StaticKeyRefusal, StaticKeys};
use super::{Attested, AwsAccount, ProviderName};
use crate::whole_file;

/// The longest file of certificates, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Checked settings of one provider; its files are not read yet.
#[derive(Debug, Clone)]
pub enum EvidenceSettings {
    /// See `aws_instance`.
    AwsInstance {
        /// The PEM file with the certificates of each region.
        certificates: BTreeMap<String, PathBuf>,
        /// As in [`AwsInstanceSettings`].
        accounts: BTreeSet<AwsAccount>,
        /// As in [`AwsInstanceSettings`].
        max_age: Option<Duration>,
    },
    /// See `aws_sts`; it has no files of its own.
    AwsSts(AwsStsSettings),
    /// See `azure_document`.
    AzureDocument {
        /// The PEM file of the authorities.
        roots: PathBuf,
        /// The PEM file of the authorities between them and the signers.
        intermediates: Option<PathBuf>,
        /// As in [`AzureDocumentSettings`].
        names: Vec<String>,
        /// As in [`AzureDocumentSettings`].
        subscriptions: BTreeSet<String>,
        /// As in [`AzureDocumentSettings`].
        audience: String,
        /// As in [`AzureDocumentSettings`].
        max_age: Duration,
    },
    /// See `static_keys`; for development only.
    StaticKeys(StaticKeys),
}

impl EvidenceSettings {
    /// Whose they are.
    pub fn kind(&self) -> EvidenceKind {
        match self {
            Self::AwsInstance { .. } => EvidenceKind::AwsInstance,
            Self::AwsSts(_) => EvidenceKind::AwsSts,
            Self::AzureDocument { .. } => EvidenceKind::AzureDocument,
            Self::StaticKeys(_) => EvidenceKind::StaticKey,
        }
    }
}

/// Why there are no providers of these kinds.
#[derive(Debug, Error)]
pub enum EvidenceProvidersError {
    /// Two of one kind: nobody could tell which of them is asked.
    #[error("`{0}` and `{1}` are of one kind: put both into one")]
    KindTwice(ProviderName, ProviderName),
    /// A file of certificates cannot be read.
    #[error("`{name}`: `{path}`: {problem}")]
    File {
        /// The provider.
        name: ProviderName,
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Certificates that cannot be pinned together.
    #[error("`{name}`: {problem}")]
    Certificates {
        /// The provider.
        name: ProviderName,
        /// What is wrong with them.
        problem: String,
    },
}

/// Why evidence does not count.
#[derive(Debug, Error)]
pub enum EvidenceRefusal {
    /// Nobody takes evidence of this kind.
    #[error("no trust provider takes evidence of this kind")]
    NoProvider,
    /// An instance identity document.
    #[error(transparent)]
    AwsInstance(#[from] AwsInstanceRefusal),
    /// A signed request to STS.
    #[error(transparent)]
    AwsSts(#[from] AwsStsRefusal),
    /// An attested document.
    #[error(transparent)]
    AzureDocument(#[from] AzureDocumentRefusal),
    /// A static key.
    #[error(transparent)]
    StaticKey(#[from] StaticKeyRefusal),
}

impl EvidenceRefusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoProvider => "evidence-kind-unknown",
            Self::AwsInstance(refusal) => refusal.code(),
            Self::AwsSts(refusal) => refusal.code(),
            Self::AzureDocument(refusal) => refusal.code(),
            Self::StaticKey(refusal) => refusal.code(),
        }
    }

    /// Whether the evidence may be good, and its platform could not be asked.
    pub fn is_outage(&self) -> bool {
        let Self::AwsSts(refusal) = self else {
            return false;
        };
        matches!(
            refusal,
            AwsStsRefusal::Unavailable(_) | AwsStsRefusal::Answer(_)
        )
    }
}

/// The providers of all kinds, with what their files say.
#[derive(Debug, Default)]
pub struct EvidenceProviders {
    aws_instance: Option<(ProviderName, AwsInstanceSettings)>,
    aws_sts: Option<(ProviderName, AwsStsSettings)>,
    azure_document: Option<(ProviderName, AzureDocumentSettings)>,
    static_keys: Option<(ProviderName, StaticKeys)>,
}

impl EvidenceProviders {
    /// Reads the files of `all`; a file that is broken spoils all.
    pub fn open(
        all: impl IntoIterator<Item = (ProviderName, EvidenceSettings)>,
    ) -> Result<Self, EvidenceProvidersError> {
        let mut providers = Self::default();
        for (name, settings) in all {
            let before = match settings {
                EvidenceSettings::AwsInstance {
                    certificates,
                    accounts,
                    max_age,
                } => {
                    let settings = AwsInstanceSettings {
                        certificates: pinned(&name, &certificates)?,
                        accounts,
                        max_age,
                    };
                    let before = providers.aws_instance.replace((name.clone(), settings));
                    before.map(|(before, _)| before)
                }
                EvidenceSettings::AwsSts(settings) => {
                    let before = providers.aws_sts.replace((name.clone(), settings));
                    before.map(|(before, _)| before)
                }
                EvidenceSettings::AzureDocument {
                    roots,
                    intermediates,
                    names,
                    subscriptions,
                    audience,
                    max_age,
                } => {
                    let settings = AzureDocumentSettings {
                        authorities: authorities(&name, &roots, intermediates.as_deref())?,
                        names,
                        subscriptions,
                        audience,
                        max_age,
                    };
                    let before = providers.azure_document.replace((name.clone(), settings));
                    before.map(|(before, _)| before)
                }
                EvidenceSettings::StaticKeys(keys) => {
                    let before = providers.static_keys.replace((name.clone(), keys));
                    before.map(|(before, _)| before)
                }
            };
            if let Some(before) = before {
                return Err(EvidenceProvidersError::KindTwice(before, name));
            }
        }
        Ok(providers)
    }

    /// Has the provider of its kind check `evidence`, and says which that is.
    pub async fn attest(
        &self,
        kind: EvidenceKind,
        evidence: &str,
        now: UnixSeconds,
    ) -> Result<(&ProviderName, Attested), EvidenceRefusal> {
        match kind {
            EvidenceKind::AwsInstance => {
                let (name, settings) = known(self.aws_instance.as_ref())?;
                Ok((name, aws_instance::verify(evidence, settings, now)?))
            }
            EvidenceKind::AwsSts => {
                let (name, settings) = known(self.aws_sts.as_ref())?;
                Ok((name, aws_sts::verify(evidence, settings, now).await?))
            }
            EvidenceKind::AzureDocument => {
                let (name, settings) = known(self.azure_document.as_ref())?;
                Ok((name, azure_document::verify(evidence, settings, now)?))
            }
            EvidenceKind::StaticKey => {
                let (name, keys) = known(self.static_keys.as_ref())?;
                Ok((name, static_keys::verify(evidence, keys)?))
            }
        }
    }
}

fn known<T>(provider: Option<&T>) -> Result<&T, EvidenceRefusal> {
    provider.ok_or(EvidenceRefusal::NoProvider)
}

fn pinned(
    name: &ProviderName,
    files: &BTreeMap<String, PathBuf>,
) -> Result<RegionCertificates, EvidenceProvidersError> {
    let mut regions = BTreeMap::new();
    for (region, path) in files {
        let certificates = SignerCertificate::all_from_pem(&content(name, path)?);
        let certificates = certificates.map_err(|problem| file(name, path, problem))?;
        regions.insert(region.clone(), certificates);
    }
    RegionCertificates::new(regions).map_err(|problem| EvidenceProvidersError::Certificates {
        name: name.clone(),
        problem: problem.to_string(),
    })
}

fn authorities(
    name: &ProviderName,
    roots: &Path,
    intermediates: Option<&Path>,
) -> Result<Authorities, EvidenceProvidersError> {
    let between = intermediates.map(|path| content(name, path)).transpose()?;
    Authorities::from_pem(&content(name, roots)?, &between.unwrap_or_default())
        .map_err(|problem| file(name, roots, problem))
}

fn content(name: &ProviderName, path: &Path) -> Result<Vec<u8>, EvidenceProvidersError> {
    // One byte more, so that a file that is cut short is seen.
    let bytes = whole_file::read(path, MAX_FILE_BYTES + 1)
        .map_err(|problem| file(name, path, problem))?
        .ok_or_else(|| file(name, path, "is not there"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_FILE_BYTES) {
        return Ok(bytes);
    }
    Err(file(name, path, "is longer than 1 MiB"))
}

fn file(
    name: &ProviderName,
    path: &Path,
    problem: impl std::fmt::Display,
) -> EvidenceProvidersError {
    EvidenceProvidersError::File {
        name: name.clone(),
        path: path.display().to_string(),
        problem: problem.to_string(),
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
