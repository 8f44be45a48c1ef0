//! Wycheproof's JSON Web Signatures, key sets and encryptions.

use edgeward_core::jose::{KeySet, KeyUse, decode_base64url};
use serde_json::{Value, json};

use crate::data::{Data, list, text};
use crate::table::Suite;
use crate::verdict;

const SIGNATURES: &str = "json_web_signature_test.json";
const HMAC: &str = "HMAC is refused by design";
const ENCRYPTED: &str = "JWE is refused by design: bearer tokens are signed, not encrypted";
/// Figure 20 of RFC 7520 with a key that the suite gives the wrong `alg`. tcId 338 and 340 are the
/// same case (a good signature, another PS algorithm than the key's own) and labelled invalid.
const OTHER_ALGORITHM: [u64; 2] = [346, 350];
const WRONG_KEY_ALGORITHM: &str = "the key's own `alg` is another PS algorithm (tcId 338 and 340 label that invalid); verified once that `alg` is taken away";
/// Labelled valid although a segment has a question mark in it; RFC 7515 signs the received ASCII.
const MUST_BE_REFUSED: [u64; 2] = [372, 373];

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let mut suites = vec![
        signatures(data, SIGNATURES),
        signatures(data, "json_web_key_test.json"),
        signatures(data, "json_web_crypto_test.json"),
        encryptions(data),
    ];
    suites[0].note("tcId 372 and 373 (`?` inside a segment) are refused, as ORIGIN.yaml demands");
    suites
}

fn signatures(data: &Data, file: &str) -> Suite {
    let mut suite = Suite::new(format!("wycheproof {file}"));
    for group in list(&data.json(file), "/testGroups") {
        let keys = key_set(group);
        check_mixed(&mut suite, group, &keys);
        for test in list(group, "/tests") {
            let case = format!("tcId {} {}", test["tcId"], text(test, "/comment"));
            let token = token(test);
            let seen = verdict::of_jws(&token, &keys);
            let label = text(test, "/result");
            let is_one_of =
                |ids: [u64; 2]| file == SIGNATURES && ids.iter().any(|id| test["tcId"] == *id);
            if is_one_of(MUST_BE_REFUSED) {
                let spoilt = token.split('.').any(|part| decode_base64url(part).is_err());
                suite.check(seen.is_refused() && spoilt, case, seen);
            } else if is_one_of(OTHER_ALGORITHM) {
                let without = verdict::of_jws(&token, &without_algorithm(&keys));
                let held = seen.is_refused() && without.is_verified();
                suite.refused_by_design(held, case, (seen, without), WRONG_KEY_ALGORITHM);
            } else if label == "valid" && test.get("jwe").is_some() {
                suite.refused_by_design(seen.is_refused(), case, seen, ENCRYPTED);
            } else if label == "valid" && is_hmac(&token) {
                suite.refused_by_design(seen.is_refused(), case, seen, HMAC);
            } else {
                suite.check(seen.is(label), case, seen);
            }
        }
    }
    suite
}

/// The token of a case. A general serialisation is an object: its text has no third part.
fn token(test: &Value) -> String {
    match test.get("jws").or_else(|| test.get("jwe")) {
        Some(Value::String(token)) => token.clone(),
        Some(other) => other.to_string(),
        None => panic!("the suite has a case without a token: {test}"),
    }
}

fn without_algorithm(keys: &Value) -> Value {
    let mut keys = keys.clone();
    for key in keys["keys"].as_array_mut().expect("keys") {
        key.as_object_mut().expect("a key").remove("alg");
    }
    keys
}

/// The group's key or key set, the public one where there is one.
fn key_set(group: &Value) -> Value {
    let key = group.get("public").unwrap_or(&group["private"]);
    match key.get("keys") {
        Some(_) => key.clone(),
        None => json!({"keys": [key]}),
    }
}

/// A set that has a secret among public keys is refused whole, whatever token comes with it.
fn check_mixed(suite: &mut Suite, group: &Value, keys: &Value) {
    let kinds: Vec<&str> = list(keys, "/keys")
        .iter()
        .map(|key| text(key, "/kty"))
        .collect();
    if kinds.contains(&"oct") && kinds.iter().any(|kind| *kind != "oct") {
        let seen = KeySet::parse(keys.to_string().as_bytes(), KeyUse::Signature);
        let case = format!("mixed set {}", text(group, "/comment"));
        suite.check(seen.is_err(), case, seen);
    }
}

fn is_hmac(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    decode_base64url(header).is_ok_and(|header| {
        serde_json::from_slice::<Value>(&header).is_ok_and(|header| {
            header["alg"]
                .as_str()
                .is_some_and(|alg| alg.starts_with("HS"))
        })
    })
}

/// No encrypted token is ever looked at, good or bad.
fn encryptions(data: &Data) -> Suite {
    let file = "json_web_encryption_test.json";
    let mut suite = Suite::new(format!("wycheproof {file}"));
    suite.note("every JWE is refused, whatever its label: bearer tokens are signed, not encrypted");
    for group in list(&data.json(file), "/testGroups") {
        let keys = key_set(group);
        for test in list(group, "/tests") {
            let seen = verdict::of_jws(&token(test), &keys);
            let case = format!("tcId {} {}", test["tcId"], text(test, "/comment"));
            suite.check(seen.is_refused(), case, seen);
        }
    }
    suite
}
