//! The forger's workshop: throwaway keys, a configuration that believes some of them, and tokens
//! written byte by byte, so that nothing on the way puts them right.

use std::path::{Path, PathBuf};

use edgeward::crypto::{KeyPurpose, Signer};
use edgeward_core::jose::Algorithm;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::NOW;

pub(crate) const ISSUER_A: &str = "https://a.example";
pub(crate) const ISSUER_B: &str = "https://b.example";
pub(crate) const DOMAIN_X: &str = "x.example";
pub(crate) const DOMAIN_Y: &str = "y.example";

/// Keys of two issuers and two trust domains, and the configuration that names them.
pub(crate) struct Forge {
    directory: TempDir,
    /// Issuer A: one key for each algorithm, `kid` `a-<alg>`; leeway 60 s.
    pub(crate) a: Vec<Signer>,
    /// Issuer B: ES256 only, leeway 0 s. `b-1`, `b-2`; and `a-ES256`, as A has one too.
    pub(crate) b: Vec<Signer>,
    /// Trust domain X: `x-ES256`, `x-RS256`, and `shared`, which Y has too.
    pub(crate) x: Vec<Signer>,
    /// Trust domain Y: `y-ES256`, and `shared`.
    pub(crate) y: Vec<Signer>,
    /// Nobody's keys, one RSA and one EC.
    pub(crate) stranger: Vec<Signer>,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let key = |algorithm: Algorithm, key_id: &str| {
            Signer::generate(algorithm)
                .expect("a key")
                .with_key_id(key_id)
        };
        let named =
            |owner: &str, algorithm: Algorithm| key(algorithm, &format!("{owner}-{algorithm}"));
        let forge = Self {
            directory: TempDir::new().expect("a directory"),
            a: Algorithm::ALL
                .iter()
                .map(|algorithm| named("a", *algorithm))
                .collect(),
            b: vec![
                key(Algorithm::Es256, "b-1"),
                key(Algorithm::Es256, "b-2"),
                key(Algorithm::Es256, "a-ES256"),
                key(Algorithm::Es256, "twice"),
                key(Algorithm::Es256, "twice"),
            ],
            x: vec![
                named("x", Algorithm::Es256),
                named("x", Algorithm::Rs256),
                key(Algorithm::Es256, "shared"),
            ],
            y: vec![
                named("y", Algorithm::Es256),
                key(Algorithm::Es256, "shared"),
            ],
            stranger: vec![
                key(Algorithm::Rs256, "stranger"),
                key(Algorithm::Es256, "stranger"),
            ],
        };
        forge.publish("a.json", &forge.a, KeyPurpose::Signature);
        forge.publish("b.json", &forge.b, KeyPurpose::Signature);
        forge.publish("x.json", &forge.x, KeyPurpose::JwtSvid);
        forge.publish("y.json", &forge.y, KeyPurpose::JwtSvid);
        std::fs::write(forge.config(), CONFIG).expect("the configuration is written");
        forge
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("edgeward.yaml")
    }

    fn publish(&self, file: &str, signers: &[Signer], purpose: KeyPurpose) {
        let mut keys: Vec<Value> = signers
            .iter()
            .map(|signer| Value::Object(signer.public_jwk(purpose)))
            .collect();
        if purpose == KeyPurpose::JwtSvid {
            // A key of the domain's that is not for JWT-SVIDs: it must not verify one.
            let other = self.stranger[1].public_jwk(KeyPurpose::Signature);
            keys.push(Value::Object(other));
        }
        let path: &Path = self.directory.path();
        std::fs::write(path.join(file), json!({ "keys": keys }).to_string()).expect("keys written");
    }

    /// A's key for `algorithm`.
    pub(crate) fn a_key(&self, algorithm: Algorithm) -> &Signer {
        self.a
            .iter()
            .find(|signer| signer.algorithm() == algorithm)
            .expect("A has all algorithms")
    }

    /// A genuine token of issuer A but for its claims.
    pub(crate) fn of_a(&self, claims: &Members) -> String {
        let key = self.a_key(Algorithm::Es256);
        sign(key, &header(key), claims)
    }

    /// A genuine token of issuer A but for its header.
    pub(crate) fn of_a_with_header(&self, header: &Members) -> String {
        sign(self.a_key(Algorithm::Es256), header, &claims_of(ISSUER_A))
    }

    /// A genuine JWT-SVID of trust domain X but for its claims.
    pub(crate) fn of_x(&self, claims: &Members) -> String {
        sign(&self.x[0], &header(&self.x[0]), claims)
    }
}

const CONFIG: &str = "
issuers:
  - issuer: https://a.example
    keys: { file: a.json }
    audiences: [edgeward, also-edgeward]
  - issuer: https://b.example
    keys: { file: b.json }
    audiences: [edgeward]
    algorithms: [ES256]
    types: [JWT]
    leeway: 0s
    max_lifetime: 10m
trust_domains:
  - { name: x.example, bundle: { file: x.json }, audiences: [edgeward] }
  - { name: y.example, bundle: { file: y.json }, audiences: [edgeward] }
";

/// The members of a JSON object as raw text: a name twice and a number no library writes are both
/// possible.
#[derive(Clone)]
pub(crate) struct Members(Vec<(String, String)>);

impl Members {
    pub(crate) fn new(members: &[(&str, &str)]) -> Self {
        Self(
            members
                .iter()
                .map(|(name, raw)| ((*name).to_owned(), (*raw).to_owned()))
                .collect(),
        )
    }

    pub(crate) fn set(&self, name: &str, raw: impl Into<String>) -> Self {
        self.without(name).also(name, raw)
    }

    /// Adds a member even where there is one already. `name` may hold escapes.
    pub(crate) fn also(&self, name: &str, raw: impl Into<String>) -> Self {
        let mut members = self.clone();
        members.0.push((name.to_owned(), raw.into()));
        members
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(other, _)| other != name)
                .cloned()
                .collect(),
        )
    }

    pub(crate) fn text(&self) -> String {
        let members: Vec<String> = self
            .0
            .iter()
            .map(|(name, raw)| format!("\"{name}\":{raw}"))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

/// The header the signer would write itself.
pub(crate) fn header(signer: &Signer) -> Members {
    let (algorithm, key_id) = (signer.algorithm(), signer.key_id());
    Members::new(&[
        ("alg", &format!("\"{algorithm}\"")),
        ("kid", &format!("\"{key_id}\"")),
        ("typ", "\"JWT\""),
    ])
}

/// Good claims of `issuer`, for `alice`.
pub(crate) fn claims_of(issuer: &str) -> Members {
    times(&Members::new(&[
        ("iss", &format!("\"{issuer}\"")),
        ("sub", "\"alice\""),
        ("aud", "\"edgeward\""),
    ]))
}

/// Good claims of a JWT-SVID for `subject`.
pub(crate) fn svid_of(subject: &str) -> Members {
    times(&Members::new(&[
        ("sub", &format!("\"{subject}\"")),
        ("aud", "[\"edgeward\"]"),
    ]))
}

fn times(claims: &Members) -> Members {
    claims
        .set("iat", (NOW - 10).to_string())
        .set("exp", (NOW + 300).to_string())
}

/// Signs exactly these bytes.
pub(crate) fn sign(signer: &Signer, header: &Members, claims: &Members) -> String {
    sign_text(signer, &header.text(), &claims.text())
}

pub(crate) fn sign_text(signer: &Signer, header: &str, payload: &str) -> String {
    signer
        .sign_with_header(header.as_bytes(), payload.as_bytes())
        .expect("a signature")
}
