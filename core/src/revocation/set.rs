//! All revocations in force, asked about one identity: sorted tags and binary searches.
//!
//! It is asked on every request of the filter: while there are none it answers at once, and a kind
//! of which there is none costs one bit looked at.

use std::collections::BTreeSet;

use serde::ser::{Serialize, Serializer};
use thiserror::Error;

use super::{Kind, Revoked, digest_of_token, hex, tag};

/// What is known of a caller. What is not known is not asked about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity<'a> {
    /// The token as it was sent: its digest is only taken where some token is revoked by digest.
    pub token: Option<&'a str>,
    /// Its `jti`.
    pub token_id: Option<&'a str>,
    /// Its `sid`.
    pub session: Option<&'a str>,
    /// The `kid` of the key that signed it.
    pub key_id: Option<&'a str>,
    /// The workload's id.
    pub subject: Option<&'a str>,
    /// Who issued the token, where that is not a trust domain.
    pub issuer: Option<&'a str>,
    /// The workload's trust domain.
    pub trust_domain: Option<&'a str>,
    /// SHA-256 of the client certificate.
    pub certificate: Option<&'a [u8; 32]>,
}

impl<'a> Identity<'a> {
    /// The workload with this id, and whoever vouches for it: the trust domain of a SPIFFE ID, the
    /// issuer of `issuer|sub`.
    pub fn of_subject(id: &'a str) -> Self {
        let mut identity = Self {
            subject: Some(id),
            ..Self::default()
        };
        if let Some(rest) = id.strip_prefix("spiffe://") {
            identity.trust_domain = rest.split('/').next();
        } else if let Some((issuer, _)) = id.split_once('|') {
            identity.issuer = Some(issuer);
        }
        identity
    }
}

/// Why a list of tags is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RevocationsError {
    /// A kind that this version does not know, and so could not honour.
    #[error("must only hold kinds of revocation that are known here")]
    UnknownKind,
    /// Not in ascending order, or one of them twice.
    #[error("must be in ascending order, each once")]
    Order,
}

/// All revocations in force, by their tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocations {
    tags: Vec<String>,
    /// One bit for each kind that is there.
    kinds: u16,
}

impl Revocations {
    /// Takes tags as a feed has them: in ascending order, each once, of kinds known here.
    pub fn from_tags(tags: Vec<String>) -> Result<Self, RevocationsError> {
        if !tags.is_sorted_by(|one, next| one < next) {
            return Err(RevocationsError::Order);
        }
        let mut kinds = 0;
        for tag in &tags {
            let (word, _) = tag.split_once(' ').ok_or(RevocationsError::UnknownKind)?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
            kinds |= bit(kind.ok_or(RevocationsError::UnknownKind)?);
        }
        Ok(Self { tags, kinds })
    }

    /// These, in any order.
    pub fn of<'r>(revoked: impl IntoIterator<Item = &'r Revoked>) -> Self {
        let mut kinds = 0;
        let tags: BTreeSet<String> = revoked
            .into_iter()
            .map(|revoked| {
                kinds |= bit(revoked.kind());
                revoked.tag()
            })
            .collect();
        Self {
            tags: tags.into_iter().collect(),
            kinds,
        }
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// The tags, in ascending order.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// By what the identity is revoked, if it is.
    pub fn find(&self, who: &Identity<'_>) -> Option<Kind> {
        if self.tags.is_empty() {
            return None;
        }
        let owners = [
            (Kind::Issuer, who.issuer),
            (Kind::TrustDomain, who.trust_domain),
        ];
        let owned = [
            (Kind::Token, who.token_id),
            (Kind::Session, who.session),
            (Kind::Key, who.key_id),
        ];
        for (kind, name) in owned {
            for (owner, of) in owners {
                if let (Some(name), Some(of)) = (name, of)
                    && self.has(kind, &[owner.word(), of, name])
                {
                    return Some(kind);
                }
            }
        }
        // A digest costs: it is only taken where one is revoked.
        let token = who.token.filter(|_| self.has_any(Kind::TokenDigest));
        let token = token.map(|token| hex(&digest_of_token(token)));
        let certificate = who.certificate.filter(|_| self.has_any(Kind::Certificate));
        let certificate = certificate.map(|digest| hex(digest));
        let named = [
            (Kind::TokenDigest, token.as_deref()),
            (Kind::Subject, who.subject),
            (Kind::Certificate, certificate.as_deref()),
            (Kind::Issuer, who.issuer),
            (Kind::TrustDomain, who.trust_domain),
        ];
        for (kind, name) in named {
            if name.is_some_and(|name| self.has(kind, &[name])) {
                return Some(kind);
            }
        }
        None
    }

    /// Whether nothing may be decided by the policy of this revision.
    pub fn has_policy(&self, revision: &str) -> bool {
        self.has(Kind::Policy, &[revision])
    }

    fn has_any(&self, kind: Kind) -> bool {
        self.kinds & bit(kind) != 0
    }

    #[inline(never)]
    fn has(&self, kind: Kind, parts: &[&str]) -> bool {
        self.has_any(kind) && self.tags.binary_search(&tag(kind, parts)).is_ok()
    }
}

impl Serialize for Revocations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.tags.serialize(serializer)
    }
}

fn bit(kind: Kind) -> u16 {
    1 << kind as u16
}
