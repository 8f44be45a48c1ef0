//! Keys and tokens for one run: an issuer with one key per algorithm, as many distinct tokens as
//! asked for, and tokens that only look like them. Not a token library: claims are fixed text.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

use crate::Outcome;

/// The issuer of every token.
pub const ISSUER: &str = "https://issuer.bench.test";
/// The audience of every token.
pub const AUDIENCE: &str = "edgeward";
/// The subject of every token.
pub const SUBJECT: &str = "repo:edgeward/bench:ref:refs/heads/main";

/// The algorithms measured: two that Envoy verifies for the filter, one that the filter does itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, a 2048-bit key.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Its name in a token's header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn signature_length(self) -> usize {
        match self {
            Self::Rs256 => 256,
            Self::Es256 | Self::EdDsa => 64,
        }
    }
}

/// An issuer that signs with one key per algorithm.
pub struct Issuer {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    random: SystemRandom,
    issued_at: u64,
}

impl Issuer {
    /// Fresh keys; tokens will say `issued_at` (seconds since 1970) and live for two hours.
    pub fn new(issued_at: u64) -> Outcome<Self> {
        Ok(Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048)?,
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            ed25519: Ed25519KeyPair::generate()?,
            random: SystemRandom::new(),
            issued_at,
        })
    }

    /// The public keys as a JWK set.
    pub fn jwks(&self) -> Value {
        // DER of a 2048-bit key, always laid out alike: nine bytes of lengths and tags, the modulus,
        // two bytes more, the exponent 65537.
        let rsa = self.rsa.public_key().as_ref();
        let (n, e) = (
            rsa.get(9..265).unwrap_or_default(),
            rsa.get(267..).unwrap_or_default(),
        );
        let (x, y) = self
            .p256
            .public_key()
            .as_ref()
            .get(1..)
            .unwrap_or_default()
            .split_at(32);
        json!({"keys": [
            {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "RS256",
             "n": BASE64URL.encode(n),
             "e": BASE64URL.encode(e)},
            {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "ES256",
             "x": BASE64URL.encode(x), "y": BASE64URL.encode(y)},
            {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "EdDSA",
             "x": BASE64URL.encode(self.ed25519.public_key())},
        ]})
    }

    /// `count` tokens that differ in their `jti`.
    pub fn mint(&self, algorithm: Algorithm, count: usize) -> Outcome<Vec<String>> {
        (0..count)
            .map(|number| {
                let input = self.signing_input(algorithm, "minted", number);
                let signature = self.sign(algorithm, input.as_bytes())?;
                Ok(format!("{input}.{}", BASE64URL.encode(signature)))
            })
            .collect()
    }

    /// `count` distinct tokens, right in everything but the signature: the dearest kind to refuse.
    pub fn forge(&self, algorithm: Algorithm, count: usize) -> Outcome<Vec<String>> {
        (0..count)
            .map(|number| {
                let input = self.signing_input(algorithm, "forged", number);
                let mut signature = vec![0; algorithm.signature_length()];
                aws_lc_rs::rand::fill(&mut signature)?;
                // In range as a number and as an Ed25519 scalar: it must fail by arithmetic only.
                for index in [0, 31, 32, 63] {
                    signature[index] &= 0x0f;
                }
                Ok(format!("{input}.{}", BASE64URL.encode(signature)))
            })
            .collect()
    }

    fn signing_input(&self, algorithm: Algorithm, kind: &str, number: usize) -> String {
        let name = algorithm.name();
        let header = json!({"alg": name, "typ": "JWT", "kid": name});
        let claims = json!({
            "iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE,
            "iat": self.issued_at, "nbf": self.issued_at, "exp": self.issued_at + 7200,
            "jti": format!("{kind}-{number:08}"),
            "repository": "edgeward/bench", "environment": "measurement", "run_attempt": "1",
            "workflow": "bench-edge",
        });
        let part = |value: Value| BASE64URL.encode(value.to_string());
        format!("{}.{}", part(header), part(claims))
    }

    fn sign(&self, algorithm: Algorithm, input: &[u8]) -> Outcome<Vec<u8>> {
        Ok(match algorithm {
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &self.random, input, &mut signature)?;
                signature
            }
            Algorithm::Es256 => self.p256.sign(&self.random, input)?.as_ref().to_vec(),
            Algorithm::EdDsa => self.ed25519.sign(input).as_ref().to_vec(),
        })
    }
}
