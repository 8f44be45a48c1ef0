//! Which platforms there are, and the order in which they are tried.
//!
//! Files and variables that somebody put there for this purpose come before what every process of a
//! machine can ask for; evidence that counts once, or says least, comes last.

use std::str::FromStr;

use thiserror::Error;

use super::evidence::Evidence;
use super::probe::{ProbeError, Probed, Surroundings};
use super::{aws, azure, ci_tokens, gcp, github, kubernetes, spiffe};

/// What may vouch for a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// A file that is named.
    File,
    /// A variable that is named.
    Variable,
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// `CircleCI`.
    CircleCi,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// HCP Terraform.
    Terraform,
    /// A projected service account token.
    Kubernetes,
    /// The SPIFFE Workload API.
    Spiffe,
    /// A caller of AWS.
    Aws,
    /// Google Cloud.
    Gcp,
    /// A managed identity of Azure.
    Azure,
    /// An instance identity document of AWS.
    AwsInstance,
    /// An attested document of Azure.
    AzureDocument,
}

/// The text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is none of {}", names())]
pub(crate) struct PlatformError;

impl Platform {
    /// Those that are tried where none is named, in this order.
    pub(crate) const TRIED: [Self; 12] = [
        Self::Github,
        Self::Gitlab,
        Self::CircleCi,
        Self::Bitbucket,
        Self::Terraform,
        Self::Kubernetes,
        Self::Spiffe,
        Self::Aws,
        Self::Gcp,
        Self::Azure,
        Self::AwsInstance,
        Self::AzureDocument,
    ];

    /// Its name on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Variable => "env",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::CircleCi => "circleci",
            Self::Bitbucket => "bitbucket",
            Self::Terraform => "terraform",
            Self::Kubernetes => "kubernetes",
            Self::Spiffe => "spiffe",
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::AwsInstance => "aws-instance",
            Self::AzureDocument => "azure-document",
        }
    }

    /// Whether it vouches for this workload, and by which evidence.
    pub(super) async fn probe(self, surroundings: &Surroundings) -> Result<Probed, ProbeError> {
        let variables = &surroundings.variables;
        match self {
            Self::File => named_file(surroundings),
            Self::Variable => named_variable(surroundings),
            Self::Github => github::probe(surroundings).await,
            Self::Gitlab => ci_tokens::probe(&ci_tokens::GITLAB, variables),
            Self::CircleCi => ci_tokens::probe(&ci_tokens::CIRCLECI, variables),
            Self::Bitbucket => ci_tokens::probe(&ci_tokens::BITBUCKET, variables),
            Self::Terraform => ci_tokens::probe(&ci_tokens::TERRAFORM, variables),
            Self::Kubernetes => kubernetes::probe(surroundings),
            Self::Spiffe => spiffe::probe(surroundings).await,
            Self::Aws => aws::probe_caller(surroundings).await,
            Self::Gcp => gcp::probe(surroundings).await,
            Self::Azure => azure::probe_identity(surroundings).await,
            Self::AwsInstance => aws::probe_instance(surroundings).await,
            Self::AzureDocument => azure::probe_document(surroundings).await,
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let mut all = Self::TRIED.into_iter();
        all.find(|platform| platform.as_str() == text)
            .ok_or(PlatformError)
    }
}

fn names() -> String {
    Platform::TRIED.map(Platform::as_str).join(", ")
}

fn named_file(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let Some(file) = &surroundings.evidence_file else {
        return Ok(Probed::absent("no file is named"));
    };
    match Evidence::of_file(file, surroundings.evidence_type)? {
        Some(evidence) => Ok(Probed::Found(evidence)),
        None => Ok(Probed::absent(format!("there is no `{}`", file.display()))),
    }
}

fn named_variable(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let Some(name) = &surroundings.evidence_variable else {
        return Ok(Probed::absent("no variable is named"));
    };
    let Some(text) = surroundings.variables.get(name) else {
        return Ok(Probed::absent(format!("{name} is not set")));
    };
    let evidence = Evidence::of_text(text, surroundings.evidence_type, name)?;
    Ok(Probed::Found(evidence))
}
