//! Attestation: a workload shows evidence, a trust provider checks it, and what comes out are the
//! attributes that its platform vouches for.
//!
//! What this is not: who that workload is to us (`crate::workloads`), or the token it gets
//! (`crate::token_service`).

mod attributes;
mod aws_account;
pub mod aws_instance;
pub mod aws_sts;
pub mod azure_document;
pub mod cms;
pub mod evidence;
mod evidence_kind;
mod flights;
pub mod introspection;
pub mod jwt;
pub mod kubernetes;
pub mod static_keys;
pub mod svid;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use edgeward_core::time::UnixSeconds;
use thiserror::Error;

use self::evidence::EvidenceSettings;
use self::introspection::IntrospectionSettings;
use self::jwt::JwtProvider;
use crate::keys::KeySettings;

pub use attributes::{AttributeError, Attributes, MAX_ATTRIBUTES, MAX_TEXT_BYTES, MAX_VALUES};
pub use aws_account::{AwsAccount, AwsAccountError};
pub use flights::Flights;

/// The name of a trust provider, as the configuration has it: 1 to 64 of `a-z`, `0-9`, `-`, `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderName(Arc<str>);

/// The text cannot name a trust provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the name of a trust provider is 1 to 64 of `a` to `z`, digits, `-` and `_`")]
pub struct ProviderNameError;

impl ProviderName {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderName {
    type Err = ProviderNameError;

    fn from_str(text: &str) -> Result<Self, ProviderNameError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(ProviderNameError);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What checked evidence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// What the platform vouches for.
    pub attributes: Attributes,
    /// The first instant at which the evidence must no longer be honoured.
    pub expires_at: UnixSeconds,
    /// Set where the evidence may be shown only once, or by one party only.
    pub once: Option<Once>,
}

/// Evidence that anybody who reads it could show again: it counts the first time only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// What is the same in every copy of it (never a secret: it is kept on disk).
    pub id: String,
    /// Until when it must be remembered; none for as long as there is a disk.
    pub until: Option<UnixSeconds>,
}

/// Checked settings: whose word is taken.
#[derive(Debug, Clone, Default)]
pub struct AttestationSettings {
    /// Those whose evidence are JWTs; no two of one issuer or trust domain.
    pub jwt: Vec<JwtProvider>,
    /// Those whose evidence is something else; no two of one kind.
    pub evidence: Vec<(ProviderName, EvidenceSettings)>,
    /// Those whose evidence are opaque tokens.
    pub introspection: Vec<(ProviderName, IntrospectionSettings)>,
    /// Where their keys come from.
    pub keys: KeySettings,
}
