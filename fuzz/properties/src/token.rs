//! Tokens: no signature, no identity; and what a verified one says is what was signed.

use std::sync::LazyLock;

use edgeward_core::feed::Feed;
use edgeward_core::jose::{
    Algorithm, BadSignature, CompactJws, MAX_TOKEN_BYTES, PublicKey, SignatureCheck,
    encode_base64url,
};
use edgeward_core::spiffe::looks_like_spiffe_id;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{self, Profile, Subject, Trust, VerifiedToken};

use crate::Verdict;

/// 2026-01-01T00:00:00Z: the instant at which every token of the corpora is looked at.
const NOW: UnixSeconds = UnixSeconds(1_767_225_600);

/// Whom the properties believe: one issuer and one trust domain, told as a PDP tells the filter.
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let trust = Feed::parse(include_bytes!("trust.json")).and_then(|feed| feed.trust());
    assert!(trust.is_ok(), "trust.json: {:?}", trust.err());
    trust.unwrap_or_default()
});

struct RefuseAll;

impl SignatureCheck for RefuseAll {
    fn check(&self, _: Algorithm, _: &PublicKey, _: &[u8], _: &[u8]) -> Result<(), BadSignature> {
        Err(BadSignature)
    }
}

/// Stands for a broken check (the class of CVE-2022-21449): all else must hold even then.
struct ZerosPass;

impl SignatureCheck for ZerosPass {
    fn check(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        _: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        assert!(key.may_verify(algorithm));
        let zeros = !signature.is_empty() && signature.iter().all(|byte| *byte == 0);
        zeros.then_some(()).ok_or(BadSignature)
    }
}

/// A token has one spelling, and without a good signature it is nothing.
pub fn jws(data: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    let refusal = token::verify(text, &TRUST, NOW, &RefuseAll).err();
    let code = refusal.as_ref().map(token::TokenRefusal::code);
    let kebab = |code: &str| {
        code.bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_lowercase())
    };
    assert!(code.is_some_and(|code| code.starts_with("token-") && kebab(code)));
    let Ok(jws) = CompactJws::parse(text) else {
        assert!(token::verify(text, &TRUST, NOW, &ZerosPass).is_err());
        return Verdict::Refused;
    };
    assert!(text.len() <= MAX_TOKEN_BYTES && text.matches('.').count() == 2);
    assert!(text.as_bytes().starts_with(jws.signed));
    let [payload, signature] = [&jws.payload, &jws.signature].map(|part| encode_base64url(part));
    assert!(text.ends_with(&format!(".{payload}.{signature}")));
    assert_ne!(jws.key_id.as_deref(), Some(""));
    match token::verify(text, &TRUST, NOW, &ZerosPass) {
        Ok(verified) => {
            says_what_was_signed(&jws, &verified);
            Verdict::Accepted
        }
        Err(_) => Verdict::Refused,
    }
}

/// The same for a header and a payload, divided by a line feed: the fuzzer need not learn base64.
pub fn token_claims(data: &[u8]) -> Verdict {
    let Some(at) = data.iter().position(|byte| *byte == b'\n') else {
        return Verdict::Refused;
    };
    let (header, payload) = data.split_at(at);
    let [header, payload] = [header, payload.get(1..).unwrap_or_default()].map(encode_base64url);
    let signature = encode_base64url(&[0; 64]);
    jws(format!("{header}.{payload}.{signature}").as_bytes())
}

fn says_what_was_signed(jws: &CompactJws<'_>, token: &VerifiedToken) {
    assert!(jws.signature.iter().all(|byte| *byte == 0));
    let claims = &token.claims;
    assert_eq!(claims.all.as_bytes(), jws.payload);
    // Picked out of the text, they are what a reader of all of it finds.
    let all = edgeward_core::json::parse_object(&jws.payload).unwrap_or_default();
    let text = |name| all.get(name).and_then(|value| value.as_str());
    assert_eq!(text("sub"), Some(claims.subject.as_str()));
    for (name, claim) in [("jti", &claims.token_id), ("sid", &claims.session)] {
        assert_eq!(text(name), claim.as_deref());
    }
    let rules = match (&token.subject, token.profile) {
        (Subject::Spiffe(id), Profile::JwtSvid) => {
            assert_eq!(id.as_str(), claims.subject);
            assert!(jws.key_id.is_some());
            TRUST
                .trust_domains
                .get(&id.trust_domain())
                .map(|trust| &trust.rules)
        }
        (Subject::Issued { issuer, subject }, Profile::Oidc) => {
            assert!(!looks_like_spiffe_id(subject));
            assert_eq!(text("iss"), Some(issuer.as_str()));
            TRUST.issuer(issuer.as_str()).map(|(_, trust)| &trust.rules)
        }
        _ => None,
    };
    assert!(rules.is_some(), "verified under nobody's rules");
    if let Some(rules) = rules {
        assert!(
            claims
                .audience
                .iter()
                .any(|name| rules.audiences.contains(name))
        );
        assert!(rules.algorithms.contains(&jws.algorithm));
        assert_eq!(token.expires_at, claims.expires_at.plus(rules.leeway));
        assert!(NOW < token.expires_at);
        let latest = NOW.plus(rules.leeway);
        let times = [("nbf", claims.not_before), ("iat", claims.issued_at)];
        for (name, instant) in times {
            assert_eq!(instant.is_some(), all.contains_key(name));
            assert!(instant.is_none_or(|instant| instant <= latest));
        }
    }
}
