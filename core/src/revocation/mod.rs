//! Revocations: what must no longer be honoured, before its time.
//!
//! - [`Revoked`]: one thing taken back, and its [`Revoked::tag`], the one text that names it.
//! - [`Revocation`]: that, with its id, reason and times, as the API and the PDP's journal have it.
//! - [`Revocations`]: all that are in force, as filter and PDP ask them: "is this caller's identity
//!   revoked?", by look-ups, for next to nothing while there are none.
//!
//! What this is not: where revocations are kept or when they end. Both are the PDP's; the sync feed
//! carries the tags of those in force and no others.

mod set;
mod wire;

#[cfg(test)]
mod tests;

pub use set::{Identity, Revocations, RevocationsError};
pub use wire::{Expiry, Order, Revocation};

use sha2::{Digest, Sha256};

use crate::token::KeyOwner;

/// The longest reason, in bytes.
pub const MAX_REASON_BYTES: usize = 512;
/// The longest id of a token or session, or revision of a policy, in bytes.
pub const MAX_NAME_BYTES: usize = 2048;
/// The longest order to revoke, in bytes of JSON.
pub const MAX_ORDER_BYTES: usize = 16 * 1024;
/// The most revocations in force at once.
pub const MAX_REVOCATIONS: usize = 10_000;
/// The most bytes of all tags together: the feed that carries them stays far below what a filter
/// reads of one answer.
pub const MAX_TAG_BYTES: usize = 2 * 1024 * 1024;

/// What kind of thing is revoked. Each has a word, in tags and on the wire, and a reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A client certificate.
    Certificate,
    /// An issuer with all its tokens.
    Issuer,
    /// A key that signs tokens.
    Key,
    /// A policy revision.
    Policy,
    /// A session of an issuer's.
    Session,
    /// A workload.
    Subject,
    /// A token, by its id.
    Token,
    /// A token, by its digest.
    TokenDigest,
    /// A trust domain with all its workloads.
    TrustDomain,
}

impl Kind {
    /// All of them, in the order of their words.
    pub const ALL: [Self; 9] = [
        Self::Certificate,
        Self::Issuer,
        Self::Key,
        Self::Policy,
        Self::Session,
        Self::Subject,
        Self::Token,
        Self::TokenDigest,
        Self::TrustDomain,
    ];

    /// The word that a tag of this kind begins with.
    pub fn word(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Policy => "policy",
            Self::Session => "session",
            Self::Subject => "subject",
            Self::Token => "token",
            Self::TokenDigest => "token-digest",
            Self::TrustDomain => "trust-domain",
        }
    }

    /// The stable reason code, kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::Certificate => "certificate-revoked",
            Self::Issuer => "issuer-revoked",
            Self::Key => "key-revoked",
            Self::Policy => "policy-revoked",
            Self::Session => "session-revoked",
            Self::Subject => "subject-revoked",
            Self::Token | Self::TokenDigest => "token-revoked",
            Self::TrustDomain => "trust-domain-revoked",
        }
    }
}

/// One thing that is no longer honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// The token with this `jti` of this issuer or trust domain.
    Token {
        /// Who issued it.
        owner: KeyOwner,
        /// Its `jti`.
        token_id: String,
    },
    /// The token with this digest ([`digest_of_token`]).
    TokenDigest([u8; 32]),
    /// The workload of this id: a SPIFFE ID or `issuer|sub`.
    Subject(String),
    /// Every token that this key signed.
    Key {
        /// Whose key it is.
        owner: KeyOwner,
        /// Its `kid`.
        key_id: String,
    },
    /// Every token of an issuer, or every workload of a trust domain.
    Owner(KeyOwner),
    /// Every token of a session (the claim `sid`).
    Session {
        /// Who issued the tokens.
        owner: KeyOwner,
        /// The `sid`.
        session: String,
    },
    /// The client certificate with this SHA-256 digest, taken of its DER form.
    Certificate([u8; 32]),
    /// The policy of this revision: nothing is decided by it.
    Policy(String),
}

impl Revoked {
    /// What kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Token { .. } => Kind::Token,
            Self::TokenDigest(_) => Kind::TokenDigest,
            Self::Subject(_) => Kind::Subject,
            Self::Key { .. } => Kind::Key,
            Self::Owner(owner) => kind_of(owner),
            Self::Session { .. } => Kind::Session,
            Self::Certificate(_) => Kind::Certificate,
            Self::Policy(_) => Kind::Policy,
        }
    }

    /// The one text that names it: kind, owner where it has one, name, in this order and divided by
    /// single spaces. One-to-one, since neither words nor owners have a space in them.
    pub fn tag(&self) -> String {
        match self {
            Self::Token { owner, token_id } => owned(Kind::Token, owner, token_id),
            Self::Key { owner, key_id } => owned(Kind::Key, owner, key_id),
            Self::Session { owner, session } => owned(Kind::Session, owner, session),
            Self::Owner(owner) => tag(kind_of(owner), &[name_of(owner)]),
            Self::Subject(id) => tag(Kind::Subject, &[id]),
            Self::Policy(revision) => tag(Kind::Policy, &[revision]),
            Self::TokenDigest(digest) => tag(Kind::TokenDigest, &[&hex(digest)]),
            Self::Certificate(digest) => tag(Kind::Certificate, &[&hex(digest)]),
        }
    }

    /// Its id: 32 hex digits, made of the tag, so that what is revoked twice is one revocation.
    pub fn id(&self) -> String {
        let mut id = hex(&sha256(self.tag().as_bytes()));
        id.truncate(32);
        id
    }
}

/// What a token is known by where it has no other name: SHA-256 of what was signed, header and
/// payload of its compact form. Without the signature, because whoever holds an ECDSA one can make
/// another that verifies as well.
pub fn digest_of_token(token: &str) -> [u8; 32] {
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    sha256(signed.as_bytes())
}

/// Not inlined: there is one in the filter's module, for everyone.
#[inline(never)]
fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// `bytes` in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| {
        char::from(if value < 10 {
            b'0' + value
        } else {
            b'a' - 10 + value
        })
    };
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn kind_of(owner: &KeyOwner) -> Kind {
    match owner {
        KeyOwner::Issuer(_) => Kind::Issuer,
        KeyOwner::TrustDomain(_) => Kind::TrustDomain,
    }
}

fn name_of(owner: &KeyOwner) -> &str {
    match owner {
        KeyOwner::Issuer(issuer) => issuer.as_str(),
        KeyOwner::TrustDomain(name) => name.as_str(),
    }
}

fn owned(kind: Kind, owner: &KeyOwner, name: &str) -> String {
    tag(kind, &[kind_of(owner).word(), name_of(owner), name])
}

fn tag(kind: Kind, parts: &[&str]) -> String {
    let mut tag = kind.word().to_owned();
    for part in parts {
        tag.push(' ');
        tag.push_str(part);
    }
    tag
}
