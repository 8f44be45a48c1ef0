//! Promise 1: a token that its issuer did not sign, as it stands, is no identity.

use edgeward_tests::keys::{BATCH, FRONTEND, svid_claims};
use edgeward_tests::mint::encode;
use edgeward_tests::raw::Request;

use crate::{assert_refused, stage};

#[test]
fn a_forged_token_is_refused_however_it_is_forged() {
    let stage = stage();
    let svid = &stage.keys.svid;
    let claims = svid_claims(FRONTEND).to_string();
    let good = stage.keys.jwt_svid(BATCH);
    let parts: Vec<&str> = good.split('.').collect();
    let swapped = format!("{}.{}.{}", parts[0], encode(&claims), parts[2]);
    let header = |alg: &str, more: &str| format!(r#"{{"alg":"{alg}","kid":"svid-1"{more}}}"#);
    let jwk = format!(r#","jwk":{}"#, svid.jwk("sig"));
    let twice = format!(r#"{{"sub":"x",{}"#, claims.trim_start_matches('{'));
    let null_signature = |token: String| {
        format!(
            "{}.{}",
            token.rsplit_once('.').expect("a JWS").0,
            encode([0; 64])
        )
    };
    let cases = [
        ("swapped-payload", swapped, "token-signature-invalid"),
        (
            "null-signature",
            null_signature(svid.sign(&header("ES256", ""), &claims)),
            "token-signature-invalid",
        ),
        (
            "alg-none",
            format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(&claims)),
            "",
        ),
        (
            "alg-None",
            format!("{}.{}.", encode(r#"{"alg":"nOnE"}"#), encode(&claims)),
            "",
        ),
        (
            "alg-hmac",
            svid.sign(&header("HS256", ""), &claims),
            "token-algorithm-unsupported",
        ),
        ("alg-other", svid.sign(&header("RS256", ""), &claims), ""),
        (
            "kid-unknown",
            svid.sign(r#"{"alg":"ES256","kid":"nobody"}"#, &claims),
            "token-key-unknown",
        ),
        (
            "kid-absent",
            svid.sign(r#"{"alg":"ES256"}"#, &claims),
            "token-key-id-missing",
        ),
        (
            "embedded-key",
            svid.sign(&header("ES256", &jwk), &claims),
            "token-header-forbidden",
        ),
        (
            "key-url",
            svid.sign(&header("ES256", r#","jku":"https://evil.test""#), &claims),
            "token-header-forbidden",
        ),
        (
            "critical",
            svid.sign(&header("ES256", r#","crit":["exp"]"#), &claims),
            "token-header-forbidden",
        ),
        (
            "doubled-member",
            svid.sign(&header("ES256", ""), &twice),
            "token-payload-invalid",
        ),
        (
            "padded",
            format!("{}=", stage.keys.jwt_svid(FRONTEND)),
            "token-encoding-invalid",
        ),
        (
            "four-parts",
            format!("{}.x", stage.keys.jwt_svid(FRONTEND)),
            "token-not-compact",
        ),
        ("empty", String::new(), ""),
        ("dots", ".".repeat(40_000), ""),
        ("huge", "a".repeat(60_000), "token-too-long"),
    ];
    for (name, token, code) in cases {
        let path = format!("/forged-{name}");
        // Twice: the second time the refusal may be remembered, and must read the same.
        for _ in 0..2 {
            let reply = stage.send(&Request::get(&path).bearer(&token));
            let given = reply.code();
            assert!(code.is_empty() || given == code, "{name}: {given}");
            assert_refused(stage, &reply, 401, &given, &path);
        }
        assert!(stage.tap.asked(&path).is_empty(), "{name} was asked about");
    }
}
