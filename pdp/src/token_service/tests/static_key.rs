//! A static key for a token, in development.

use edgeward_core::revocation::{Revocations, Revoked, digest_of_token};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Builder;

use super::stage::{Stage, workload_by};
use crate::attestation::Attributes;
use crate::attestation::evidence::{EvidenceKind, EvidenceSettings};
use crate::attestation::static_keys::StaticKeys;

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_key_makes_the_workload_that_its_attributes_do_until_it_is_revoked() {
    let mut attributes = Attributes::default();
    attributes.tell("name", "cart").unwrap();
    let keys = StaticKeys::new(vec![(Sha256::digest(KEY).into(), attributes)]).unwrap();
    let mut stage = Stage::with(|parts| {
        parts.workloads = vec![workload_by("cart", "laptop", ("name", "cart"))];
        parts.evidence = vec![(
            "laptop".parse().unwrap(),
            EvidenceSettings::StaticKeys(keys),
        )];
    });
    let runtime = Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let kind = EvidenceKind::StaticKey.as_str();
    let audience = [("audience", "orders")];
    let issued = stage.ask_by(kind, KEY, &audience).unwrap();
    assert_eq!(issued.workload.name.as_str(), "cart");
    assert_eq!(issued.expires_in, 300, "as any other token");
    for (shown, code) in [
        (KEY.to_uppercase(), "static-key-unknown"),
        ("short".to_owned(), "evidence-unreadable"),
    ] {
        let refused = stage.ask_by(kind, &shown, &audience).unwrap_err();
        assert_eq!(
            (refused.code(), refused.oauth_error()),
            (code, "invalid_request")
        );
    }
    // A key is no JWT, nor the other way round.
    assert_eq!(stage.code(KEY, &audience), "token-not-compact");
    let named = [("audience", "orders"), ("trust_provider", "cluster")];
    let refused = stage.ask_by(kind, KEY, &named).unwrap_err();
    assert_eq!(refused.code(), "evidence-provider-mismatch");
    for (revoked, code) in [
        (Revoked::TokenDigest(digest_of_token(KEY)), "token-revoked"),
        (
            Revoked::Subject("spiffe://prod.test/cart".to_owned()),
            "subject-revoked",
        ),
    ] {
        stage.revocations = Revocations::of([&revoked]);
        let refused = stage.ask_by(kind, KEY, &audience).unwrap_err();
        assert_eq!(refused.code(), code);
    }
}
