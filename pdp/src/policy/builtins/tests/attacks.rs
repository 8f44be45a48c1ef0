//! What an attacker may choose: tokens, keys, networks, patterns, templates. A call ends with a value or
//! an error, soon.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_core::jose::Algorithm;
use proptest::prelude::*;
use regorus::Value;
use serde_json::{Value as Json, json};

use super::super::{FAMILIES, arguments::Arguments, jwt};
use super::{NOW, value_of};
use crate::crypto::{KeyPurpose, Signer};
use crate::policy::value::from_json;

fn call(name: &str, arguments: &[Json]) -> Result<Json, String> {
    let arguments: Vec<Value> = arguments.iter().cloned().map(from_json).collect();
    let arguments = Arguments(&arguments);
    let answer = if name == jwt::DECODE_VERIFY {
        jwt::decode_verify::decode_verify(&arguments, NOW)
    } else {
        let mut all = FAMILIES.iter().copied().flatten();
        let (_, _, function) = all.find(|(own, _, _)| *own == name).unwrap();
        function(&arguments)
    };
    answer
        .map(|value| json!(value))
        .map_err(|why| why.to_string())
}

fn signed(header: &Json, claims: &Json, secret: &str) -> String {
    let encode = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mac = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
    format!("{message}.{mac}")
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-z0-9./:\\[\\]*+{}$ -]{0,24}".prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::hash_map("alg|cert|secret|keys|kty|[a-z]{1,3}", inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_built_in_panics(arguments in prop::collection::vec(any_json(), 0..4)) {
        for (name, _, _) in FAMILIES.iter().copied().flatten() {
            let _ = call(name, &arguments);
        }
        let _ = call(jwt::DECODE_VERIFY, &arguments);
    }

    #[test]
    fn a_token_changed_anywhere_does_not_verify(at in any::<prop::sample::Index>(), bit in 0_u8..6) {
        let token = signed(&json!({"alg": "HS256"}), &json!({"sub": "a"}), "secret");
        let mut bytes = token.clone().into_bytes();
        // The last character has bits that mean nothing.
        let at = at.index(bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        let changed = String::from_utf8(bytes).unwrap();
        let answer = call(jwt::DECODE_VERIFY, &[json!(changed), json!({"secret": "secret"})]);
        prop_assert!(answer.is_err() || answer == Ok(json!([false, {}, {}])), "{answer:?}");
    }

    #[test]
    fn what_one_secret_signed_no_other_verifies(secret in "[a-z]{1,80}", other in "[a-z]{1,80}") {
        prop_assume!(secret != other);
        let token = signed(&json!({"alg": "HS256"}), &json!({"sub": "a"}), &secret);
        let by = |secret: &str| call("io.jwt.verify_hs256", &[json!(token), json!(secret)]);
        prop_assert_eq!(by(&secret), Ok(json!(true)));
        prop_assert_eq!(by(&other), Ok(json!(false)));
    }

    #[test]
    fn networks_merged_hold_the_same_addresses(
        given in prop::collection::vec((any::<u8>(), 24_u8..=32), 0..12), address in any::<u8>(),
    ) {
        let texts: Vec<String> = given.iter().map(|(host, bits)| format!("10.0.0.{host}/{bits}")).collect();
        let merged = call("net.cidr_merge", &[json!(texts)]).unwrap();
        let holds = |networks: &Json| networks.as_array().unwrap().iter().any(|network| {
            let address = json!(format!("10.0.0.{address}"));
            call("net.cidr_contains", &[network.clone(), address]) == Ok(json!(true))
        });
        prop_assert_eq!(holds(&merged), holds(&json!(texts)), "{}", merged);
    }

    #[test]
    fn a_pattern_of_plain_characters_meets_itself(text in "[a-z0-9 ]{0,20}") {
        prop_assert_eq!(call("regex.globs_match", &[json!(text), json!(text)]), Ok(json!(true)));
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let signer = Signer::generate(Algorithm::Es256).unwrap();
    let jwk = Json::Object(signer.public_jwk(KeyPurpose::Signature)).to_string();
    // The old confusion: an HMAC by the text of the public key.
    let token = signed(&json!({"alg": "HS256"}), &json!({"sub": "a"}), &jwk);
    for name in [
        jwt::DECODE_VERIFY,
        "io.jwt.verify_es256",
        "io.jwt.verify_rs256",
    ] {
        let key = if name == jwt::DECODE_VERIFY {
            json!({"cert": jwk})
        } else {
            json!(jwk)
        };
        let answer = call(name, &[json!(token), key]).unwrap();
        assert!(
            answer == json!(false) || answer[0] == json!(false),
            "{answer}"
        );
    }
    let honest = signer.sign(None, b"{\"sub\":\"a\"}").unwrap();
    let answer = call(jwt::DECODE_VERIFY, &[json!(honest), json!({"cert": jwk})]).unwrap();
    assert_eq!(answer[2], json!({"sub": "a"}));
    let none = format!("{}.e30.", URL_SAFE_NO_PAD.encode(b"{\"alg\":\"none\"}"));
    let answer = call(jwt::DECODE_VERIFY, &[json!(none), json!({"cert": jwk})]).unwrap();
    assert_eq!(answer[0], json!(false));
}

#[test]
fn what_would_cost_too_much_is_an_error() {
    let many: Vec<String> = (0..1_001)
        .map(|n| format!("10.0.{}.{}", n / 256, n % 256))
        .collect();
    let networks: Vec<String> = many.iter().map(|address| format!("{address}/32")).collect();
    let template = "{{range .l}}{{range $.l}}x{{end}}{{end}}";
    let loops = format!("{}x[ab]*", "[ab]*[ac]*".repeat(20));
    let others = format!("{}ya*", "[ad]*[ae]*".repeat(20));
    for (name, arguments) in [
        ("net.cidr_expand", vec![json!("10.0.0.0/15")]),
        ("net.cidr_expand", vec![json!("::/0")]),
        (
            "net.cidr_contains_matches",
            vec![json!(networks), json!(many)],
        ),
        ("bits.lsh", vec![json!(1), json!(1_000_000_000)]),
        ("regex.globs_match", vec![json!(loops), json!(others)]),
        (
            "strings.render_template",
            vec![json!(template), json!({"l": many})],
        ),
        (
            "strings.render_template",
            vec![json!("{{if .a}}".repeat(10_000)), json!({})],
        ),
    ] {
        let started = std::time::Instant::now();
        let answer = call(name, &arguments);
        assert!(
            answer
                .as_ref()
                .is_err_and(|why| why.ends_with("a bound of Edgeward's")),
            "{name}: {answer:?}"
        );
        assert!(started.elapsed().as_secs() < 5, "{name}");
    }
}

#[test]
fn an_ipv4_address_written_as_ipv6_is_that_address() {
    for (network, address, holds) in [
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("10.0.0.0/8", "::ffff:11.1.2.3", false),
    ] {
        let expression = format!("net.cidr_contains(\"{network}\", \"{address}\")");
        assert_eq!(value_of(&expression), Ok(json!(holds)), "{expression}");
    }
}

#[test]
fn no_error_of_signing_tells_the_secret() {
    let secret = "wJalrXUtnFEMI";
    let config = |service: Json| {
        json!({"aws_access_key": "AKIA", "aws_secret_access_key": secret, "aws_session_token": secret,
            "aws_region": "r", "aws_service": service})
    };
    let request = |url: &str| json!({"method": "get", "url": url, "raw_body": secret});
    for arguments in [
        [request("https://a"), config(json!(1)), json!(0)],
        [request("https://a"), config(json!("s3")), json!(-1)],
        [request("https://a"), config(json!("s3")), json!(secret)],
        [request("://a"), config(json!("s3")), json!(0)],
        [json!({"url": secret}), config(json!("s3")), json!(0)],
        [json!(secret), config(json!("s3")), json!(0)],
        [request("https://a"), json!(secret), json!(0)],
    ] {
        let why = call("providers.aws.sign_req", &arguments).unwrap_err();
        assert!(!why.contains(secret), "{why}");
    }
}
