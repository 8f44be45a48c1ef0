//! CI systems that put a job's token into its environment: GitLab, `CircleCI`, Bitbucket, HCP Terraform.
//!
//! Sources: docs.gitlab.com "OpenID Connect (OIDC) Authentication Using ID Tokens"; circleci.com/docs "Using
//! OpenID Connect tokens in jobs"; support.atlassian.com "Integrate Pipelines with resource servers using
//! OIDC"; developer.hashicorp.com "Manually generate workload identity tokens".

use super::evidence::{Evidence, EvidenceType};
use super::probe::{ProbeError, Probed};
use super::variables::Variables;

/// Where one system's token is.
pub(super) struct TokenVariables {
    /// Set in every job of the system.
    sign: &'static str,
    /// Those that may have the token, the first that is set counts.
    tokens: &'static [&'static str],
    /// What to do where none is.
    help: &'static str,
}

pub(super) const GITLAB: TokenVariables = TokenVariables {
    sign: "GITLAB_CI",
    tokens: &["EDGEWARD_ID_TOKEN"],
    help: "give the job `id_tokens: { EDGEWARD_ID_TOKEN: { aud: … } }`",
};
pub(super) const CIRCLECI: TokenVariables = TokenVariables {
    sign: "CIRCLECI",
    tokens: &["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"],
    help: "jobs have it unless OIDC tokens are off for the project, or a fork's pull request runs it",
};
pub(super) const BITBUCKET: TokenVariables = TokenVariables {
    sign: "BITBUCKET_BUILD_NUMBER",
    tokens: &["BITBUCKET_STEP_OIDC_TOKEN"],
    help: "give the step `oidc: true`",
};
pub(super) const TERRAFORM: TokenVariables = TokenVariables {
    sign: "TFC_RUN_ID",
    tokens: &[
        "TFC_WORKLOAD_IDENTITY_TOKEN_EDGEWARD",
        "TFC_WORKLOAD_IDENTITY_TOKEN",
    ],
    help: "set TFC_WORKLOAD_IDENTITY_AUDIENCE in the workspace",
};

/// Looks for the token.
pub(super) fn probe(of: &TokenVariables, variables: &Variables) -> Result<Probed, ProbeError> {
    let wanted = of.tokens.join(" or ");
    if variables.get(of.sign).is_none() {
        return Ok(Probed::absent(format!("{} is not set", of.sign)));
    }
    let mut tokens = of.tokens.iter();
    let found = tokens.find_map(|name| Some((name, variables.get(name)?)));
    let Some((name, token)) = found else {
        return Ok(Probed::absent(format!("{wanted} is not set: {}", of.help)));
    };
    Ok(Probed::Found(Evidence::of_text(
        token,
        EvidenceType::Jwt,
        name,
    )?))
}
