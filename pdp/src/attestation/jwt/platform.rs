//! What each platform's tokens say of a workload: which claims become attributes, and which of them
//! must be there.
//!
//! What this is not: whether a token holds; see [`super`]. Each table gives its source.

use super::claims::{Claim, Named};

/// Whose tokens these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// AWS outbound federation, `sts:GetWebIdentityToken`.
    AwsOidc,
    /// Managed identities of Azure.
    Azure,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// CircleCI.
    CircleCi,
    /// Identity tokens of Google Cloud's service accounts.
    Gcp,
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Projected service account tokens of a Kubernetes cluster.
    Kubernetes,
    /// Any OpenID Connect issuer: the configuration says which claims.
    Oidc,
    /// SPIFFE JWT-SVIDs.
    Spiffe,
    /// HCP Terraform and Terraform Enterprise.
    Terraform,
}

impl Platform {
    /// The word that the configuration has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwsOidc => "aws_oidc",
            Self::Azure => "azure",
            Self::Bitbucket => "bitbucket",
            Self::CircleCi => "circleci",
            Self::Gcp => "gcp",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Kubernetes => "kubernetes",
            Self::Oidc => "oidc",
            Self::Spiffe => "spiffe",
            Self::Terraform => "terraform",
        }
    }

    /// The claims that are read, beside `sub`, which is the attribute `subject` on every platform.
    pub(super) fn claims(self) -> &'static [Claim] {
        match self {
            Self::AwsOidc => AWS_OIDC,
            Self::Azure => AZURE,
            Self::Bitbucket => BITBUCKET,
            Self::CircleCi => CIRCLECI,
            Self::Gcp => GCP,
            Self::Github => GITHUB,
            Self::Gitlab => GITLAB,
            Self::Kubernetes => KUBERNETES,
            Self::Oidc | Self::Spiffe => &[],
            Self::Terraform => TERRAFORM,
        }
    }
}

/// docs.aws.amazon.com, "Understanding token claims" of outbound identity federation.
const AWS_OIDC: &[Claim] = &[
    Claim::needed(&["https://sts.amazonaws.com/", "aws_account"], "account"),
    Claim::all_below(&["https://sts.amazonaws.com/"]),
];

/// learn.microsoft.com, "Access token claims reference".
const AZURE: &[Claim] = &[
    Claim::needed(&["tid"], "tenant"),
    Claim::needed(&["oid"], "object_id"),
    Claim::known(&["appid"], "app_id"),
    Claim::known(&["azp"], "app_id"),
    Claim::known(&["xms_mirid"], "resource_id"),
    Claim::known(&["xms_az_rid"], "compute_resource_id"),
    Claim::known(&["roles"], "roles"),
];

/// support.atlassian.com, "Integrate Pipelines with resource servers using OIDC".
const BITBUCKET: &[Claim] = &[
    Claim::needed(&["workspaceUuid"], "workspace_uuid"),
    Claim::needed(&["repositoryUuid"], "repository_uuid"),
    Claim::known(&["pipelineUuid"], "pipeline_uuid"),
    Claim::known(&["pipelineRunUuid"], "pipeline_run_uuid"),
    Claim::known(&["stepUuid"], "step_uuid"),
    Claim::known(
        &["deploymentEnvironmentUuid"],
        "deployment_environment_uuid",
    ),
    Claim::known(&["branchName"], "branch"),
];

/// circleci.com/docs, "Using OpenID Connect tokens in jobs".
const CIRCLECI: &[Claim] = &[
    Claim::needed(&["oidc.circleci.com/project-id"], "project_id"),
    Claim::known(&["oidc.circleci.com/context-ids"], "context_ids"),
    Claim::known(&["oidc.circleci.com/vcs-origin"], "vcs_origin"),
    Claim::known(&["oidc.circleci.com/vcs-ref"], "vcs_ref"),
    Claim::known(&["oidc.circleci.com/ssh-rerun"], "ssh_rerun"),
];

/// cloud.google.com, "Verifying the identity of instances" (`format=full`).
const GCP: &[Claim] = &[
    Claim::known(&["email"], "email"),
    Claim::known(&["azp"], "authorized_party"),
    Claim::all_below(&["google", "compute_engine"]),
];

/// docs.github.com, "OpenID Connect reference". Names of repositories and owners are given away again;
/// their ids are not.
const GITHUB: &[Claim] = &[
    Claim::needed(&["repository_id"], "repository_id"),
    Claim::needed(&["repository_owner_id"], "repository_owner_id"),
    Claim::needed(&["repository"], "repository"),
    Claim::needed(&["repository_owner"], "repository_owner"),
    Claim::known(&["repository_visibility"], "repository_visibility"),
    Claim::known(&["ref"], "ref"),
    Claim::known(&["ref_type"], "ref_type"),
    Claim::known(&["ref_protected"], "ref_protected"),
    Claim::known(&["base_ref"], "base_ref"),
    Claim::known(&["head_ref"], "head_ref"),
    Claim::known(&["sha"], "sha"),
    Claim::known(&["workflow"], "workflow"),
    Claim::known(&["workflow_ref"], "workflow_ref"),
    Claim::known(&["workflow_sha"], "workflow_sha"),
    Claim::known(&["job_workflow_ref"], "job_workflow_ref"),
    Claim::known(&["job_workflow_sha"], "job_workflow_sha"),
    Claim::known(&["environment"], "environment"),
    Claim::known(&["environment_node_id"], "environment_node_id"),
    Claim::known(&["event_name"], "event_name"),
    Claim::known(&["runner_environment"], "runner_environment"),
    Claim::known(&["actor"], "actor"),
    Claim::known(&["actor_id"], "actor_id"),
    Claim::known(&["run_id"], "run_id"),
    Claim::known(&["run_attempt"], "run_attempt"),
    Claim::known(&["check_run_id"], "check_run_id"),
    Claim::known(&["enterprise"], "enterprise"),
    Claim::known(&["enterprise_id"], "enterprise_id"),
    Claim::all_named("repo_property_"),
];

/// docs.gitlab.com, "ID token payload".
const GITLAB: &[Claim] = &[
    Claim::needed(&["project_id"], "project_id"),
    Claim::needed(&["namespace_id"], "namespace_id"),
    Claim::known(&["project_path"], "project_path"),
    Claim::known(&["namespace_path"], "namespace_path"),
    Claim::known(&["project_visibility"], "project_visibility"),
    Claim::known(&["ref"], "ref"),
    Claim::known(&["ref_type"], "ref_type"),
    Claim::known(&["ref_path"], "ref_path"),
    Claim::known(&["ref_protected"], "ref_protected"),
    Claim::known(&["environment"], "environment"),
    Claim::known(&["environment_protected"], "environment_protected"),
    Claim::known(&["deployment_tier"], "deployment_tier"),
    Claim::known(&["pipeline_source"], "pipeline_source"),
    Claim::known(&["pipeline_id"], "pipeline_id"),
    Claim::known(&["job_id"], "job_id"),
    Claim::known(&["runner_environment"], "runner_environment"),
    Claim::known(&["runner_id"], "runner_id"),
    Claim::known(&["ci_config_ref_uri"], "ci_config_ref_uri"),
    Claim::known(&["ci_config_sha"], "ci_config_sha"),
    Claim::known(&["sha"], "sha"),
    Claim::known(&["user_id"], "user_id"),
    Claim::known(&["user_login"], "user_login"),
    Claim::known(&["user_access_level"], "user_access_level"),
];

/// kubernetes.io, "Managing service accounts": bound tokens.
const KUBERNETES: &[Claim] = &[
    Claim::needed(&["kubernetes.io", "namespace"], "namespace"),
    Claim::needed(
        &["kubernetes.io", "serviceaccount", "name"],
        "service_account",
    ),
    Claim::needed(
        &["kubernetes.io", "serviceaccount", "uid"],
        "service_account_uid",
    ),
    Claim::known(&["kubernetes.io", "pod", "name"], "pod"),
    Claim::known(&["kubernetes.io", "pod", "uid"], "pod_uid"),
    Claim::known(&["kubernetes.io", "node", "name"], "node"),
    Claim::known(&["kubernetes.io", "node", "uid"], "node_uid"),
];

/// developer.hashicorp.com, "Workload identity tokens".
const TERRAFORM: &[Claim] = &[
    Claim::needed(&["terraform_organization_id"], "organization_id"),
    Claim::known(&["terraform_organization_name"], "organization_name"),
    Claim::known(&["terraform_project_id"], "project_id"),
    Claim::known(&["terraform_project_name"], "project_name"),
    Claim::known(&["terraform_workspace_id"], "workspace_id"),
    Claim::known(&["terraform_workspace_name"], "workspace_name"),
    Claim::known(&["terraform_full_workspace"], "full_workspace"),
    Claim::known(&["terraform_run_phase"], "run_phase"),
    Claim::known(&["terraform_run_id"], "run_id"),
];

/// Claims that must agree where both are there, so that neither can be read for the other.
pub(super) fn agreements(platform: Platform) -> &'static [(&'static str, Named)] {
    match platform {
        Platform::Kubernetes => &[(
            "sub",
            Named {
                prefix: "system:serviceaccount:",
                attributes: &["namespace", "service_account"],
            },
        )],
        Platform::Gcp
        | Platform::AwsOidc
        | Platform::Azure
        | Platform::Bitbucket
        | Platform::CircleCi
        | Platform::Github
        | Platform::Gitlab
        | Platform::Oidc
        | Platform::Spiffe
        | Platform::Terraform => &[],
    }
}
