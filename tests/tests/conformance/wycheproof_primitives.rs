//! Wycheproof's vectors for the arithmetic below the JWS algorithms, through both signature checks.

use edgeward_core::jose::{Algorithm, PublicKey, encode_base64url};
use serde_json::{Map, Value, json};

use crate::data::{Data, hex, list, text};
use crate::table::Suite;
use crate::verdict;

const FILES: [(&str, Algorithm); 10] = [
    ("ecdsa_secp256r1_sha256_p1363_test.json", Algorithm::Es256),
    ("ecdsa_secp384r1_sha384_p1363_test.json", Algorithm::Es384),
    ("ecdsa_secp521r1_sha512_p1363_test.json", Algorithm::Es512),
    ("rsa_signature_2048_sha256_test.json", Algorithm::Rs256),
    ("rsa_signature_3072_sha384_test.json", Algorithm::Rs384),
    ("rsa_signature_4096_sha512_test.json", Algorithm::Rs512),
    ("rsa_pss_2048_sha256_mgf1_32_test.json", Algorithm::Ps256),
    ("rsa_pss_2048_sha384_mgf1_48_test.json", Algorithm::Ps384),
    ("rsa_pss_4096_sha512_mgf1_64_test.json", Algorithm::Ps512),
    ("ed25519_test.json", Algorithm::EdDsa),
];

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let mut suites: Vec<Suite> = FILES
        .iter()
        .map(|(file, algorithm)| primitive(&data.json(file), *algorithm))
        .collect();
    let mut macs = Suite::new("wycheproof hmac_sha*");
    for size in ["256", "384", "512"] {
        for group in list(
            &data.json(&format!("hmac_sha{size}_test.json")),
            "/testGroups",
        ) {
            for _ in list(group, "/tests") {
                macs.skip("HMAC is refused by design: there is no code to run");
            }
        }
    }
    suites.push(macs);
    suites
}

fn primitive(file: &Value, algorithm: Algorithm) -> Suite {
    let mut suite = Suite::new(format!("wycheproof {algorithm} arithmetic"));
    let mut acceptable = 0;
    for group in list(file, "/testGroups") {
        let key = match PublicKey::from_jwk(&jwk(group, algorithm)) {
            Ok(key) => key,
            Err(error) => {
                suite.check(false, "key", error);
                continue;
            }
        };
        let spki = hex(text(group, "/publicKeyDer"));
        suite.check(key.spki_der() == spki, "SubjectPublicKeyInfo", &spki);
        for test in list(group, "/tests") {
            let case = format!("tcId {} {}", test["tcId"], text(test, "/comment"));
            let (signed, signature) = (hex(text(test, "/msg")), hex(text(test, "/sig")));
            let seen = verdict::of_signature(algorithm, &key, &signed, &signature);
            acceptable += usize::from(test["result"] == "acceptable");
            suite.check(seen.is(text(test, "/result")), case, seen);
        }
    }
    suite.note("each group's key is one case more: our SubjectPublicKeyInfo is the suite's");
    if acceptable > 0 {
        suite.note(format!(
            "{acceptable} labelled `acceptable` (missing NULL) are refused"
        ));
    }
    suite
}

/// The group's key as a JWK that may be used with `algorithm`.
fn jwk(group: &Value, algorithm: Algorithm) -> Map<String, Value> {
    let key = &group["publicKey"];
    let mut jwk = match algorithm {
        Algorithm::EdDsa => json!({
            "kty": "OKP", "crv": "Ed25519", "x": encode_base64url(&hex(text(key, "/pk"))),
        }),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => {
            let point = hex(text(key, "/uncompressed"));
            let (x, y) = point[1..].split_at(point.len() / 2);
            let curve = match algorithm {
                Algorithm::Es256 => "P-256",
                Algorithm::Es384 => "P-384",
                _ => "P-521",
            };
            json!({"kty": "EC", "crv": curve, "x": encode_base64url(x), "y": encode_base64url(y)})
        }
        _ => json!({
            "kty": "RSA",
            "n": encode_base64url(&hex(text(key, "/modulus"))),
            "e": encode_base64url(&hex(text(key, "/publicExponent"))),
        }),
    };
    jwk["alg"] = algorithm.as_str().into();
    jwk.as_object().expect("an object").clone()
}
