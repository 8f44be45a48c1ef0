//! Revocations as JSON: the order to revoke (`POST`), and what is kept and answered.
//!
//! An order: `{"kind": "key", "issuer": "https://…", "kid": "…", "reason": "…", "expires_at": …}`;
//! the members beside `reason` and `expires_at` depend on the kind (see [`Revoked`]). A revocation
//! is the same with `id`, `at`, and `expires_at` always there: seconds since 1970, or `"never"`.
//!
//! Used by the PDP alone: the filter reads tags.

use serde_json::{Map, Value};

use super::{Kind, MAX_NAME_BYTES, MAX_REASON_BYTES, Revoked, hex, kind_of, name_of};
use crate::jose::MAX_KID_BYTES;
use crate::members::{MemberError, Members};
use crate::spiffe::{SpiffeId, looks_like_spiffe_id};
use crate::time::UnixSeconds;
use crate::token::{Issuer, KeyOwner};
use crate::xfcc::hex_digest;

/// When a revocation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At this instant.
    At(UnixSeconds),
    /// When it is undone.
    Never,
}

impl Expiry {
    /// Whether it has ended at `now`.
    pub fn is_over(self, now: UnixSeconds) -> bool {
        matches!(self, Self::At(instant) if instant <= now)
    }

    /// Whichever is later.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(one), Self::At(two)) => Self::At(one.max(two)),
            _ => Self::Never,
        }
    }
}

/// What is to be revoked, as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub revoked: Revoked,
    /// Why, for whoever reads the list.
    pub reason: Option<String>,
    /// Until when; `None` leaves it to the PDP.
    pub expires_at: Option<Expiry>,
}

/// A revocation in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// What is revoked; its [`Revoked::id`] is the revocation's.
    pub revoked: Revoked,
    /// Why, for whoever reads the list.
    pub reason: Option<String>,
    /// Since when.
    pub at: UnixSeconds,
    /// Until when.
    pub expires_at: Expiry,
}

impl Order {
    /// Reads an order from its bytes, strictly.
    pub fn parse(body: &[u8]) -> Result<Self, MemberError> {
        let mut members = Members::parse(body, "revocation")?;
        let order = Self {
            revoked: read_revoked(&mut members)?,
            reason: read_reason(&mut members)?,
            expires_at: read_expiry(&mut members)?,
        };
        members.finish()?;
        Ok(order)
    }

    /// As [`Self::parse`] reads it.
    pub fn to_json(&self) -> Value {
        let mut members = members_of(&self.revoked);
        if let Some(reason) = &self.reason {
            members.insert("reason".to_owned(), reason.as_str().into());
        }
        if let Some(expiry) = self.expires_at {
            members.insert("expires_at".to_owned(), expiry_value(expiry));
        }
        members.into()
    }
}

impl Revocation {
    /// Reads a revocation as [`Self::to_json`] writes it.
    pub fn parse(text: &[u8]) -> Result<Self, MemberError> {
        let mut members = Members::parse(text, "revocation")?;
        let id = members.required_text("id")?;
        let revocation = Self {
            revoked: read_revoked(&mut members)?,
            reason: read_reason(&mut members)?,
            at: UnixSeconds(members.required_number("at")?),
            expires_at: read_expiry(&mut members)?
                .ok_or_else(|| members.error("expires_at", "must be given"))?,
        };
        if id != revocation.revoked.id() {
            return Err(members.error("id", "is not that of what is revoked"));
        }
        members.finish()?;
        Ok(revocation)
    }

    /// As the API answers it and the journal keeps it.
    pub fn to_json(&self) -> Value {
        let mut members = Map::new();
        members.insert("id".to_owned(), self.revoked.id().into());
        members.extend(members_of(&self.revoked));
        if let Some(reason) = &self.reason {
            members.insert("reason".to_owned(), reason.as_str().into());
        }
        members.insert("at".to_owned(), self.at.0.into());
        members.insert("expires_at".to_owned(), expiry_value(self.expires_at));
        members.into()
    }
}

fn read_revoked(members: &mut Members) -> Result<Revoked, MemberError> {
    let word = members.required_text("kind")?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    match kind {
        Some(Kind::Token) if members.has("sha256") => {
            read_digest(members).map(Revoked::TokenDigest)
        }
        Some(Kind::Token) => Ok(Revoked::Token {
            owner: read_owner(members)?,
            token_id: read_name(members, "jti", MAX_NAME_BYTES)?,
        }),
        Some(Kind::Subject) => read_subject(members).map(Revoked::Subject),
        Some(Kind::Key) => Ok(Revoked::Key {
            owner: read_owner(members)?,
            key_id: read_name(members, "kid", MAX_KID_BYTES)?,
        }),
        Some(Kind::Session) => Ok(Revoked::Session {
            owner: read_owner(members)?,
            session: read_name(members, "sid", MAX_NAME_BYTES)?,
        }),
        Some(Kind::Issuer) => {
            let issuer = members.parsed("issuer")?;
            let issuer = issuer.ok_or_else(|| members.error("issuer", "must be given"))?;
            Ok(Revoked::Owner(KeyOwner::Issuer(issuer)))
        }
        Some(Kind::TrustDomain) => {
            let name = members.parsed("trust_domain")?;
            let name = name.ok_or_else(|| members.error("trust_domain", "must be given"))?;
            Ok(Revoked::Owner(KeyOwner::TrustDomain(name)))
        }
        Some(Kind::Certificate) => read_digest(members).map(Revoked::Certificate),
        Some(Kind::Policy) => read_name(members, "revision", MAX_NAME_BYTES).map(Revoked::Policy),
        Some(Kind::TokenDigest) | None => Err(members.error(
            "kind",
            "must be `token`, `subject`, `key`, `issuer`, `trust-domain`, `session`, \
             `certificate` or `policy`",
        )),
    }
}

fn members_of(revoked: &Revoked) -> Map<String, Value> {
    let mut members = Map::new();
    let mut set = |name: &str, value: &str| {
        members.insert(name.to_owned(), value.into());
    };
    let kind = match revoked.kind() {
        Kind::TokenDigest => Kind::Token,
        kind => kind,
    };
    set("kind", kind.word());
    let owner = match revoked {
        Revoked::Token { owner, token_id } => {
            set("jti", token_id);
            Some(owner)
        }
        Revoked::Key { owner, key_id } => {
            set("kid", key_id);
            Some(owner)
        }
        Revoked::Session { owner, session } => {
            set("sid", session);
            Some(owner)
        }
        Revoked::Owner(owner) => Some(owner),
        Revoked::Subject(id) => {
            set("subject", id);
            None
        }
        Revoked::TokenDigest(digest) | Revoked::Certificate(digest) => {
            set("sha256", &hex(digest));
            None
        }
        Revoked::Policy(revision) => {
            set("revision", revision);
            None
        }
    };
    if let Some(owner) = owner {
        let member = match kind_of(owner) {
            Kind::TrustDomain => "trust_domain",
            _ => "issuer",
        };
        set(member, name_of(owner));
    }
    members
}

fn read_owner(members: &mut Members) -> Result<KeyOwner, MemberError> {
    match (members.parsed("issuer")?, members.parsed("trust_domain")?) {
        (Some(issuer), None) => Ok(KeyOwner::Issuer(issuer)),
        (None, Some(domain)) => Ok(KeyOwner::TrustDomain(domain)),
        _ => Err(members.error("issuer", "give it or `trust_domain`, one of them")),
    }
}

fn read_subject(members: &mut Members) -> Result<String, MemberError> {
    let subject = read_name(members, "subject", 2 * MAX_NAME_BYTES + 1)?;
    if looks_like_spiffe_id(&subject) {
        let id: Result<SpiffeId, _> = subject.parse();
        return id
            .map(|id| id.to_string())
            .map_err(|error| members.error("subject", error));
    }
    match subject.split_once('|') {
        Some((issuer, name)) if !name.is_empty() && issuer.parse::<Issuer>().is_ok() => Ok(subject),
        _ => Err(members.error("subject", "must be a SPIFFE ID, or `issuer|sub`")),
    }
}

/// SHA-256 in hex, as it is or as `openssl x509 -fingerprint` prints it.
fn read_digest(members: &mut Members) -> Result<[u8; 32], MemberError> {
    let text = members.required_text("sha256")?;
    let plain: String = text
        .chars()
        .filter(|character| *character != ':')
        .map(|character| character.to_ascii_lowercase())
        .collect();
    hex_digest(&plain).ok_or_else(|| {
        members.error(
            "sha256",
            "must be a SHA-256 digest: 64 hex digits, colons allowed",
        )
    })
}

fn read_name(members: &mut Members, name: &str, most: usize) -> Result<String, MemberError> {
    let text = members.required_text(name)?;
    printable(members, name, text, most)
}

fn read_reason(members: &mut Members) -> Result<Option<String>, MemberError> {
    let reason = members.text("reason")?;
    reason
        .map(|reason| printable(members, "reason", reason, MAX_REASON_BYTES))
        .transpose()
}

fn printable(
    members: &Members,
    name: &str,
    text: String,
    most: usize,
) -> Result<String, MemberError> {
    if text.len() > most || text.chars().any(char::is_control) {
        let problem = format!("must be at most {most} bytes, none of them a control character");
        return Err(members.error(name, problem));
    }
    Ok(text)
}

fn read_expiry(members: &mut Members) -> Result<Option<Expiry>, MemberError> {
    match members.any("expires_at") {
        None => Ok(None),
        Some(Value::String(text)) if text == "never" => Ok(Some(Expiry::Never)),
        Some(value) => match value.as_u64() {
            Some(seconds) => Ok(Some(Expiry::At(UnixSeconds(seconds)))),
            None => Err(members.error("expires_at", "must be seconds since 1970, or `never`")),
        },
    }
}

fn expiry_value(expiry: Expiry) -> Value {
    match expiry {
        Expiry::At(instant) => instant.0.into(),
        Expiry::Never => "never".into(),
    }
}
