//! What is known of each identity, and of each place where a secret was noticed; as the file and the answers to
//! operators have it.

use std::collections::{BTreeMap, BTreeSet};

use edgeward_core::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::Outcome;
use super::secrets::{SecretKind, is_free_of_secrets};

/// The most audiences that are kept of an identity.
const MAX_AUDIENCES: usize = 32;
/// The longest name that is kept, in bytes: longer ones are cut.
const MAX_NAME_BYTES: usize = 512;
/// In place of a name that has a secret in it.
const WITHHELD: &str = "(withheld: has a secret in it)";
/// In place of what is no host.
const NO_HOST: &str = "(no host)";

/// Who was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Who {
    /// A SPIFFE ID, or what an issuer or a platform calls them.
    pub id: String,
    /// Whose name that is: an issuer, or the trust provider that told it. None for a SPIFFE ID, which says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

impl Who {
    /// The one whom `authority` calls `id`.
    pub fn new(id: &str, authority: Option<&str>) -> Self {
        let authority = authority.filter(|_| !id.starts_with("spiffe://"));
        Self {
            id: kept(id),
            authority: authority.map(kept),
        }
    }
}

/// A name as it is kept. Callers choose names: one with a secret in it is not kept.
fn kept(name: &str) -> String {
    if is_free_of_secrets(name) {
        cut(name)
    } else {
        WITHHELD.to_owned()
    }
}

/// A host as it is kept. What is no host may be `user:password@host`, and is not kept.
fn kept_host(host: &str) -> String {
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.bytes().all(is_of_host) {
        kept(host)
    } else {
        NO_HOST.to_owned()
    }
}

/// As much of a text as is kept.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_NAME_BYTES);
    text.get(..end).unwrap_or_default().to_owned()
}

/// What is known of one identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// When it was seen first.
    pub first_seen: UnixSeconds,
    /// When it was seen last.
    pub last_seen: UnixSeconds,
    /// When a request of it was decided last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<UnixSeconds>,
    /// The client workload that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// The trust providers that vouched for it.
    #[serde(default)]
    pub providers: BTreeSet<String>,
    /// How many tokens it got.
    #[serde(default)]
    pub tokens_issued: u64,
    /// How many it did not get, by reason code.
    #[serde(default)]
    pub tokens_refused: BTreeMap<String, u64>,
    /// The shortest of its tokens, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortest_token: Option<u64>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_token: Option<u64>,
    /// Whom its tokens were for: the first so many.
    #[serde(default)]
    pub audiences: BTreeSet<String>,
}

impl Identity {
    pub(super) fn new(now: UnixSeconds) -> Self {
        Self {
            first_seen: now,
            last_seen: now,
            decided_at: None,
            workload: None,
            providers: BTreeSet::new(),
            tokens_issued: 0,
            tokens_refused: BTreeMap::new(),
            shortest_token: None,
            longest_token: None,
            audiences: BTreeSet::new(),
        }
    }

    pub(super) fn asked(&mut self, provider: &str, workload: Option<&str>, outcome: Outcome<'_>) {
        if !self.providers.contains(provider) {
            self.providers.insert(provider.to_owned());
        }
        if workload.is_some() {
            self.workload = workload.map(str::to_owned);
        }
        match outcome {
            Outcome::Issued {
                lifetime,
                audiences,
            } => {
                self.tokens_issued = self.tokens_issued.saturating_add(1);
                self.shortest_token = Some(
                    self.shortest_token
                        .map_or(lifetime, |was| was.min(lifetime)),
                );
                self.longest_token = self.longest_token.max(Some(lifetime));
                for audience in audiences {
                    if self.audiences.len() < MAX_AUDIENCES && !self.audiences.contains(audience) {
                        self.audiences.insert(audience.clone());
                    }
                }
            }
            Outcome::Refused(code) => {
                let count = self.tokens_refused.entry(code.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
}

/// Where a secret was noticed: never the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Where {
    /// Of which kind.
    pub kind: SecretKind,
    /// In which part of a request, such as `header x-api-key`.
    pub place: String,
    /// Who sent it; empty where nobody was known.
    pub subject: String,
    /// To which host.
    pub service: String,
}

impl Where {
    /// A secret of this kind at `place`, sent by `subject` to `service`. Whoever sends a request chooses the names
    /// of its headers and its host: they are cut, and not kept where they are secrets themselves.
    pub(super) fn new(kind: SecretKind, place: &str, subject: &str, service: &str) -> Self {
        Self {
            kind,
            place: kept(place),
            subject: kept(subject),
            service: kept_host(service),
        }
    }
}

/// How often a secret was noticed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedSecret {
    /// First.
    pub first_seen: UnixSeconds,
    /// Last.
    pub last_seen: UnixSeconds,
    /// In how many requests.
    pub count: u64,
}

impl NoticedSecret {
    pub(super) fn new(now: UnixSeconds) -> Self {
        Self {
            first_seen: now,
            last_seen: now,
            count: 1,
        }
    }
}

/// All of an inventory, in order of names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The identities.
    pub identities: Vec<Seen>,
    /// The places of secrets.
    pub secrets: Vec<Noticed>,
    /// Sightings that did not fit.
    pub dropped: u64,
}

/// One identity of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Who.
    #[serde(flatten)]
    pub who: Who,
    /// What is known.
    #[serde(flatten)]
    pub identity: Identity,
}

/// One place of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Where.
    #[serde(flatten)]
    pub at: Where,
    /// How often.
    #[serde(flatten)]
    pub secret: NoticedSecret,
}

impl Report {
    pub(super) fn of(
        identities: &BTreeMap<Who, Identity>,
        secrets: &BTreeMap<Where, NoticedSecret>,
        dropped: u64,
    ) -> Self {
        let seen = identities.iter().map(|(who, identity)| Seen {
            who: who.clone(),
            identity: identity.clone(),
        });
        let noticed = secrets.iter().map(|(at, secret)| Noticed {
            at: at.clone(),
            secret: secret.clone(),
        });
        Self {
            identities: seen.collect(),
            secrets: noticed.collect(),
            dropped,
        }
    }
}
