//! Real tokens, signed here, of every platform; and what their attackers would send.

use edgeward_core::bundle::SpiffeBundle;
use edgeward_core::jose::{Algorithm, KeySet, KeyUse};
use edgeward_core::token::{IssuerTrust, TokenRules, TrustDomainTrust};
use serde_json::json;

use super::*;
use crate::crypto::{KeyPurpose, Signer};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// One provider, with a key of its own.
struct Case {
    signer: Signer,
    provider: JwtProvider,
    trust: Trust,
}

impl Case {
    fn of(platform: Platform, issuer: &str) -> Self {
        let signer = Signer::generate(Algorithm::Es256).unwrap();
        let keys = json!({ "keys": [signer.public_jwk(KeyPurpose::Signature)] });
        let keys = KeySet::from_members(keys.as_object().unwrap(), KeyUse::Signature).unwrap();
        let audiences = vec!["edgeward".to_owned()].try_into().unwrap();
        let rules = TokenRules::for_issuer(audiences);
        let mut trust = Trust::default();
        let trusted = IssuerTrust { rules, keys };
        trust.issuers.insert(issuer.parse().unwrap(), trusted);
        let provider = JwtProvider {
            name: platform.as_str().parse().unwrap(),
            platform,
            owner: KeyOwner::Issuer(issuer.parse().unwrap()),
            claims: Vec::new(),
            single_use: false,
        };
        Self {
            signer,
            provider,
            trust,
        }
    }

    fn attest(&self, claims: &Value) -> Result<Attested, JwtRefusal> {
        self.attest_text(&claims.to_string())
    }

    fn attest_text(&self, claims: &str) -> Result<Attested, JwtRefusal> {
        let token = self.signer.sign(Some("JWT"), claims.as_bytes()).unwrap();
        let providers = JwtProviders::new([self.provider.clone()]).unwrap();
        let (_, attested, _) = providers.attest(&token, &self.trust, NOW)?;
        Ok(attested)
    }

    fn code(&self, claims: &Value) -> &'static str {
        self.attest(claims).unwrap_err().code()
    }
}

/// `claims` with what every token has.
fn full(issuer: &str, claims: &Value) -> Value {
    let mut all = json!({
        "iss": issuer, "aud": "edgeward", "iat": NOW.0, "nbf": NOW.0, "exp": NOW.0 + 600, "jti": "id-1",
    });
    let members = all.as_object_mut().unwrap();
    members.extend(claims.as_object().unwrap().clone());
    all
}

fn changed(claims: &Value, pointer: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    *claims.pointer_mut(pointer).unwrap() = value;
    claims
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn github() -> Value {
    full(
        GITHUB,
        &json!({
            "sub": "repo:octo@12/app@34:ref:refs/heads/main",
            "repository": "octo/app", "repository_id": "34",
            "repository_owner": "octo", "repository_owner_id": "12",
            "ref": "refs/heads/main", "ref_protected": "true", "runner_environment": "github-hosted",
            "base_ref": "", "repo_property_tier": "gold", "private_thing": "never read",
        }),
    )
}

const CLUSTER: &str = "https://cluster.test";

fn kubernetes() -> Value {
    full(
        CLUSTER,
        &json!({
            "sub": "system:serviceaccount:shop:cart",
            "kubernetes.io": {
                "namespace": "shop",
                "serviceaccount": { "name": "cart", "uid": "u-1" },
                "pod": { "name": "cart-1", "uid": "p-1" },
                "node": { "name": "n-1", "uid": "n-uid" },
            },
        }),
    )
}

const TENANT: &str = "https://sts.windows.net/11111111-aaaa/";

fn azure() -> Value {
    full(
        TENANT,
        &json!({
            "sub": "oid-1", "tid": "11111111-aaaa", "oid": "oid-1", "appid": "app-1", "idtyp": "app",
            "xms_mirid": "/subscriptions/s/resourcegroups/g/providers/x",
        }),
    )
}

const GOOGLE: &str = "https://accounts.google.com";

fn gcp() -> Value {
    full(
        GOOGLE,
        &json!({
            "sub": "1060", "email": "cart@shop.iam.gserviceaccount.com", "email_verified": true, "azp": "1060",
            "google": { "compute_engine": {
                "project_id": "shop", "project_number": 42, "zone": "europe-west1-b", "instance_id": "99",
                "instance_name": "vm", "license_id": ["1", "2"],
            } },
        }),
    )
}

#[test]
fn each_platform_s_token_becomes_its_attributes_and_nothing_else() {
    let cases: [(Platform, &str, Value, &[(&str, &str)]); 8] = [
        (
            Platform::Github,
            GITHUB,
            github(),
            &[
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
        ),
        (
            Platform::Kubernetes,
            CLUSTER,
            kubernetes(),
            &[
                ("namespace", "shop"),
                ("node", "n-1"),
                ("node_uid", "n-uid"),
                ("pod", "cart-1"),
                ("pod_uid", "p-1"),
                ("service_account", "cart"),
                ("service_account_uid", "u-1"),
                ("subject", "system:serviceaccount:shop:cart"),
            ],
        ),
        (
            Platform::Azure,
            TENANT,
            azure(),
            &[
                ("app_id", "app-1"),
                ("object_id", "oid-1"),
                (
                    "resource_id",
                    "/subscriptions/s/resourcegroups/g/providers/x",
                ),
                ("subject", "oid-1"),
                ("tenant", "11111111-aaaa"),
            ],
        ),
        (
            Platform::Gcp,
            GOOGLE,
            gcp(),
            &[
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
        ),
        (
            Platform::AwsOidc,
            "https://a1b2.tokens.sts.global.api.aws",
            full(
                "https://a1b2.tokens.sts.global.api.aws",
                &json!({
                    "sub": "arn:aws:iam::123456789012:role/cart",
                    "https://sts.amazonaws.com/": {
                        "aws_account": "123456789012", "org_id": "o-1", "principal_tags": { "team": "shop" },
                    },
                }),
            ),
            &[
                ("account", "123456789012"),
                ("aws_account", "123456789012"),
                ("org_id", "o-1"),
                ("principal_tags.team", "shop"),
                ("subject", "arn:aws:iam::123456789012:role/cart"),
            ],
        ),
        (
            Platform::Gitlab,
            "https://gitlab.test",
            full(
                "https://gitlab.test",
                &json!({
                    "sub": "project_path:g/p:ref_type:branch:ref:main", "project_id": "7", "namespace_id": "8",
                    "ref_protected": "true", "user_identities": [{ "provider": "x" }],
                }),
            ),
            &[
                ("namespace_id", "8"),
                ("project_id", "7"),
                ("ref_protected", "true"),
                ("subject", "project_path:g/p:ref_type:branch:ref:main"),
            ],
        ),
        (
            Platform::CircleCi,
            "https://oidc.circleci.com/org/o-1",
            full(
                "https://oidc.circleci.com/org/o-1",
                &json!({
                    "sub": "org/o-1/project/p-1/user/u-1",
                    "oidc.circleci.com/project-id": "p-1",
                    "oidc.circleci.com/context-ids": ["c-1", "c-2"],
                    "oidc.circleci.com/ssh-rerun": false,
                }),
            ),
            &[
                ("context_ids", "c-1"),
                ("context_ids", "c-2"),
                ("project_id", "p-1"),
                ("ssh_rerun", "false"),
                ("subject", "org/o-1/project/p-1/user/u-1"),
            ],
        ),
        (
            Platform::Terraform,
            "https://app.terraform.io",
            full(
                "https://app.terraform.io",
                &json!({
                    "sub": "organization:o:project:p:workspace:w:run_phase:apply",
                    "terraform_organization_id": "org-1", "terraform_workspace_id": "ws-1",
                    "terraform_run_phase": "apply",
                }),
            ),
            &[
                ("organization_id", "org-1"),
                ("run_phase", "apply"),
                (
                    "subject",
                    "organization:o:project:p:workspace:w:run_phase:apply",
                ),
                ("workspace_id", "ws-1"),
            ],
        ),
    ];
    for (platform, issuer, claims, expected) in cases {
        let case = Case::of(platform, issuer);
        let attested = case.attest(&claims).unwrap();
        let told: Vec<(&str, &str)> = attested
            .attributes
            .iter()
            .flat_map(|(name, values)| {
                values
                    .iter()
                    .map(move |value| (name.as_str(), value.as_str()))
            })
            .collect();
        assert_eq!(told, expected, "{platform:?}");
        assert_eq!(attested.expires_at, UnixSeconds(NOW.0 + 660), "with leeway");
    }
}

#[test]
fn a_token_that_is_not_addressed_to_us_or_not_that_issuer_s_is_refused() {
    let case = Case::of(Platform::Github, GITHUB);
    let claims = github();
    for (pointer, value, code) in [
        (
            "/aud",
            json!("sts.amazonaws.com"),
            "token-audience-mismatch",
        ),
        ("/iss", json!([GITHUB]), "token-claim-invalid"),
        (
            "/iss",
            json!("https://token.actions.githubusercontent.com/"),
            "token-issuer-unknown",
        ),
        ("/iss", json!("https://evil.test"), "token-issuer-unknown"),
        ("/exp", json!(NOW.0 - 61), "token-expired"),
        ("/exp", json!("9999999999"), "token-claim-invalid"),
        ("/exp", json!(NOW.0 + 90_000), "token-lifetime-too-long"),
        ("/nbf", json!([0]), "token-claim-invalid"),
        ("/nbf", json!(NOW.0 + 61), "token-not-yet-valid"),
    ] {
        assert_eq!(
            case.code(&changed(&claims, pointer, value.clone())),
            code,
            "{pointer} {value}"
        );
    }
    let foreign = Case::of(Platform::Github, GITHUB);
    let token = foreign
        .signer
        .sign(Some("JWT"), claims.to_string().as_bytes())
        .unwrap();
    let providers = JwtProviders::new([case.provider.clone()]).unwrap();
    let refused = providers.attest(&token, &case.trust, NOW).unwrap_err();
    assert_eq!(
        refused.code(),
        "token-key-unknown",
        "signed by another's key"
    );
}

#[test]
fn a_claim_that_names_the_workload_must_be_there_and_be_of_its_type() {
    let case = Case::of(Platform::Github, GITHUB);
    for name in [
        "repository_id",
        "repository_owner_id",
        "repository",
        "repository_owner",
    ] {
        assert_eq!(
            case.code(&without(&github(), name)),
            "evidence-claim-missing",
            "{name}"
        );
        for value in [json!({}), json!([["34"]]), json!(3.4)] {
            let claims = changed(&github(), &format!("/{name}"), value.clone());
            assert_eq!(
                case.code(&claims),
                "evidence-claim-invalid",
                "{name} {value}"
            );
        }
        for value in [json!(null), json!(""), json!([])] {
            let claims = changed(&github(), &format!("/{name}"), value.clone());
            assert_eq!(
                case.code(&claims),
                "evidence-claim-missing",
                "{name} {value}"
            );
        }
    }
    let claims = changed(&github(), "/ref", json!("refs/heads/main\nx"));
    assert_eq!(case.code(&claims), "evidence-claim-invalid");
}

#[test]
fn a_service_account_s_subject_and_its_parts_say_the_same() {
    let case = Case::of(Platform::Kubernetes, CLUSTER);
    for (pointer, value, code) in [
        (
            "/sub",
            json!("system:serviceaccount:shop:admin"),
            "evidence-claims-disagree",
        ),
        (
            "/sub",
            json!("system:serviceaccount:shop:cart:x"),
            "evidence-claims-disagree",
        ),
        (
            "/sub",
            json!("system:node:shop:cart"),
            "evidence-claims-disagree",
        ),
        (
            "/kubernetes.io/namespace",
            json!("kube-system"),
            "evidence-claims-disagree",
        ),
        (
            "/kubernetes.io/namespace",
            json!(["shop", "shop"]),
            "evidence-claims-disagree",
        ),
        (
            "/kubernetes.io/serviceaccount",
            json!("cart"),
            "evidence-claim-invalid",
        ),
        ("/kubernetes.io", json!(null), "evidence-claim-missing"),
    ] {
        let claims = changed(&kubernetes(), pointer, value.clone());
        assert_eq!(case.code(&claims), code, "{pointer} {value}");
    }
    // A service account secret of old never expires and has no such claims.
    assert_eq!(
        case.code(&without(&kubernetes(), "kubernetes.io")),
        "evidence-claim-missing"
    );
    let twice = kubernetes().to_string().replace(
        r#""namespace":"shop""#,
        r#""namespace":"shop","namespace":"kube-system""#,
    );
    let refused = case.attest_text(&twice).unwrap_err();
    assert_eq!(refused.code(), "token-payload-invalid", "{refused}");
}

#[test]
fn another_tenant_s_token_and_a_person_s_are_no_workload_s() {
    let case = Case::of(Platform::Azure, TENANT);
    let other = changed(&azure(), "/tid", json!("22222222-bbbb"));
    assert_eq!(case.code(&other), "evidence-claims-disagree");
    let person = changed(&azure(), "/idtyp", json!("user"));
    assert_eq!(case.code(&person), "evidence-not-a-workload");
    let issuer = changed(
        &azure(),
        "/iss",
        json!("https://sts.windows.net/22222222-bbbb/"),
    );
    assert_eq!(case.code(&issuer), "token-issuer-unknown");

    let google = Case::of(Platform::Gcp, GOOGLE);
    for value in [json!(false), json!("true"), json!(null)] {
        let claims = changed(&gcp(), "/email_verified", value);
        assert_eq!(google.code(&claims), "evidence-not-a-workload");
    }
    assert_eq!(
        google.code(&without(&gcp(), "email_verified")),
        "evidence-not-a-workload"
    );
}

#[test]
fn an_issuer_cannot_speak_for_a_trust_domain_nor_a_trust_domain_for_another() {
    let case = Case::of(Platform::Oidc, "https://idp.test");
    let claims = full(
        "https://idp.test",
        &json!({ "sub": "spiffe://prod.test/cart" }),
    );
    assert_eq!(case.code(&claims), "token-trust-domain-unknown");

    let domain = spiffe("prod.test");
    let attested = domain
        .attest(&full("x", &json!({ "sub": "spiffe://prod.test/cart" })))
        .unwrap();
    assert_eq!(
        attested.attributes.single("spiffe_id"),
        Some("spiffe://prod.test/cart")
    );
    assert_eq!(
        attested.attributes.single("trust_domain"),
        Some("prod.test")
    );
    assert_eq!(attested.attributes.single("path"), Some("/cart"));
    let foreign = full("x", &json!({ "sub": "spiffe://other.test/cart" }));
    assert_eq!(domain.code(&foreign), "token-trust-domain-unknown");
}

fn spiffe(name: &str) -> Case {
    let mut case = Case::of(Platform::Spiffe, "https://unused.test");
    let keys = json!({ "keys": [case.signer.public_jwk(KeyPurpose::JwtSvid)] });
    let bundle = SpiffeBundle::from_members(keys.as_object().unwrap()).unwrap();
    let audiences = vec!["edgeward".to_owned()].try_into().unwrap();
    let trusted = TrustDomainTrust {
        rules: TokenRules::for_trust_domain(audiences),
        keys: bundle.jwt_keys,
    };
    case.trust
        .trust_domains
        .insert(name.parse().unwrap(), trusted);
    case.provider.owner = KeyOwner::TrustDomain(name.parse().unwrap());
    case
}

#[test]
fn an_oidc_issuer_s_claims_are_those_that_the_configuration_names() {
    let mut case = Case::of(Platform::Oidc, "https://idp.test");
    case.provider.claims = vec!["groups".to_owned(), "absent".to_owned()];
    let claims = full(
        "https://idp.test",
        &json!({ "sub": "a", "groups": ["x", "y"], "role": "root" }),
    );
    let attributes = case.attest(&claims).unwrap().attributes;
    assert_eq!(attributes.values("groups"), ["x", "y"]);
    assert!(attributes.values("role").is_empty() && attributes.values("absent").is_empty());
    let claims = changed(&claims, "/groups", json!({ "x": true }));
    assert_eq!(case.code(&claims), "evidence-claim-invalid");
}

#[test]
fn a_provider_that_takes_each_token_once_knows_it_by_its_id() {
    let mut case = Case::of(Platform::Github, GITHUB);
    assert_eq!(case.attest(&github()).unwrap().once, None);
    case.provider.single_use = true;
    let once = case.attest(&github()).unwrap().once.unwrap();
    assert_eq!(once.id, "github:id-1");
    assert_eq!(once.until, Some(UnixSeconds(NOW.0 + 660)));
    assert_eq!(
        case.code(&without(&github(), "jti")),
        "evidence-claim-missing"
    );
}

#[test]
fn no_two_providers_take_the_tokens_of_one_issuer() {
    let (first, mut second) = (
        Case::of(Platform::Github, GITHUB),
        Case::of(Platform::Oidc, GITHUB),
    );
    second.provider.name = "second".parse().unwrap();
    let twice = JwtProviders::new([first.provider, second.provider]).unwrap_err();
    assert!(
        twice.to_string().contains("`github` and of `second`"),
        "{twice}"
    );
}
