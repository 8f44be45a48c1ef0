//! What a token's header says, and who would have believed it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward::crypto::{KeyPurpose, Signer};
use edgeward_core::jose::{Algorithm, KeySet, KeyUse, encode_base64url};
use serde_json::json;

use crate::Row;
use crate::forge::{Forge, ISSUER_A, ISSUER_B, Members, claims_of, header, sign, svid_of};

pub(crate) fn rows(forge: &Forge) -> Vec<Row> {
    let mut rows = algorithms(forge);
    rows.extend(symmetric(forge));
    rows.extend(never_honoured(forge));
    rows.extend(types(forge));
    rows.extend(malformed(forge));
    rows
}

fn algorithms(forge: &Forge) -> Vec<Row> {
    let genuine = header(forge.a_key(Algorithm::Es256));
    let claims = encode_base64url(claims_of(ISSUER_A).text().as_bytes());
    let mut rows = Vec::new();
    for name in [
        "none", "None", "NONE", "nOnE", "none ", "", "es256", "ES256 ", "ES256K", "ES521", "HS256",
        "dir", "RS1", "Ed25519",
    ] {
        let head = genuine.set("alg", format!("\"{name}\""));
        let signed = forge.of_a_with_header(&head);
        rows.push(Row::refused(
            format!("alg {name:?}"),
            signed,
            "token-algorithm-unsupported",
        ));
        let unsigned = format!("{}.{claims}.", encode_base64url(head.text().as_bytes()));
        rows.push(Row::refused(
            format!("alg {name:?} unsigned"),
            unsigned,
            "token-algorithm-unsupported",
        ));
    }
    for raw in ["null", "256", "[\"ES256\"]", "{}", "true"] {
        let token = forge.of_a_with_header(&genuine.set("alg", raw));
        rows.push(Row::refused(
            format!("alg {raw}"),
            token,
            "token-header-invalid",
        ));
    }
    let none = forge.of_a_with_header(&genuine.without("alg"));
    rows.push(Row::refused("no alg", none, "token-header-invalid"));

    let not_for_b = sign(
        &forge.b[0],
        &header(&forge.b[0]).set("alg", "\"RS256\""),
        &claims_of(ISSUER_B),
    );
    rows.push(Row::refused(
        "alg off the issuer's list",
        not_for_b,
        "token-algorithm-not-allowed",
    ));
    let ed = forge.a_key(Algorithm::EdDsa);
    let svid = sign(ed, &header(ed), &svid_of("spiffe://x.example/a"));
    rows.push(Row::refused(
        "EdDSA in a JWT-SVID",
        svid,
        "token-algorithm-not-allowed",
    ));
    // The key says RS256; the same numbers would verify PS256.
    let pss =
        forge.of_a_with_header(&header(forge.a_key(Algorithm::Rs256)).set("alg", "\"PS256\""));
    rows.push(Row::refused(
        "PS256 with a key for RS256",
        pss,
        "token-key-mismatch",
    ));
    let type_confusion =
        forge.of_a_with_header(&header(forge.a_key(Algorithm::Rs256)).set("alg", "\"ES256\""));
    rows.push(Row::refused(
        "ES256 with an RSA key",
        type_confusion,
        "token-key-mismatch",
    ));
    rows
}

/// HMAC keyed with what everybody can read, in each form a library may have handed over.
fn symmetric(forge: &Forge) -> Vec<Row> {
    let mut rows = Vec::new();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let key = forge.a_key(algorithm);
        for (encoding, secret) in public_encodings(key) {
            for (name, hash) in [
                ("HS256", hmac::HMAC_SHA256),
                ("HS384", hmac::HMAC_SHA384),
                ("HS512", hmac::HMAC_SHA512),
            ] {
                let head = header(key).set("alg", format!("\"{name}\""));
                let signed = format!(
                    "{}.{}",
                    encode_base64url(head.text().as_bytes()),
                    encode_base64url(claims_of(ISSUER_A).text().as_bytes())
                );
                let tag = hmac::sign(&hmac::Key::new(hash, &secret), signed.as_bytes());
                let token = format!("{signed}.{}", encode_base64url(tag.as_ref()));
                let name = format!("{name} keyed with the {algorithm} key as {encoding}");
                rows.push(Row::refused(name, token, "token-algorithm-unsupported"));
            }
        }
    }
    rows
}

fn public_encodings(key: &Signer) -> Vec<(&'static str, Vec<u8>)> {
    let jwk = key.public_jwk(KeyPurpose::Signature);
    let set = json!({ "keys": [jwk] }).to_string();
    let parsed = KeySet::parse(set.as_bytes(), KeyUse::Signature).expect("a key set");
    let public = parsed
        .select(Some(key.key_id()), key.algorithm())
        .expect("the key");
    let der = public.spki_der().to_vec();
    let base64 = STANDARD.encode(&der);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    );
    vec![
        ("DER", der),
        ("base64 of DER", base64.into_bytes()),
        ("PEM", pem.clone().into_bytes()),
        ("PEM with a line break", format!("{pem}\n").into_bytes()),
        (
            "PEM with CRLF",
            format!("{pem}\n").replace('\n', "\r\n").into_bytes(),
        ),
        ("JWK", serde_json::to_vec(&jwk).expect("JSON")),
        ("JWK Set", set.into_bytes()),
        ("nothing", Vec::new()),
    ]
}

fn never_honoured(forge: &Forge) -> Vec<Row> {
    let stranger = &forge.stranger[1];
    let jwk = serde_json::Value::Object(stranger.public_jwk(KeyPurpose::Signature)).to_string();
    let mut rows = Vec::new();
    for (name, raw) in [
        ("jwk", jwk.as_str()),
        ("jku", "\"https://evil.example/keys\""),
        ("x5u", "\"https://evil.example/chain.pem\""),
        ("x5c", "[\"MIIB\"]"),
        ("crit", "[\"exp\"]"),
        ("crit", "[]"),
        ("crit", "null"),
        ("b64", "false"),
        ("b64", "true"),
        ("zip", "\"DEF\""),
        ("enc", "\"A256GCM\""),
        ("epk", "{}"),
    ] {
        // Signed by the stranger, and by the real key: it is refused for being there.
        for key in [stranger, forge.a_key(Algorithm::Es256)] {
            let head = header(key).set(name, raw);
            let token = sign(key, &head, &claims_of(ISSUER_A));
            let name = format!("{name} {raw:.20} by {}", key.key_id());
            rows.push(Row::refused(name, token, "token-header-forbidden"));
        }
    }
    rows
}

fn types(forge: &Forge) -> Vec<Row> {
    let genuine = header(forge.a_key(Algorithm::Es256));
    let refuse = |name: String, token| Row::refused(name, token, "token-type-not-allowed");
    let mut rows = Vec::new();
    for typ in [
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "wit+jwt",
        "JWE",
        "",
        "absent",
        "application/",
        "application/application/jwt",
        "jwt ",
        "text/jwt",
    ] {
        let token = forge.of_a_with_header(&genuine.set("typ", format!("\"{typ}\"")));
        rows.push(refuse(format!("typ {typ:?}"), token));
    }
    let b = &forge.b[0];
    let absent = sign(b, &header(b).without("typ"), &claims_of(ISSUER_B));
    rows.push(refuse("no typ where one is demanded".to_owned(), absent));
    let access = sign(b, &header(b).set("typ", "\"at+jwt\""), &claims_of(ISSUER_B));
    rows.push(refuse(
        "access token where none is accepted".to_owned(),
        access,
    ));
    let svid = sign(
        &forge.x[0],
        &header(&forge.x[0]).set("typ", "\"at+jwt\""),
        &svid_of("spiffe://x.example/a"),
    );
    rows.push(refuse("JWT-SVID as an access token".to_owned(), svid));
    for raw in ["null", "1", "[\"JWT\"]"] {
        let token = forge.of_a_with_header(&genuine.set("typ", raw));
        rows.push(Row::refused(
            format!("typ {raw}"),
            token,
            "token-header-invalid",
        ));
    }
    rows
}

fn malformed(forge: &Forge) -> Vec<Row> {
    let genuine = header(forge.a_key(Algorithm::Es256));
    let invalid = |name: &str, head: &Members| {
        Row::refused(name, forge.of_a_with_header(head), "token-header-invalid")
    };
    vec![
        invalid("alg twice", &genuine.also("alg", "\"none\"")),
        invalid("alg twice, escaped", &genuine.also("\\u0061lg", "\"none\"")),
        invalid(
            "kid twice, escaped",
            &genuine.also("k\\u0069d", "\"stranger\""),
        ),
        invalid("typ twice", &genuine.also("typ", "\"JWT\"")),
        invalid(
            "a member twice deep inside",
            &genuine.set("x", "{\"a\":[{\"b\":1,\"b\":1}]}"),
        ),
        invalid("kid is a number", &genuine.set("kid", "1")),
        invalid("kid is null", &genuine.set("kid", "null")),
        invalid("kid is a list", &genuine.set("kid", "[\"a-ES256\"]")),
        invalid("kid is empty", &genuine.set("kid", "\"\"")),
        invalid(
            "kid is very long",
            &genuine.set("kid", format!("\"{}\"", "k".repeat(513))),
        ),
    ]
}
