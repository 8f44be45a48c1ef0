//! Kinds of trust providers, and the words in which attributes are judged: whose a workload is, which
//! it is, which of its runs.

use super::Grade;
use crate::attestation::evidence::EvidenceKind;
use crate::attestation::jwt::Platform;

/// Of which kind a trust provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// HCP Terraform.
    Terraform,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// `CircleCI`.
    Circleci,
    /// Kubernetes service accounts.
    Kubernetes,
    /// AWS: caller identity, outbound federation, instance identity documents.
    Aws,
    /// Google Cloud identity tokens.
    Gcp,
    /// Azure managed identities and attested documents.
    Azure,
    /// SPIFFE: another trust domain, or our own.
    Spiffe,
    /// Any other OpenID provider, or introspection.
    Oidc,
    /// Static keys, in development.
    StaticKeys,
}

impl From<Platform> for ProviderKind {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::AwsOidc => Self::Aws,
            Platform::Azure => Self::Azure,
            Platform::Bitbucket => Self::Bitbucket,
            Platform::CircleCi => Self::Circleci,
            Platform::Gcp => Self::Gcp,
            Platform::Github => Self::Github,
            Platform::Gitlab => Self::Gitlab,
            Platform::Kubernetes => Self::Kubernetes,
            Platform::Oidc => Self::Oidc,
            Platform::Spiffe => Self::Spiffe,
            Platform::Terraform => Self::Terraform,
        }
    }
}

impl From<EvidenceKind> for ProviderKind {
    fn from(kind: EvidenceKind) -> Self {
        match kind {
            EvidenceKind::AwsInstance | EvidenceKind::AwsSts => Self::Aws,
            EvidenceKind::AzureDocument => Self::Azure,
            EvidenceKind::StaticKey => Self::StaticKeys,
        }
    }
}

/// What an attribute says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    /// Which it is, by an id that no other ever has.
    ThingId,
    /// Which it is, by a name that has its owner's in it.
    ThingName,
    /// Which it is among those of its owner: nothing without the owner.
    OwnedName,
    /// GitHub's `owner/name` in subjects, where `owner@ID/name@ID` is an id.
    Repository,
    /// Whose it is, by an id.
    OwnerId,
    /// Whose it is, by a name.
    OwnerName,
    /// Which it is, in full; whose it is, where its path is open.
    SpiffeId,
    /// An Amazon resource name: the account is its owner's id.
    Arn,
    /// Which of its runs.
    Scope,
    /// Which of its runs, if `RefType` is bound too: a branch and a tag may have one name.
    RefName,
    /// `branch` or `tag`.
    RefType,
    /// Narrows the runs, never down to one branch or environment.
    Narrows,
    /// `true` where the ref is protected.
    Protected,
    /// What set the run off.
    Event,
    /// The reusable workflow that runs.
    Workflow,
    /// Another in each run.
    SingleRun,
    /// Whether somebody has a shell in the run.
    Debugging,
}

/// What the attribute `subject` is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Names and values in turn, parted by the first; these are the names that are known.
    Pairs(char, &'static [(&'static str, Facet)]),
    /// Bitbucket's `{repository}:{environment}:{step}`, the environment only where there is one.
    Steps,
    /// `system:serviceaccount:NAMESPACE:NAME`.
    ServiceAccount,
    /// One value.
    Whole(Facet),
}

/// How a platform is judged.
pub(super) struct Profile {
    /// What is known of its attributes; others say nothing.
    pub(super) facets: &'static [(&'static str, Facet)],
    pub(super) subject: Subject,
    /// What binding to a thing's name is worth.
    pub(super) names: Grade,
    /// What binding to the id of the owner alone is worth.
    pub(super) whole_owner: Grade,
    /// What to bind to.
    pub(super) id: &'static str,
    /// What narrows to one kind of run; none where there is no such thing.
    pub(super) scope: Option<&'static str>,
}

impl Profile {
    pub(super) fn facet(&self, name: &str) -> Option<Facet> {
        named(self.facets, name)
    }
}

pub(super) fn named(facets: &[(&str, Facet)], name: &str) -> Option<Facet> {
    let known = facets.iter().find(|(known, _)| *known == name);
    known.map(|(_, facet)| *facet)
}
