//! Whom we believe: issuers and trust domains, each with its own keys and rules.
//!
//! INVARIANT: a token is only ever checked against the keys of the one issuer or trust domain that
//! it names. Sets are never merged and never searched across.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::TokenRules;
use crate::jose::KeySet;
use crate::spiffe::TrustDomain;

const MAX_ISSUER_BYTES: usize = 2048;

/// An issuer identifier (`iss`), compared byte for byte (RFC 7519 section 4.1.1). Usually an https
/// URL, but any non-empty text without white space or `|` will do; the bar divides issuer from
/// subject in a workload's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(String);

/// The text cannot be an issuer identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("issuer must be 1 to {MAX_ISSUER_BYTES} printable characters without spaces or `|`")]
pub struct IssuerError;

impl Issuer {
    /// The identifier as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'|';
        if text.is_empty() || text.len() > MAX_ISSUER_BYTES || !text.bytes().all(allowed) {
            return Err(IssuerError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Issuer {
    type Error = IssuerError;

    fn try_from(text: String) -> Result<Self, IssuerError> {
        text.parse()
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.0
    }
}

/// Whose keys these are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOwner {
    /// An issuer of OpenID Connect or other JWTs.
    Issuer(Issuer),
    /// A SPIFFE trust domain.
    TrustDomain(TrustDomain),
}

impl fmt::Display for KeyOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(issuer) => write!(f, "issuer `{issuer}`"),
            Self::TrustDomain(name) => write!(f, "trust domain `{name}`"),
        }
    }
}

impl KeyOwner {
    /// The issuer, where it is one.
    pub fn issuer(&self) -> Option<&Issuer> {
        match self {
            Self::Issuer(issuer) => Some(issuer),
            Self::TrustDomain(_) => None,
        }
    }

    /// The trust domain, where it is one.
    pub fn trust_domain(&self) -> Option<&TrustDomain> {
        match self {
            Self::TrustDomain(name) => Some(name),
            Self::Issuer(_) => None,
        }
    }
}

/// A key that a token names and its owner's set does not have: invented, or published since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingKey {
    /// Who is configured, and would have it.
    pub owner: KeyOwner,
    /// The token's `kid`: whoever sent the token chose it.
    pub key_id: String,
}

/// One issuer of OpenID Connect or other JWTs.
#[derive(Debug, Clone)]
pub struct IssuerTrust {
    /// What its tokens must be like.
    pub rules: TokenRules,
    /// Its keys, and no others; empty means that nothing of this issuer verifies.
    pub keys: KeySet,
}

/// One SPIFFE trust domain, as far as JWT-SVIDs go.
#[derive(Debug, Clone)]
pub struct TrustDomainTrust {
    /// What its JWT-SVIDs must be like.
    pub rules: TokenRules,
    /// The `jwt-svid` keys of its bundle, and no others.
    pub keys: KeySet,
}

/// Everyone whose tokens may be believed.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// By exact issuer identifier.
    pub issuers: BTreeMap<Issuer, IssuerTrust>,
    /// By trust domain name.
    pub trust_domains: BTreeMap<TrustDomain, TrustDomainTrust>,
}

impl Trust {
    /// The issuer with this identifier, byte for byte.
    pub fn issuer(&self, identifier: &str) -> Option<(&Issuer, &IssuerTrust)> {
        self.issuers.get_key_value(&Issuer(identifier.to_owned()))
    }
}
