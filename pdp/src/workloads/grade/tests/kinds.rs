//! Subjects and attributes of each kind of provider, and what they are graded.

use super::*;

#[test]
fn subjects_are_taken_apart_as_each_platform_makes_them() {
    use Grade::{Caution, Dangerous, Safe};
    use ProviderKind::{Aws, Bitbucket, Circleci, Github, Gitlab, Kubernetes, Spiffe, Terraform};
    for (kind, subject, wanted) in [
        (Github, "repo:octo@3/shop@7:ref:refs/heads/main", Safe),
        (Github, "repo:octo@3/shop@7:ref:refs/heads/ma*", Caution),
        (Github, "repo:octo@3/shop@7:pull_request", Dangerous),
        (Github, "repo:**@3/shop@7:ref:refs/heads/main", Dangerous),
        (Github, "repo:octo/shop:environment:prod", Caution),
        (Github, "repo:octo/shop:**", Dangerous),
        (Github, "repository_id:7:environment:prod", Safe),
        (Github, "**:environment:prod", Dangerous),
        (Gitlab, "project_id:20:ref_type:branch:ref:main", Safe),
        (Gitlab, "project_id:20:ref_type:*:ref:main", Caution),
        (Gitlab, "project_id:20:ref_type:tag:ref:v1", Caution),
        (
            Gitlab,
            "project_path:a/b:ref_type:branch:ref:main",
            Dangerous,
        ),
        (
            Terraform,
            "organization:o:project:p:workspace:w:run_phase:apply",
            Caution,
        ),
        (
            Terraform,
            "organization:o:project:p:workspace:w:run_phase:*",
            Dangerous,
        ),
        (
            Terraform,
            "organization:*:project:p:workspace:w:run_phase:apply",
            Dangerous,
        ),
        (Bitbucket, "{7}:{8}:*", Safe),
        (Bitbucket, "{7}:*", Caution),
        (Bitbucket, "{7}:{9}", Caution),
        (Bitbucket, "*:{8}:*", Dangerous),
        (Circleci, "org/1/project/2/user/3", Safe),
        (Circleci, "org/1/project/2/user/*", Dangerous),
        (Kubernetes, "system:serviceaccount:shop:cart", Safe),
        (Kubernetes, "system:serviceaccount:shop:*", Caution),
        (Kubernetes, "system:serviceaccount:*:cart", Dangerous),
        (Aws, "arn:aws:iam::123456789012:role/deploy", Safe),
        (Aws, "arn:aws:sts::123456789012:assumed-role/deploy/*", Safe),
        (Aws, "arn:aws:iam::123456789012:role/*", Caution),
        (Aws, "arn:aws:iam::*:role/deploy", Dangerous),
        (Spiffe, "spiffe://partner.example/cart", Safe),
        (Spiffe, "spiffe://partner.example/shop/*", Caution),
        (Spiffe, "spiffe://partner.example/*", Dangerous),
        (Spiffe, "spiffe://**", Dangerous),
    ] {
        let seen = graded(kind, &[("subject", &[subject])]);
        assert_eq!(seen.0, wanted, "{kind:?} {subject} {:?}", seen.1);
    }
}

#[test]
fn a_stored_key_is_dangerous_whatever_is_told_of_it() {
    for named in [
        ("subject", "spiffe://prod.example/cart"),
        ("repository_id", "7"),
        ("name", "cart"),
    ] {
        let seen = graded(ProviderKind::StaticKeys, &[(named.0, &[named.1])]);
        assert_eq!(seen, (Grade::Dangerous, vec!["static-key"]), "{named:?}");
    }
}

#[test]
fn the_attributes_of_each_kind_are_known() {
    use Grade::{Caution, Dangerous, Safe};
    use ProviderKind::{Aws, Azure, Circleci, Gcp, Gitlab, Kubernetes, Oidc, Spiffe, Terraform};
    let cases: &[(ProviderKind, Named<'_>, Grade)] = &[
        (
            Gitlab,
            &[
                ("project_path", &["a/b"]),
                ("ref_path", &["refs/heads/main"]),
            ],
            Dangerous,
        ),
        (
            Gitlab,
            &[
                ("namespace_id", &["72"]),
                ("project_path", &["a/b"]),
                ("ref_path", &["refs/heads/main"]),
            ],
            Caution,
        ),
        (
            Gitlab,
            &[("project_id", &["20"]), ("ref", &["main"])],
            Caution,
        ),
        (
            Gitlab,
            &[
                ("project_id", &["20"]),
                ("ref", &["main"]),
                ("ref_type", &["branch"]),
            ],
            Safe,
        ),
        (
            Terraform,
            &[("workspace_name", &["prod"]), ("run_phase", &["apply"])],
            Dangerous,
        ),
        (
            Terraform,
            &[
                ("organization_name", &["o"]),
                ("workspace_name", &["prod"]),
                ("run_phase", &["apply"]),
            ],
            Caution,
        ),
        (
            Terraform,
            &[("workspace_id", &["ws-1"]), ("run_phase", &["apply"])],
            Safe,
        ),
        (Circleci, &[("project_id", &["2"])], Dangerous),
        (
            Circleci,
            &[("project_id", &["2"]), ("ssh_rerun", &["false"])],
            Caution,
        ),
        (
            Kubernetes,
            &[("namespace", &["a"]), ("service_account", &["b"])],
            Safe,
        ),
        (Kubernetes, &[("service_account", &["b"])], Dangerous),
        (Kubernetes, &[("service_account_uid", &["u"])], Safe),
        (Aws, &[("role_name", &["deploy"])], Dangerous),
        (
            Aws,
            &[("account", &["123456789012"]), ("role_name", &["deploy"])],
            Safe,
        ),
        (Gcp, &[("email", &["a@b.iam.gserviceaccount.com"])], Caution),
        (Gcp, &[("subject", &["1234"])], Safe),
        (Azure, &[("tenant", &["t"])], Caution),
        (Azure, &[("object_id", &["o"])], Safe),
        (Azure, &[("resource_id", &["/subscriptions/s/vm"])], Caution),
        (Spiffe, &[("path", &["/cart"])], Safe),
        (Spiffe, &[("path", &["/shop/*"])], Caution),
        (Spiffe, &[("trust_domain", &["partner.example"])], Dangerous),
        (Oidc, &[("groups", &["ops"])], Dangerous),
        (Oidc, &[("subject", &["a"])], Safe),
    ];
    for (kind, by, wanted) in cases {
        let seen = graded(*kind, by);
        assert_eq!(seen.0, *wanted, "{kind:?} {by:?} {:?}", seen.1);
    }
}
