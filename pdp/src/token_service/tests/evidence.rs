//! Evidence for a token: what stands in it, and who gets none.

use edgeward_core::revocation::{Revocations, Revoked, digest_of_token};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Audiences, KeyOwner, TokenRules, Trust, TrustDomainTrust, verify};
use serde_json::json;

use super::stage::{CLUSTER, ISSUER, Stage, claims};
use crate::crypto::AwsLc;
use crate::token_service::ExchangeRefusal;

#[test]
fn a_workload_gets_a_jwt_svid_that_the_filter_takes() {
    let stage = Stage::new();
    let issued = stage.ask(
        &stage.evidence("cart"),
        &[("audience", "orders"), ("scope", "read")],
    );
    let issued = issued.unwrap();
    assert_eq!(issued.expires_in, 300);
    let mut trust = Trust::default();
    let audiences = Audiences::try_from(vec!["orders".to_owned()]).unwrap();
    let domain = TrustDomainTrust {
        rules: TokenRules::for_trust_domain(audiences),
        keys: stage.service.published().keys.clone(),
    };
    trust
        .trust_domains
        .insert("prod.test".parse().unwrap(), domain);
    let verified = verify(&issued.token, &trust, stage.now, &AwsLc).unwrap();
    assert_eq!(verified.subject.to_string(), "spiffe://prod.test/cart");
    assert_eq!(verified.claims.token_id.as_deref(), Some(&*issued.token_id));
    let claims = claims(&issued.token);
    assert_eq!(claims["scope"], "read");
    assert_eq!(claims["iss"], ISSUER);
    let provenance =
        json!({ "workload": "cart", "provider": "cluster", "attested_at": stage.now.0 });
    assert_eq!(claims["edgeward"], provenance);
    assert!(claims.get("act").is_none() && claims.get("cnf").is_none());
    let next = stage.token("cart", "orders");
    assert_ne!(
        super::stage::claims(&next)["jti"],
        claims["jti"],
        "each token has its own name"
    );
}

#[test]
fn an_access_token_names_its_client_and_no_spiffe_id_as_subject() {
    let stage = Stage::new();
    let kind = ("requested_token_type", crate::token_service::ACCESS_TOKEN);
    let issued = stage
        .ask(&stage.evidence("cart"), &[("audience", "orders"), kind])
        .unwrap();
    let claims = claims(&issued.token);
    assert_eq!(
        (&claims["sub"], &claims["iss"]),
        (&json!("cart"), &json!(ISSUER))
    );
    assert_eq!(claims["client_id"], "spiffe://prod.test/cart");
    let header = issued.token.split('.').next().unwrap();
    let header = edgeward_core::jose::decode_base64url(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["typ"], "at+jwt");
}

#[test]
fn a_token_is_for_whom_the_workload_may_call_and_says_no_more_than_granted() {
    let stage = Stage::new();
    let evidence = stage.evidence("cart");
    for (more, code) in [
        (vec![("audience", "payments")], "audience-not-granted"),
        (
            vec![("audience", "orders"), ("resource", "payments")],
            "audience-not-granted",
        ),
        (vec![("audience", "ORDERS")], "audience-not-granted"),
        (
            vec![("audience", "spiffe://prod.test")],
            "audience-not-granted",
        ),
        (
            vec![("audience", "orders"), ("scope", "read admin")],
            "scope-not-granted",
        ),
    ] {
        assert_eq!(stage.code(&evidence, &more), code, "{more:?}");
    }
}

#[test]
fn evidence_that_makes_no_workload_or_runs_elsewhere_gets_nothing() {
    let stage = Stage::new();
    let audience = [("audience", "orders")];
    assert_eq!(
        stage.code(&stage.evidence("stranger"), &audience),
        "client-workload-unknown"
    );
    // The name of the account alone binds nothing: another of that name has another uid.
    let recycled = json!({
        "kubernetes.io": { "namespace": "shop", "serviceaccount": { "name": "cart", "uid": "uid-new" } },
    });
    assert_eq!(
        stage.code(&stage.evidence_of("cart", &recycled), &audience),
        "client-workload-unknown"
    );
    let elsewhere = json!({
        "kubernetes.io": {
            "namespace": "shop", "serviceaccount": { "name": "cart", "uid": "uid-cart" },
            "node": { "name": "n-2", "uid": "u" },
        },
    });
    let refused = stage
        .ask(&stage.evidence_of("cart", &elsewhere), &audience)
        .unwrap_err();
    assert_eq!(refused.code(), "environment-mismatch");
    assert!(refused.to_string().contains("`node`"), "{refused}");
    let other = stage.evidence_of("cart", &json!({ "aud": "https://other.test" }));
    assert_eq!(stage.code(&other, &audience), "token-audience-mismatch");
    assert_eq!(stage.code("no token", &audience), "token-not-compact");
}

#[test]
fn evidence_is_good_until_it_ends_however_often_it_was_taken() {
    let mut stage = Stage::new();
    let evidence = stage.evidence("cart");
    let audience = [("audience", "orders")];
    for _ in 0..3 {
        stage.ask(&evidence, &audience).unwrap();
    }
    stage.now = UnixSeconds(stage.now.0 + 3659);
    let last = stage.ask(&evidence, &audience).unwrap();
    assert_eq!(
        last.expires_in, 1,
        "a token lives no longer than its evidence"
    );
    stage.now = UnixSeconds(stage.now.0 + 1);
    assert_eq!(stage.code(&evidence, &audience), "token-expired");
}

#[test]
fn evidence_that_counts_once_is_refused_the_second_time() {
    let stage = Stage::with(|parts| parts.single_use = true);
    let evidence = stage.evidence("cart");
    let audience = [("audience", "orders")];
    let other = stage.code(&evidence, &[("audience", "payments")]);
    assert_eq!(other, "audience-not-granted", "which uses nothing up");
    stage.ask(&evidence, &audience).unwrap();
    let refused = stage.ask(&evidence, &audience).unwrap_err();
    assert!(matches!(refused, ExchangeRefusal::Used(_)), "{refused}");
    assert_eq!(refused.code(), "evidence-replayed");
}

#[test]
fn a_revoked_workload_gets_no_token_nor_does_revoked_evidence_also_where_it_is_remembered() {
    let mut stage = Stage::new();
    let evidence = stage.evidence("cart");
    let audience = [("audience", "orders")];
    stage.ask(&evidence, &audience).unwrap();
    let cluster = KeyOwner::Issuer(CLUSTER.parse().unwrap());
    let evidence_token = Revoked::Token {
        owner: cluster.clone(),
        token_id: "cart-1".to_owned(),
    };
    let service_account = format!("{CLUSTER}|system:serviceaccount:shop:cart");
    for (revoked, code) in [
        (
            Revoked::Subject("spiffe://prod.test/cart".to_owned()),
            "subject-revoked",
        ),
        (
            Revoked::Owner(KeyOwner::TrustDomain("prod.test".parse().unwrap())),
            "trust-domain-revoked",
        ),
        (Revoked::Owner(cluster), "issuer-revoked"),
        (Revoked::Subject(service_account), "subject-revoked"),
        (evidence_token, "token-revoked"),
        (
            Revoked::TokenDigest(digest_of_token(&evidence)),
            "token-revoked",
        ),
    ] {
        stage.revocations = Revocations::of([&revoked]);
        assert_eq!(stage.code(&evidence, &audience), code, "{revoked:?}");
    }
    stage.certificate = Some([3; 32]);
    stage.revocations = Revocations::of([&Revoked::Certificate([3; 32])]);
    assert_eq!(stage.code(&evidence, &audience), "certificate-revoked");
}

#[test]
fn a_token_bound_to_a_certificate_is_issued_to_who_shows_it_only() {
    let mut stage = Stage::with(|parts| parts.grant("cart").certificate_bound = true);
    let evidence = stage.evidence("cart");
    let audience = [("audience", "orders")];
    assert_eq!(stage.code(&evidence, &audience), "certificate-needed");
    stage.certificate = Some([9; 32]);
    let claims = claims(&stage.ask(&evidence, &audience).unwrap().token);
    let digest = edgeward_core::jose::encode_base64url(&[9; 32]);
    assert_eq!(claims["cnf"]["x5t#S256"], digest);
}
