//! What the attributes of each kind of trust provider say of a workload. Names are those of the
//! attributes as the providers tell them (`crate::attestation`).
//!
//! Sources: each platform's documentation of its claims, as collected in the suite `oidc-subjects`.

use super::Grade;
use super::provider_kind::{Facet, Profile, ProviderKind, Subject};

impl ProviderKind {
    pub(super) fn profile(self) -> &'static Profile {
        match self {
            Self::Github => &GITHUB,
            Self::Gitlab => &GITLAB,
            Self::Terraform => &TERRAFORM,
            Self::Bitbucket => &BITBUCKET,
            Self::Circleci => &CIRCLECI,
            Self::Kubernetes => &KUBERNETES,
            Self::Aws => &AWS,
            Self::Gcp => &GCP,
            Self::Azure => &AZURE,
            Self::Spiffe => &SPIFFE,
            Self::Oidc => &OIDC,
            Self::StaticKeys => &STATIC_KEYS,
        }
    }
}

const GITHUB: Profile = Profile {
    facets: &[
        ("repository_id", Facet::ThingId),
        ("repository", Facet::ThingName),
        ("repository_owner_id", Facet::OwnerId),
        ("enterprise_id", Facet::OwnerId),
        ("repository_owner", Facet::OwnerName),
        ("enterprise", Facet::OwnerName),
        ("ref", Facet::Scope),
        ("environment", Facet::Scope),
        ("environment_node_id", Facet::Scope),
        ("workflow_ref", Facet::Scope),
        ("sha", Facet::Scope),
        ("ref_protected", Facet::Protected),
        ("event_name", Facet::Event),
        ("job_workflow_ref", Facet::Workflow),
        ("run_id", Facet::SingleRun),
        ("check_run_id", Facet::SingleRun),
    ],
    subject: Subject::Pairs(
        ':',
        &[
            ("repo", Facet::Repository),
            ("repository_id", Facet::ThingId),
            ("repository_owner_id", Facet::OwnerId),
            ("repository_owner", Facet::OwnerName),
            ("ref", Facet::Scope),
            ("environment", Facet::Scope),
            ("job_workflow_ref", Facet::Workflow),
        ],
    ),
    names: Grade::Caution,
    whole_owner: Grade::Caution,
    id: "`repository_id`",
    scope: Some("`ref` or `environment`"),
};

const GITLAB: Profile = Profile {
    facets: &[
        ("project_id", Facet::ThingId),
        ("project_path", Facet::ThingName),
        ("namespace_id", Facet::OwnerId),
        ("namespace_path", Facet::OwnerName),
        ("ref", Facet::RefName),
        ("ref_type", Facet::RefType),
        ("ref_path", Facet::Scope),
        ("environment", Facet::Scope),
        ("sha", Facet::Scope),
        ("ref_protected", Facet::Protected),
        ("environment_protected", Facet::Protected),
        ("pipeline_source", Facet::Event),
        ("job_id", Facet::SingleRun),
        ("pipeline_id", Facet::SingleRun),
    ],
    subject: Subject::Pairs(
        ':',
        &[
            ("project_id", Facet::ThingId),
            ("project_path", Facet::ThingName),
            ("ref", Facet::RefName),
            ("ref_type", Facet::RefType),
        ],
    ),
    // A path is free again as soon as nobody has it; older and self-managed instances give it anew.
    names: Grade::Dangerous,
    whole_owner: Grade::Caution,
    id: "`project_id`",
    scope: Some("`ref_path` (or `ref` and `ref_type`), or `environment`"),
};

const TERRAFORM: Profile = Profile {
    facets: &[
        ("workspace_id", Facet::ThingId),
        ("workspace_name", Facet::OwnedName),
        ("full_workspace", Facet::ThingName),
        ("organization_id", Facet::OwnerId),
        ("organization_name", Facet::OwnerName),
        ("run_phase", Facet::Scope),
        ("run_id", Facet::SingleRun),
    ],
    subject: Subject::Pairs(
        ':',
        &[
            ("organization", Facet::OwnerName),
            ("workspace", Facet::OwnedName),
            ("run_phase", Facet::Scope),
        ],
    ),
    names: Grade::Caution,
    whole_owner: Grade::Caution,
    id: "`workspace_id`",
    scope: Some("`run_phase`: a plan runs before anybody approves it"),
};

const BITBUCKET: Profile = Profile {
    facets: &[
        ("repository_uuid", Facet::ThingId),
        ("workspace_uuid", Facet::OwnerId),
        ("deployment_environment_uuid", Facet::Scope),
        ("branch", Facet::Narrows),
        ("step_uuid", Facet::SingleRun),
        ("pipeline_uuid", Facet::SingleRun),
        ("pipeline_run_uuid", Facet::SingleRun),
    ],
    subject: Subject::Steps,
    names: Grade::Caution,
    // The issuer is the workspace's own: every token is of it.
    whole_owner: Grade::Dangerous,
    id: "`repository_uuid`",
    scope: Some("`deployment_environment_uuid`"),
};

const CIRCLECI: Profile = Profile {
    facets: &[
        ("project_id", Facet::ThingId),
        ("vcs_ref", Facet::Narrows),
        ("context_ids", Facet::Narrows),
        ("ssh_rerun", Facet::Debugging),
    ],
    subject: Subject::Pairs(
        '/',
        &[
            ("org", Facet::OwnerId),
            ("project", Facet::ThingId),
            ("user", Facet::Scope),
        ],
    ),
    names: Grade::Caution,
    // The issuer is the organization's own: every token is of it.
    whole_owner: Grade::Dangerous,
    id: "`project_id`",
    scope: Some("the user, in `subject`"),
};

const KUBERNETES: Profile = Profile {
    facets: &[
        ("service_account_uid", Facet::ThingId),
        ("service_account", Facet::OwnedName),
        ("pod_uid", Facet::SingleRun),
        ("namespace", Facet::OwnerId),
    ],
    subject: Subject::ServiceAccount,
    // Who rules a namespace rules its service accounts: the names are as good as ids.
    names: Grade::Safe,
    whole_owner: Grade::Caution,
    id: "`namespace` and `service_account`",
    scope: None,
};

const AWS: Profile = Profile {
    facets: &[
        ("user_id", Facet::ThingId),
        ("instance_id", Facet::ThingId),
        ("arn", Facet::Arn),
        ("role_name", Facet::OwnedName),
        ("account", Facet::OwnerId),
        ("org_id", Facet::OwnerId),
    ],
    subject: Subject::Whole(Facet::Arn),
    // Who rules an account rules its roles.
    names: Grade::Safe,
    whole_owner: Grade::Caution,
    id: "`arn`, with the account in it",
    scope: None,
};

const GCP: Profile = Profile {
    facets: &[
        ("email", Facet::ThingName),
        ("instance_id", Facet::ThingId),
        ("project_id", Facet::OwnerId),
        ("project_number", Facet::OwnerId),
    ],
    subject: Subject::Whole(Facet::ThingId),
    names: Grade::Caution,
    whole_owner: Grade::Caution,
    id: "`subject`, the account's unique id",
    scope: None,
};

const AZURE: Profile = Profile {
    facets: &[
        ("object_id", Facet::ThingId),
        ("vm_id", Facet::ThingId),
        ("app_id", Facet::ThingId),
        ("resource_id", Facet::ThingName),
        ("compute_resource_id", Facet::ThingName),
        ("tenant", Facet::OwnerId),
        ("subscription_id", Facet::OwnerId),
    ],
    subject: Subject::Whole(Facet::ThingId),
    names: Grade::Caution,
    whole_owner: Grade::Caution,
    id: "`object_id`",
    scope: None,
};

const SPIFFE: Profile = Profile {
    facets: &[
        ("spiffe_id", Facet::SpiffeId),
        // The provider is of one trust domain.
        ("path", Facet::SpiffeId),
        ("trust_domain", Facet::OwnerName),
    ],
    subject: Subject::Whole(Facet::SpiffeId),
    names: Grade::Safe,
    whole_owner: Grade::Caution,
    id: "`subject`, the whole SPIFFE ID",
    scope: None,
};

const OIDC: Profile = Profile {
    facets: &[
        ("email", Facet::ThingName),
        ("client_id", Facet::ThingId),
        ("azp", Facet::ThingId),
    ],
    subject: Subject::Whole(Facet::ThingId),
    names: Grade::Caution,
    whole_owner: Grade::Dangerous,
    id: "`subject`",
    scope: None,
};

/// Attributes are whatever the configuration tells of a key: none binds anything.
const STATIC_KEYS: Profile = Profile {
    facets: &[],
    subject: Subject::Whole(Facet::OwnedName),
    names: Grade::Dangerous,
    whole_owner: Grade::Dangerous,
    id: "what a platform vouches for",
    scope: None,
};
