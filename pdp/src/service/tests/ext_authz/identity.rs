//! Who asks: tokens on the PDP's own keys, certificates and XFCC only by whose word is believed.

use edgeward_core::peer::TrustedHop;
use edgeward_core::revocation::{digest_of_token, hex};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{CertificateParams, KeyPair, SanType};
use sha2::{Digest as _, Sha256};

use super::*;

const DENY_BY_POLICY: &str = "no-rule-matches";
const HOP: &str = "spiffe://d/hop";
const CLIENT: &str = "spiffe://d/client";

/// A certificate with these URI names: in PEM as Envoy encodes it, and its digest.
fn certificate(uris: &[&str]) -> (String, [u8; 32]) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = uris
        .iter()
        .map(|uri| SanType::URI((*uri).try_into().unwrap()))
        .collect();
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let encoded = utf8_percent_encode(&certificate.pem(), NON_ALPHANUMERIC).to_string();
    (encoded, Sha256::digest(certificate.der()).into())
}

fn shows(mut told: Told, uris: &[&str]) -> (Told, [u8; 32]) {
    let (pem, digest) = certificate(uris);
    told.source.certificate = pem;
    told.source.principal = uris.first().copied().unwrap_or("CN=x").to_owned();
    (told, digest)
}

/// A door that believes the proxy's word on certificates, and XFCC of these hops.
fn believing(trusted_hops: Vec<TrustedHop>) -> ExtAuthzSettings {
    ExtAuthzSettings {
        peer: PeerSettings {
            certificates: true,
            trusted_hops,
        },
        ..door()
    }
}

fn subject(ok: &OkHttpResponse) -> Option<&str> {
    header(&ok.headers, "x-edgeward-subject")
}

#[test]
fn a_token_is_verified_and_one_that_does_not_hold_is_never_no_token() {
    let asked = Asked::by(
        ExtAuthzSettings {
            anonymous: true,
            ..door()
        },
        POLICY,
    );
    let ok = allowed(asked.check(asked.get("/a")));
    assert_eq!(subject(&ok), Some(WHO));
    assert!(ok.headers_to_remove.contains(&"authorization".to_owned()));
    let good = asked.token(&json!({}));
    let expired = asked.token(&json!({ "iat": 1000, "exp": 1060 }));
    let elsewhere = asked.token(&json!({ "aud": "elsewhere" }));
    let stranger = Signer::generate(Algorithm::Es256).unwrap();
    let stranger = stranger.with_key_id(asked.signer.key_id());
    let claims = json!({ "iss": ISSUER, "sub": "job", "aud": "edgeward", "exp": now().0 + 60 });
    let forged = stranger
        .sign(Some("JWT"), claims.to_string().as_bytes())
        .unwrap();
    for (told, code) in [
        (Told::get("/a").bearer(&expired), "token-expired"),
        (
            Told::get("/a").bearer(&elsewhere),
            "token-audience-mismatch",
        ),
        (Told::get("/a").bearer(&forged), "token-signature-invalid"),
        (Told::get("/a").bearer("x"), "token-not-compact"),
        (
            Told::get("/a").header("authorization", "Basic eA=="),
            "token-scheme-unsupported",
        ),
        (
            Told::get("/a").bearer(&good).bearer(&good),
            "token-ambiguous",
        ),
    ] {
        assert_eq!(denied(asked.check(told)), (401, code.to_owned()));
    }
    // Nobody is asked about as such: the policy says no.
    let got = denied(asked.check(Told::get("/a")));
    assert_eq!(got, (403, DENY_BY_POLICY.to_owned()));
    let strict = Asked::by(door(), POLICY);
    let got = denied(strict.check(Told::get("/a")));
    assert_eq!(got, (401, "identity-missing".to_owned()));
}

#[test]
fn what_is_revoked_is_refused_by_whatever_name() {
    use edgeward_core::revocation::Order;
    let asked = Asked::by(door(), POLICY);
    let token = asked.token(&json!({ "jti": "j7", "sid": "s7" }));
    for (order, code) in [
        (
            json!({"kind": "token", "issuer": ISSUER, "jti": "j7"}),
            "token-revoked",
        ),
        (
            json!({"kind": "session", "issuer": ISSUER, "sid": "s7"}),
            "session-revoked",
        ),
        (
            json!({"kind": "subject", "subject": WHO}),
            "subject-revoked",
        ),
        (
            json!({"kind": "issuer", "issuer": ISSUER}),
            "issuer-revoked",
        ),
        (
            json!({"kind": "key", "issuer": ISSUER, "kid": asked.signer.key_id()}),
            "key-revoked",
        ),
        (
            json!({"kind": "token", "sha256": hex(&digest_of_token(&token))}),
            "token-revoked",
        ),
    ] {
        allowed(asked.check(Told::get("/a").bearer(&token)));
        let order = Order::parse(order.to_string().as_bytes()).unwrap();
        let id = order.revoked.id();
        asked.pdp.revocations.revoke(order, now()).unwrap();
        let got = denied(asked.check(Told::get("/a").bearer(&token)));
        assert_eq!(got, (401, code.to_owned()));
        asked.pdp.revocations.undo(&id).unwrap();
    }
}

#[test]
fn a_client_certificate_counts_only_where_the_proxy_s_word_on_it_is_believed() {
    let asked = Asked::by(door(), POLICY);
    let (told, _) = shows(Told::get("/a"), &[CLIENT]);
    let got = denied(asked.check(told));
    assert_eq!(got, (401, "identity-missing".to_owned()));

    let believing = believing(Vec::new());
    let asked = Asked::by(believing, POLICY);
    let (told, digest) = shows(Told::get("/a"), &[CLIENT]);
    let forged = format!("Hash={};URI=spiffe://d/admin", "ab".repeat(32));
    let ok = allowed(asked.check(told.header("x-forwarded-client-cert", forged)));
    assert_eq!(subject(&ok), Some(CLIENT));
    let own = format!("Hash={};URI={CLIENT}", hex(&digest));
    assert_eq!(
        header(&ok.headers, "x-forwarded-client-cert"),
        Some(own.as_str())
    );
    for (uris, code) in [
        (&[CLIENT, HOP][..], "peer-uri-names"),
        (&[][..], "peer-uri-names"),
        (&["https://d/x"][..], "peer-spiffe-id-invalid"),
        (&["spiffe://d"][..], "peer-spiffe-id-invalid"),
    ] {
        let (told, _) = shows(Told::get("/a"), uris);
        assert_eq!(
            denied(asked.check(told)),
            (401, code.to_owned()),
            "{uris:?}"
        );
    }
    // Not only when the connection was made.
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![SanType::URI(CLIENT.try_into().unwrap())];
    params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    let over = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let mut late = Told::get("/a");
    late.source.certificate = utf8_percent_encode(&over.pem(), NON_ALPHANUMERIC).to_string();
    let got = denied(asked.check(late));
    assert_eq!(got, (401, "peer-certificate-expired".to_owned()));
    // A name alone could hide another; what is no certificate proves nothing.
    let mut named = Told::get("/a");
    named.source.principal = CLIENT.to_owned();
    let mut broken = Told::get("/a");
    broken.source.certificate = "-----BEGIN CERTIFICATE-----%0Ax".to_owned();
    for told in [named, broken] {
        assert_eq!(
            denied(asked.check(told)),
            (401, "peer-not-proven".to_owned())
        );
    }
}

#[test]
fn a_bound_token_holds_with_its_own_certificate_and_no_other() {
    use base64::Engine as _;
    let believing = believing(Vec::new());
    let asked = Asked::by(believing, POLICY);
    let (own, digest) = shows(Told::get("/a"), &[CLIENT]);
    let thumbprint = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    let token = asked.token(&json!({ "cnf": { "x5t#S256": thumbprint } }));
    let ok = allowed(asked.check(own.bearer(&token)));
    assert_eq!(subject(&ok), Some(WHO));
    let (other, _) = shows(Told::get("/a"), &[CLIENT]);
    for told in [other, Told::get("/a")] {
        let got = denied(asked.check(told.bearer(&token)));
        assert_eq!(got, (401, "token-binding-mismatch".to_owned()));
    }
}

#[test]
fn an_xfcc_counts_only_from_a_hop_that_is_trusted() {
    let vouched = format!("Hash={};URI={CLIENT}", "ab".repeat(32));
    let mut by_network = believing(vec![TrustedHop::Network("10.0.0.0/8".parse().unwrap())]);
    by_network.peer.certificates = false;
    let asked = Asked::by(by_network, POLICY);
    let told = Told::get("/a").header("x-forwarded-client-cert", &vouched);
    let ok = allowed(asked.check(told.clone()));
    assert_eq!(subject(&ok), Some(CLIENT));
    let strict = Asked::by(door(), POLICY);
    let got = denied(strict.check(told));
    assert_eq!(got, (401, "identity-missing".to_owned()));

    let by_name = believing(vec![TrustedHop::Workload(HOP.parse().unwrap())]);
    let asked = Asked::by(by_name, POLICY);
    for (who, expected) in [(HOP, CLIENT), ("spiffe://d/nohop", "spiffe://d/nohop")] {
        let (told, digest) = shows(Told::get("/a"), &[who]);
        let own = format!("Hash={};URI={who}", hex(&digest));
        let chain = format!("{vouched},{own}");
        for xfcc in [vouched.clone(), chain] {
            let told = told.clone().header("x-forwarded-client-cert", xfcc);
            assert_eq!(subject(&allowed(asked.check(told))), Some(expected));
        }
        let alone = told.header("x-forwarded-client-cert", own);
        assert_eq!(subject(&allowed(asked.check(alone))), Some(who));
    }
}

#[test]
fn a_key_that_is_withdrawn_ends_what_was_remembered_by_it() {
    let asked = Asked::by(door(), POLICY);
    let old = asked.token(&json!({}));
    for _ in 0..8 {
        allowed(asked.check(Told::get("/a").bearer(&old)));
    }
    let signer = Signer::generate(Algorithm::Es256).unwrap();
    let jwk = Value::Object(signer.public_jwk(KeyPurpose::Signature));
    write_keys(asked.pdp.folder.path(), &jwk.to_string());
    let claims = json!({ "iss": ISSUER, "sub": "job", "aud": "edgeward", "exp": now().0 + 60 });
    let claims = claims.to_string();
    let new = signer.sign(Some("JWT"), claims.as_bytes()).unwrap();
    // A token of the new key has the keys read again.
    let start = Instant::now();
    while denied(asked.check(Told::get("/a").bearer(&new))).0 != 0 {
        assert!(start.elapsed() < Duration::from_secs(50), "no new keys");
        std::thread::sleep(Duration::from_millis(50));
    }
    for _ in 0..8 {
        let got = denied(asked.check(Told::get("/a").bearer(&old)));
        assert_eq!(got, (401, "token-key-unknown".to_owned()));
    }
}
