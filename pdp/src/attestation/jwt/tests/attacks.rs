//! What attackers would send, and what must not be read as evidence.

use edgeward_core::bundle::SpiffeBundle;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{KeyOwner, TokenRules, TrustDomainTrust};
use serde_json::json;

use super::stage::{
    CLUSTER, Case, GITHUB, GOOGLE, NOW, TENANT, azure, changed, full, gcp, github, kubernetes,
    without,
};
use crate::attestation::jwt::{JwtProviders, Platform};
use crate::crypto::KeyPurpose;

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
    let shared = changed(&claims, "/aud", json!(["edgeward", "https://other.test"]));
    assert_eq!(case.code(&shared), "evidence-audience-shared");
    case.attest(&changed(&claims, "/aud", json!(["edgeward"])))
        .unwrap();
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
