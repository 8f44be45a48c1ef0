//! The key that signs, ready: a token costs one signature and no more.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_core::jose::{MAX_TOKEN_BYTES, encode_base64url};
use edgeward_core::time::UnixSeconds;
use serde_json::json;
use thiserror::Error;

use super::settings::UNDER_WAY;
use crate::crypto::{Signer, SignerError};

/// A signature of ES256 and the dot before it, in base64url.
const SIGNATURE_BYTES: usize = 1 + 86;

/// What a token is, as its header's `typ` says (RFC 7515 section 4.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtType {
    /// `JWT`: a JWT-SVID (JWT-SVID.md section 2.3), or any JWT.
    Jwt,
    /// `at+jwt`: an access token (RFC 9068 section 2.1).
    AccessToken,
}

impl JwtType {
    /// The value of `typ`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::AccessToken => "at+jwt",
        }
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The key is past its time, and there is no other yet.
    #[error("the signing key is past its time and no other could take over: see the log")]
    Expired,
    /// No verifier would look at such a token.
    #[error("the token would be longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// The cryptographic library failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl SignError {
    /// The stable reason code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired => "signing-key-expired",
            Self::TooLong => "signed-token-too-long",
            Self::Signer(_) => "signing-failed",
        }
    }
}

/// A key that signs, until its time is over.
pub struct SigningKey {
    signer: Arc<Signer>,
    /// Encoded, each with its dot.
    jwt_header: String,
    access_token_header: String,
    /// By the system's clock.
    signs_until: AtomicU64,
    /// It signed for as long as it may, by the clock that never jumps.
    is_worn: AtomicBool,
}

impl SigningKey {
    pub(super) fn new(signer: Arc<Signer>, signs_until: UnixSeconds) -> Self {
        Self {
            jwt_header: header(&signer, JwtType::Jwt),
            access_token_header: header(&signer, JwtType::AccessToken),
            signer,
            signs_until: AtomicU64::new(signs_until.0),
            is_worn: AtomicBool::new(false),
        }
    }

    /// The id that stands in the header's `kid` and in what is published.
    pub fn key_id(&self) -> &str {
        self.signer.key_id()
    }

    /// The first instant at which it no longer signs.
    pub fn signs_until(&self) -> UnixSeconds {
        UnixSeconds(self.signs_until.load(Ordering::Relaxed))
    }

    /// Signs `claims`, the text of a JSON object, as a compact JWS of ES256.
    pub fn sign(
        &self,
        jwt_type: JwtType,
        claims: &[u8],
        now: UnixSeconds,
    ) -> Result<String, SignError> {
        if self.is_worn.load(Ordering::Relaxed) || now >= self.signs_until() {
            return Err(SignError::Expired);
        }
        let header = match jwt_type {
            JwtType::Jwt => &self.jwt_header,
            JwtType::AccessToken => &self.access_token_header,
        };
        let length = base64::encoded_len(claims.len(), false)
            .and_then(|payload| payload.checked_add(header.len() + SIGNATURE_BYTES))
            .filter(|length| *length <= MAX_TOKEN_BYTES)
            .ok_or(SignError::TooLong)?;
        let mut token = String::with_capacity(length);
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.signer.signature(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// It signs no more.
    pub(super) fn wear_out(&self) {
        self.is_worn.store(true, Ordering::Relaxed);
    }

    /// Another took over: what was begun with this one is finished, and no more.
    pub(super) fn retire(&self, now: UnixSeconds) {
        self.signs_until
            .fetch_min(now.plus(UNDER_WAY).0, Ordering::Relaxed);
    }
}

impl fmt::Debug for SigningKey {
    /// Never shows the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("key_id", &self.key_id())
            .field("signs_until", &self.signs_until())
            .finish_non_exhaustive()
    }
}

fn header(signer: &Signer, jwt_type: JwtType) -> String {
    let header = json!({
        "alg": signer.algorithm().as_str(),
        "kid": signer.key_id(),
        "typ": jwt_type.as_str(),
    });
    encode_base64url(header.to_string().as_bytes()) + "."
}
