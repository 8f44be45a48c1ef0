//! Key sets and bundles: public keys only, each for its own use.

use edgeward_core::bundle::SpiffeBundle;
use edgeward_core::jose::{Algorithm, KeySet, KeyUse, MAX_KEYS};
use edgeward_core::json;
use serde_json::Value;

use crate::Verdict;

/// A set, written and read back, is itself; nothing secret is ever written; and a key is only
/// chosen for an algorithm that fits it.
pub fn jwks(data: &[u8]) -> Verdict {
    let mut verdict = Verdict::Refused;
    for key_use in [KeyUse::Signature, KeyUse::JwtSvid] {
        let Ok(set) = KeySet::parse(data, key_use) else {
            continue;
        };
        if !set.is_empty() {
            verdict = Verdict::Accepted;
        }
        assert!(set.len() + set.ignored().len() <= MAX_KEYS);
        let written = set.to_jwks(key_use);
        public_members_only(&written);
        let again = KeySet::from_members(&written, key_use);
        assert!(again.is_ok(), "{:?}", again.err());
        let again = again.unwrap_or_default();
        assert!(again.ignored().is_empty(), "{:?}", again.ignored());
        assert_eq!((again.len(), again.to_jwks(key_use)), (set.len(), written));
        chooses_what_fits(&set);
    }
    verdict
}

fn public_members_only(set: &serde_json::Map<String, Value>) {
    let keys = set.get("keys").and_then(Value::as_array);
    assert!(keys.is_some() && set.len() == 1);
    for key in keys.into_iter().flatten().filter_map(Value::as_object) {
        let public = ["kty", "n", "e", "crv", "x", "y", "alg", "kid", "use"];
        assert!(key.keys().all(|name| public.contains(&name.as_str())));
    }
}

fn chooses_what_fits(set: &KeySet) {
    for algorithm in Algorithm::ALL {
        for key_id in [None, Some("a"), Some("es"), Some("rs"), Some("")] {
            if let Ok(key) = set.select(key_id, algorithm) {
                assert!(key.may_verify(algorithm));
                assert!(key_id.is_none() || key.key_id() == key_id);
                assert!(!key.spki_der().is_empty());
            }
        }
    }
}

/// A bundle's JWT keys are those of its use, named, and never one of its X.509 authorities.
pub fn bundle(data: &[u8]) -> Verdict {
    let Ok(bundle) = SpiffeBundle::parse(data) else {
        return Verdict::Refused;
    };
    let keys = KeySet::parse(data, KeyUse::JwtSvid);
    assert_eq!(keys.ok().as_ref(), Some(&bundle.jwt_keys));
    let members = json::parse_object(data).unwrap_or_default();
    let entries = members.get("keys").and_then(Value::as_array);
    let of_use = |name: &str| {
        let same = |entry: &&Value| entry.get("use").and_then(Value::as_str) == Some(name);
        entries.into_iter().flatten().filter(same).count()
    };
    let keys = &bundle.jwt_keys;
    assert_eq!(keys.len() + keys.ignored().len(), of_use("jwt-svid"));
    assert_eq!(bundle.x509_authorities.len(), of_use("x509-svid"));
    for certificate in &bundle.x509_authorities {
        assert!(
            !certificate.is_empty(),
            "an authority without a certificate"
        );
    }
    for key in keys
        .to_jwks(KeyUse::JwtSvid)
        .values()
        .filter_map(Value::as_array)
        .flatten()
    {
        assert!(key.get("kid").is_some_and(Value::is_string));
    }
    for (name, value) in [
        ("spiffe_sequence", bundle.sequence),
        ("spiffe_refresh_hint", bundle.refresh_hint),
    ] {
        assert_eq!(members.get(name).and_then(Value::as_u64), value);
        assert_eq!(members.contains_key(name), value.is_some());
    }
    Verdict::Accepted
}
