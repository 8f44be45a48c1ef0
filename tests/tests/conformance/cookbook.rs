//! The examples of RFC 7520 and RFC 7797.

use edgeward_core::jose::{CompactJws, JwsError, PublicKey};
use serde_json::{Value, json};

use crate::data::{Data, text};
use crate::table::Suite;
use crate::verdict;

const HMAC: &str = "HMAC is refused by design";

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let mut signatures = Suite::new("jose-cookbook signatures");
    for folder in ["jws", "rfc7797"] {
        for file in data.files(folder) {
            example(&mut signatures, &file, &data.json(&file));
        }
    }
    let file = "curve25519/jws.json";
    example(&mut signatures, file, &data.json(file));
    let encrypted = data.json("curve25519/ecdh-es.json");
    let seen = verdict::of_jws(text(&encrypted, "/output/compact"), &json!({"keys": []}));
    signatures.check(
        seen.is_refused(),
        "curve25519/ecdh-es.json: a JWE is refused",
        seen,
    );
    signatures.note(
        "JSON serialisations, detached content and `b64` false are cases that must be refused",
    );
    vec![signatures, keys(data)]
}

fn example(suite: &mut Suite, file: &str, example: &Value) {
    let keys = match &example["input"]["key"] {
        Value::Array(keys) => json!({"keys": keys}),
        key => json!({"keys": [key]}),
    };
    let output = &example["output"];
    for form in ["json", "json_flat"] {
        if let Some(serialised) = output.get(form) {
            let seen = verdict::of_jws(&serialised.to_string(), &keys);
            suite.check(
                seen.is_refused(),
                format!("{file}: {form} is refused"),
                seen,
            );
        }
    }
    let Some(compact) = output["compact"].as_str() else {
        return;
    };
    let seen = verdict::of_jws(compact, &keys);
    if file.starts_with("rfc7797") {
        let unencoded = CompactJws::parse(compact);
        let forbidden = matches!(unencoded, Err(JwsError::ForbiddenParameter { .. }));
        suite.check(
            forbidden || seen.is_refused(),
            format!("{file}: refused"),
            seen,
        );
    } else if text(example, "/input/alg").starts_with("HS") {
        suite.refused_by_design(seen.is_refused(), file, seen, HMAC);
    } else {
        suite.check(seen.is_verified(), file, seen);
        let parts: Vec<&str> = compact.split('.').collect();
        let seen = verdict::of_jws(&format!("{}..{}", parts[0], parts[2]), &keys);
        suite.check(
            seen.is_refused(),
            format!("{file}: detached is refused"),
            seen,
        );
    }
}

fn keys(data: &Data) -> Suite {
    let mut suite = Suite::new("jose-cookbook keys");
    for file in data.files("jwk") {
        let jwk = data.json(&file);
        let seen = PublicKey::from_jwk(jwk.as_object().expect("a JWK is an object"));
        if jwk["kty"] == "oct" {
            suite.check(seen.is_err(), format!("{file}: a secret is refused"), seen);
            continue;
        }
        // What is kept is the public part and nothing else.
        let same = seen.as_ref().is_ok_and(|key| {
            let kept = key.to_jwk();
            ["d", "p", "q", "dp", "dq", "qi"]
                .iter()
                .all(|name| !kept.contains_key(*name))
                && kept.iter().all(|(name, value)| jwk[name] == *value)
        });
        suite.check(same, file, seen);
    }
    suite
}
