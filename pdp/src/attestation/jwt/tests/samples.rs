//! A token of each platform, and all that it tells.

use edgeward_core::time::UnixSeconds;
use serde_json::{Value, json};

use super::stage::{
    CLUSTER, Case, GITHUB, GOOGLE, NOW, TENANT, azure, full, gcp, github, kubernetes,
};
use crate::attestation::jwt::Platform;

/// A platform's token, and all that it tells.
struct Sample {
    platform: Platform,
    issuer: &'static str,
    claims: Value,
    told: &'static [(&'static str, &'static str)],
}

fn github_sample() -> Sample {
    Sample {
        platform: Platform::Github,
        issuer: GITHUB,
        claims: github(),
        told: &[
            ("ref", "refs/heads/main"),
            ("ref_protected", "true"),
            ("repo_property_tier", "gold"),
            ("repository", "octo/app"),
            ("repository_id", "34"),
            ("repository_owner", "octo"),
            ("repository_owner_id", "12"),
            ("runner_environment", "github-hosted"),
            ("subject", "repo:octo@12/app@34:ref:refs/heads/main"),
        ],
    }
}

fn kubernetes_sample() -> Sample {
    Sample {
        platform: Platform::Kubernetes,
        issuer: CLUSTER,
        claims: kubernetes(),
        told: &[
            ("namespace", "shop"),
            ("node", "n-1"),
            ("node_uid", "n-uid"),
            ("pod", "cart-1"),
            ("pod_uid", "p-1"),
            ("service_account", "cart"),
            ("service_account_uid", "u-1"),
            ("subject", "system:serviceaccount:shop:cart"),
        ],
    }
}

fn azure_sample() -> Sample {
    Sample {
        platform: Platform::Azure,
        issuer: TENANT,
        claims: azure(),
        told: &[
            ("app_id", "app-1"),
            ("object_id", "oid-1"),
            (
                "resource_id",
                "/subscriptions/s/resourcegroups/g/providers/x",
            ),
            ("subject", "oid-1"),
            ("tenant", "11111111-aaaa"),
        ],
    }
}

fn gcp_sample() -> Sample {
    Sample {
        platform: Platform::Gcp,
        issuer: GOOGLE,
        claims: gcp(),
        told: &[
            ("authorized_party", "1060"),
            ("email", "cart@shop.iam.gserviceaccount.com"),
            ("instance_id", "99"),
            ("instance_name", "vm"),
            ("license_id", "1"),
            ("license_id", "2"),
            ("project_id", "shop"),
            ("project_number", "42"),
            ("subject", "1060"),
            ("zone", "europe-west1-b"),
        ],
    }
}

fn aws_oidc_sample() -> Sample {
    Sample {
        platform: Platform::AwsOidc,
        issuer: "https://a1b2.tokens.sts.global.api.aws",
        claims: full(
            "https://a1b2.tokens.sts.global.api.aws",
            &json!({
                "sub": "arn:aws:iam::123456789012:role/cart",
                "https://sts.amazonaws.com/": {
                    "aws_account": "123456789012", "org_id": "o-1", "principal_tags": { "team": "shop" },
                },
            }),
        ),
        told: &[
            ("account", "123456789012"),
            ("aws_account", "123456789012"),
            ("org_id", "o-1"),
            ("principal_tags.team", "shop"),
            ("subject", "arn:aws:iam::123456789012:role/cart"),
        ],
    }
}

fn gitlab_sample() -> Sample {
    Sample {
        platform: Platform::Gitlab,
        issuer: "https://gitlab.test",
        claims: full(
            "https://gitlab.test",
            &json!({
                "sub": "project_path:g/p:ref_type:branch:ref:main", "project_id": "7", "namespace_id": "8",
                "ref_protected": "true", "user_identities": [{ "provider": "x" }],
            }),
        ),
        told: &[
            ("namespace_id", "8"),
            ("project_id", "7"),
            ("ref_protected", "true"),
            ("subject", "project_path:g/p:ref_type:branch:ref:main"),
        ],
    }
}

fn circle_ci_sample() -> Sample {
    Sample {
        platform: Platform::CircleCi,
        issuer: "https://oidc.circleci.com/org/o-1",
        claims: full(
            "https://oidc.circleci.com/org/o-1",
            &json!({
                "sub": "org/o-1/project/p-1/user/u-1",
                "oidc.circleci.com/project-id": "p-1",
                "oidc.circleci.com/context-ids": ["c-1", "c-2"],
                "oidc.circleci.com/ssh-rerun": false,
            }),
        ),
        told: &[
            ("context_ids", "c-1"),
            ("context_ids", "c-2"),
            ("project_id", "p-1"),
            ("ssh_rerun", "false"),
            ("subject", "org/o-1/project/p-1/user/u-1"),
        ],
    }
}

fn terraform_sample() -> Sample {
    Sample {
        platform: Platform::Terraform,
        issuer: "https://app.terraform.io",
        claims: full(
            "https://app.terraform.io",
            &json!({
                "sub": "organization:o:project:p:workspace:w:run_phase:apply",
                "terraform_organization_id": "org-1", "terraform_workspace_id": "ws-1",
                "terraform_run_phase": "apply",
            }),
        ),
        told: &[
            ("organization_id", "org-1"),
            ("run_phase", "apply"),
            (
                "subject",
                "organization:o:project:p:workspace:w:run_phase:apply",
            ),
            ("workspace_id", "ws-1"),
        ],
    }
}

#[test]
fn each_platform_s_token_becomes_its_attributes_and_nothing_else() {
    let samples = [
        github_sample(),
        kubernetes_sample(),
        azure_sample(),
        gcp_sample(),
        aws_oidc_sample(),
        gitlab_sample(),
        circle_ci_sample(),
        terraform_sample(),
    ];
    for sample in samples {
        let case = Case::of(sample.platform, sample.issuer);
        let attested = case.attest(&sample.claims).unwrap();
        let told: Vec<(&str, &str)> = attested
            .attributes
            .iter()
            .flat_map(|(name, values)| {
                values
                    .iter()
                    .map(move |value| (name.as_str(), value.as_str()))
            })
            .collect();
        assert_eq!(told, sample.told, "{:?}", sample.platform);
        assert_eq!(attested.expires_at, UnixSeconds(NOW.0 + 660), "with leeway");
    }
}
