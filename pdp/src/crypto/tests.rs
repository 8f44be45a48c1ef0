//! The ten algorithms against an independent oracle (`jsonwebtoken`) and against tampering.

use edgeward_core::jose::{
    Algorithm, BadSignature, CompactJws, KeySet, KeyUse, PublicKey, SignatureCheck as _,
    decode_base64url, encode_base64url,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AwsLc, KeyPurpose, Signer, SignerError};

fn key_of(signer: &Signer) -> PublicKey {
    PublicKey::from_jwk(&signer.public_jwk(KeyPurpose::Signature)).unwrap()
}

fn check(signer: &Signer, token: &str) -> Result<(), BadSignature> {
    let jws = CompactJws::parse(token).unwrap();
    AwsLc.check(jws.algorithm, &key_of(signer), jws.signed, &jws.signature)
}

fn claims() -> Vec<u8> {
    json!({"iss": "https://i.test", "sub": "s", "aud": "edgeward", "exp": 4_102_444_800_u64})
        .to_string()
        .into_bytes()
}

#[test]
fn every_algorithm_verifies_its_own_signature_and_no_other() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::generate(algorithm).unwrap();
        let other = Signer::generate(algorithm).unwrap();
        let token = signer.sign(Some("JWT"), &claims()).unwrap();
        assert_eq!(check(&signer, &token), Ok(()), "{algorithm}");
        assert_eq!(check(&other, &token), Err(BadSignature), "{algorithm}");
    }
}

#[test]
fn one_changed_bit_anywhere_breaks_the_signature() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::generate(algorithm).unwrap();
        let token = signer.sign(None, &claims()).unwrap();
        let jws = CompactJws::parse(&token).unwrap();
        let key = key_of(&signer);
        for at in [0, jws.signature.len() / 2, jws.signature.len() - 1] {
            let mut forged = jws.signature.clone();
            forged[at] ^= 1;
            assert!(
                AwsLc.check(algorithm, &key, jws.signed, &forged).is_err(),
                "{algorithm}"
            );
        }
        let mut changed = jws.signed.to_vec();
        changed[3] ^= 1;
        assert!(
            AwsLc
                .check(algorithm, &key, &changed, &jws.signature)
                .is_err(),
            "{algorithm}"
        );
        for length in [0, 1, jws.signature.len() - 1] {
            let short = &jws.signature[..length];
            assert!(
                AwsLc.check(algorithm, &key, jws.signed, short).is_err(),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn a_signature_of_zeros_never_verifies() {
    // CVE-2022-21449: r = s = 0.
    for (algorithm, length) in [
        (Algorithm::Es256, 64),
        (Algorithm::Es384, 96),
        (Algorithm::Es512, 132),
    ] {
        let key = key_of(&Signer::generate(algorithm).unwrap());
        assert!(
            AwsLc
                .check(algorithm, &key, b"x.y", &vec![0; length])
                .is_err()
        );
    }
}

#[test]
fn a_point_off_the_curve_never_verifies() {
    let signer = Signer::generate(Algorithm::Es256).unwrap();
    let token = signer.sign(None, b"{}").unwrap();
    let jws = CompactJws::parse(&token).unwrap();
    let mut jwk = signer.public_jwk(KeyPurpose::Signature);
    jwk.insert("y".to_owned(), encode_base64url(&[7; 32]).into());
    let key = PublicKey::from_jwk(&jwk).unwrap();
    assert!(
        AwsLc
            .check(Algorithm::Es256, &key, jws.signed, &jws.signature)
            .is_err()
    );
}

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_a_refusal() {
    let rsa = Signer::generate(Algorithm::Rs256).unwrap();
    let token = rsa.sign(None, b"{}").unwrap();
    let jws = CompactJws::parse(&token).unwrap();
    for algorithm in Algorithm::ALL
        .into_iter()
        .filter(|other| *other != Algorithm::Rs256)
    {
        let refused = AwsLc.check(algorithm, &key_of(&rsa), jws.signed, &jws.signature);
        assert_eq!(refused, Err(BadSignature), "{algorithm}");
    }
}

/// The algorithms `jsonwebtoken` knows: all but ES512.
fn oracle(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    algorithm.as_str().parse().ok()
}

#[test]
fn an_independent_library_accepts_what_we_sign_and_we_what_it_signs() {
    let mut compared = 0;
    for algorithm in Algorithm::ALL {
        let Some(theirs) = oracle(algorithm) else {
            continue;
        };
        compared += 1;
        let signer = Signer::generate(algorithm).unwrap();
        let jwk = Value::Object(signer.public_jwk(KeyPurpose::Signature));
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).unwrap();
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let ours = signer.sign(Some("JWT"), &claims()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(theirs);
        rules.set_audience(&["edgeward"]);
        jsonwebtoken::decode::<Value>(&ours, &decoding, &rules)
            .unwrap_or_else(|error| panic!("{algorithm}: {error}"));

        let pem = signer.to_pkcs8_pem().unwrap();
        let encoding = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                jsonwebtoken::EncodingKey::from_ec_pem(pem.as_bytes())
            }
            Algorithm::EdDsa => jsonwebtoken::EncodingKey::from_ed_pem(pem.as_bytes()),
            _ => jsonwebtoken::EncodingKey::from_rsa_pem(pem.as_bytes()),
        }
        .unwrap_or_else(|error| panic!("{algorithm}: {error}"));
        let header = jsonwebtoken::Header::new(theirs);
        let claims: Value = serde_json::from_slice(&claims()).unwrap();
        let theirs = jsonwebtoken::encode(&header, &claims, &encoding).unwrap();
        assert_eq!(check(&signer, &theirs), Ok(()), "{algorithm}");
    }
    assert_eq!(compared, 9);
}

#[test]
fn a_key_survives_being_written_and_read() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::generate(algorithm).unwrap();
        let pem = signer.to_pkcs8_pem().unwrap();
        let again = Signer::from_pkcs8(pem.as_bytes(), Some(algorithm)).unwrap();
        assert_eq!(again.key_id(), signer.key_id(), "{algorithm}");
        let token = again.sign(None, b"{}").unwrap();
        assert_eq!(check(&signer, &token), Ok(()), "{algorithm}");
        let guessed = Signer::from_pkcs8(pem.as_bytes(), None).unwrap();
        let rsa = matches!(algorithm.as_str().get(..1), Some("R" | "P"));
        assert_eq!(
            guessed.algorithm(),
            if rsa { Algorithm::Rs256 } else { algorithm }
        );
    }
    assert_eq!(
        Signer::from_pkcs8(b"", None).unwrap_err(),
        SignerError::NoKnownKey
    );
    let pem = Signer::generate(Algorithm::Es256)
        .unwrap()
        .to_pkcs8_pem()
        .unwrap();
    let wrong = Signer::from_pkcs8(pem.as_bytes(), Some(Algorithm::EdDsa)).unwrap_err();
    assert_eq!(wrong, SignerError::NotAKey(Algorithm::EdDsa));
}

#[test]
fn the_key_id_is_the_rfc_7638_thumbprint() {
    let signer = Signer::generate(Algorithm::Es256).unwrap();
    let jwk = signer.public_jwk(KeyPurpose::JwtSvid);
    let text = |name: &str| jwk[name].as_str().unwrap().to_owned();
    let canonical = format!(
        r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
        text("x"),
        text("y")
    );
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes());
    assert_eq!(decode_base64url(signer.key_id()).unwrap(), digest.as_ref());
    let set = json!({"keys": [jwk]}).to_string();
    let set = KeySet::parse(set.as_bytes(), KeyUse::JwtSvid).unwrap();
    assert!(set.contains(signer.key_id()));
}

#[test]
fn debug_output_does_not_show_the_private_key() {
    let signer = Signer::generate(Algorithm::Es256).unwrap().with_key_id("k");
    assert_eq!(
        format!("{signer:?}"),
        r#"Signer { algorithm: Es256, key_id: "k", .. }"#
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_a_signature_or_a_private_key(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        prop_assert!(Signer::from_pkcs8(&bytes, None).is_err());
        let key = key_of(&Signer::generate(Algorithm::EdDsa).unwrap());
        prop_assert!(AwsLc.check(Algorithm::EdDsa, &key, b"x.y", &bytes).is_err());
    }
}
