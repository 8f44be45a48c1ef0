//! Who we are to an authorization server: a secret, or a key whose signature it knows.
//!
//! Sources: RFC 6749 section 2.3.1 (`client_secret_basic`, `client_secret_post`), RFC 7523 section 2.2
//! (`private_key_jwt`). Files are read anew each time: whoever renews a secret replaces its file.

use std::path::{Path, PathBuf};

use edgeward_core::jose::{Algorithm, encode_base64url};
use edgeward_core::time::UnixSeconds;
use serde_json::json;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::IntrospectionRefusal;
use crate::crypto::Signer;
use crate::fetch::Credential;
use crate::whole_file;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const FORM: &str = "application/x-www-form-urlencoded";
/// The longest file with a secret or key.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// How long an assertion of ours holds, in seconds: it is sent at once.
const ASSERTION_LIFETIME: u64 = 60;

/// This PDP as a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// How it proves to be that.
    pub authentication: Authentication,
}

/// How a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// A secret of this file, in the header `Authorization`.
    Basic(PathBuf),
    /// A secret of this file, in the form.
    Post(PathBuf),
    /// An assertion, signed by a key that the server knows.
    PrivateKey {
        /// The file of the key, PKCS#8.
        file: PathBuf,
        /// Its algorithm, where its type does not say.
        algorithm: Option<Algorithm>,
        /// For whom assertions are: what the server is called.
        audience: String,
    },
}

/// What is sent.
pub(super) struct Question {
    pub(super) form: String,
    pub(super) credential: Credential,
}

impl Client {
    /// The question about `token`.
    pub(super) fn question(
        &self,
        token: &str,
        now: UnixSeconds,
    ) -> Result<Question, IntrospectionRefusal> {
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token);
        form.append_pair("token_type_hint", "access_token");
        let ours = |_| IntrospectionRefusal::OwnCredential;
        let mut credential = Credential::of([]);
        match &self.authentication {
            Authentication::Basic(file) => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let secret = secret(file)?;
                credential = Credential::basic(&encoded(&self.id), &encoded(&secret));
            }
            Authentication::Post(file) => {
                form.append_pair("client_id", &self.id);
                form.append_pair("client_secret", &secret(file)?);
            }
            Authentication::PrivateKey {
                file,
                algorithm,
                audience,
            } => {
                let key = content(file)?;
                let signer = Signer::from_pkcs8(&key, *algorithm).map_err(ours)?;
                let assertion = self.assertion(&signer, audience, now)?;
                form.append_pair("client_id", &self.id);
                form.append_pair("client_assertion_type", ASSERTION_TYPE);
                form.append_pair("client_assertion", &assertion);
            }
        }
        let credential = credential.and_then(|all| all.with("content-type", FORM));
        Ok(Question {
            form: form.finish(),
            credential: credential.ok_or(IntrospectionRefusal::OwnCredential)?,
        })
    }

    fn assertion(
        &self,
        signer: &Signer,
        audience: &str,
        now: UnixSeconds,
    ) -> Result<String, IntrospectionRefusal> {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| IntrospectionRefusal::OwnCredential)?;
        let claims = json!({
            "iss": self.id,
            "sub": self.id,
            "aud": audience,
            "jti": encode_base64url(&id),
            "iat": now,
            "exp": now.plus(ASSERTION_LIFETIME),
        });
        let assertion = signer.sign(Some("JWT"), claims.to_string().as_bytes());
        assertion.map_err(|_| IntrospectionRefusal::OwnCredential)
    }
}

fn secret(file: &Path) -> Result<String, IntrospectionRefusal> {
    let text = String::from_utf8(content(file)?);
    let text = text.map_err(|_| IntrospectionRefusal::OwnCredential)?;
    match text.trim() {
        "" => Err(IntrospectionRefusal::OwnCredential),
        secret => Ok(secret.to_owned()),
    }
}

fn content(file: &Path) -> Result<Vec<u8>, IntrospectionRefusal> {
    let read = whole_file::read(file, MAX_FILE_BYTES).ok().flatten();
    read.ok_or(IntrospectionRefusal::OwnCredential)
}
