//! The sync feed on the wire: whom the filter may believe, told by the PDP.
//!
//! `GET /edgeward/v1/sync?since=CURSOR` is a long poll. 200 carries the *whole* state, so a filter
//! that missed something has missed nothing; 204 says that nothing changed within the wait.
//!
//! INVARIANT: an unknown member is an error. A filter that is older than its PDP must not go on
//! while it overlooks, say, a revocation.

use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::atoms::Atoms;
use crate::decision::Lease;
use crate::footprint::Footprint;
use crate::jose::{KeySet, KeySetError, KeyUse};
use crate::members::{MemberError, Members, read_each};
use crate::revocation::Revocations;
use crate::spiffe::TrustDomain;
use crate::token::{Issuer, IssuerTrust, RulesError, TokenRules, Trust, TrustDomainTrust};

/// The path of the feed.
pub const SYNC_PATH: &str = "/edgeward/v1/sync";
/// The version of this shape.
pub const VERSION: u32 = 1;

/// The whole state.
#[derive(Debug, Serialize)]
pub struct Feed {
    /// [`VERSION`].
    pub version: u32,
    /// What to ask `since` next time; opaque.
    pub cursor: String,
    /// Unique to this response: seeds the ids of decisions that the filter makes itself.
    pub lease: Lease,
    /// The revision of the policy in force; empty while there is none.
    pub policy_revision: String,
    /// How decisions may be remembered; none, if they may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caching: Option<Caching>,
    /// Issuers of OpenID Connect and other JWTs.
    pub issuers: Vec<FeedIssuer>,
    /// SPIFFE trust domains.
    pub trust_domains: Vec<FeedTrustDomain>,
    /// What is revoked; on the wire its tags ([`crate::revocation::Revoked::tag`]) in order.
    pub revocations: Revocations,
}

/// How decisions may be remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caching {
    /// Names what decides now, the premise of every decision: the policies that serve, the entry
    /// point, the limits of the engine, and what can be read of the data. Opaque. Whatever cannot
    /// change a decision (other data, a test) leaves it as it is, while `policy_revision`
    /// changes with every byte of the policy folder.
    pub program: String,
    /// Names the policies of it alone. Opaque, and no premise: it tells why a decision fell.
    pub policies: String,
    /// What the decisions depend on.
    pub vary: Footprint,
    /// What the atoms that `vary` covers are made by; on the wire its members stand here.
    #[serde(flatten)]
    pub atoms: Atoms,
}

/// One issuer.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FeedIssuer {
    /// Its identifier.
    pub issuer: Issuer,
    /// What its tokens must be like.
    pub rules: TokenRules,
    /// Its keys: a JWK Set.
    pub keys: Map<String, Value>,
}

/// One trust domain.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FeedTrustDomain {
    /// Its name.
    pub name: TrustDomain,
    /// What its JWT-SVIDs must be like.
    pub rules: TokenRules,
    /// The `jwt-svid` keys of its bundle: a JWK Set.
    pub keys: Map<String, Value>,
}

/// Why a body is not a feed. The filter keeps the last good one, until that is too old.
#[derive(Debug, Error)]
pub enum FeedError {
    /// Not strict JSON, or not of this shape.
    #[error("feed: {0}")]
    Shape(#[from] MemberError),
    /// Written by another version.
    #[error("feed has version {0}, not {VERSION}")]
    Version(u64),
    /// An issuer or trust domain that is there twice: its keys and rules would have two readings.
    #[error("feed: `{0}` is there twice")]
    Twice(String),
    /// Rules under which nothing, or anything, would pass.
    #[error("feed: rules of `{name}`: {error}")]
    Rules {
        /// The issuer or trust domain.
        name: String,
        /// What is wrong with them.
        error: RulesError,
    },
    /// Keys that are no key set.
    #[error("feed: keys of `{name}`: {error}")]
    Keys {
        /// The issuer or trust domain.
        name: String,
        /// What is wrong with them.
        error: KeySetError,
    },
}

impl Feed {
    /// Reads a feed from its bytes.
    pub fn parse(body: &[u8]) -> Result<Self, FeedError> {
        let mut members = Members::parse(body, "feed")?;
        let version = members.required_number("version")?;
        if version != u64::from(VERSION) {
            return Err(FeedError::Version(version));
        }
        let lease = members.required_text("lease")?;
        let feed = Self {
            version: VERSION,
            cursor: members.required_text("cursor")?,
            lease: lease
                .try_into()
                .map_err(|error| members.error("lease", error))?,
            policy_revision: members.text("policy_revision")?.unwrap_or_default(),
            caching: Caching::read(&mut members)?,
            issuers: read_each(members.objects("issuers")?, FeedIssuer::read)?,
            trust_domains: read_each(members.objects("trust_domains")?, FeedTrustDomain::read)?,
            revocations: Revocations::from_tags(members.list("revocations")?.unwrap_or_default())
                .map_err(|error| members.error("revocations", error))?,
        };
        members.finish()?;
        Ok(feed)
    }

    /// Writes `trust` as the PDP holds it.
    pub fn of(
        trust: &Trust,
        cursor: String,
        lease: Lease,
        policy_revision: String,
        caching: Option<Caching>,
    ) -> Self {
        let issuers = trust.issuers.iter().map(|(issuer, settings)| FeedIssuer {
            issuer: issuer.clone(),
            rules: settings.rules.clone(),
            keys: settings.keys.to_jwks(KeyUse::Signature),
        });
        let trust_domains = trust
            .trust_domains
            .iter()
            .map(|(name, settings)| FeedTrustDomain {
                name: name.clone(),
                rules: settings.rules.clone(),
                keys: settings.keys.to_jwks(KeyUse::JwtSvid),
            });
        Self {
            version: VERSION,
            cursor,
            lease,
            policy_revision,
            caching,
            issuers: issuers.collect(),
            trust_domains: trust_domains.collect(),
            revocations: Revocations::default(),
        }
    }

    /// Whom the filter may believe. All of it holds, or none.
    pub fn trust(&self) -> Result<Trust, FeedError> {
        let mut trust = Trust::default();
        for FeedIssuer {
            issuer,
            rules,
            keys,
        } in &self.issuers
        {
            let name = issuer.to_string();
            let settings = IssuerTrust {
                rules: rules_of(&name, rules.clone().checked())?,
                keys: keys_of(&name, keys, KeyUse::Signature)?,
            };
            if trust.issuers.insert(issuer.clone(), settings).is_some() {
                return Err(FeedError::Twice(name));
            }
        }
        for FeedTrustDomain {
            name: domain,
            rules,
            keys,
        } in &self.trust_domains
        {
            let name = domain.to_string();
            let settings = TrustDomainTrust {
                rules: rules_of(&name, rules.clone().checked_for_svid())?,
                keys: keys_of(&name, keys, KeyUse::JwtSvid)?,
            };
            if trust
                .trust_domains
                .insert(domain.clone(), settings)
                .is_some()
            {
                return Err(FeedError::Twice(name));
            }
        }
        Ok(trust)
    }
}

impl Caching {
    fn read(members: &mut Members) -> Result<Option<Self>, MemberError> {
        if !members.has("caching") {
            return Ok(None);
        }
        let mut caching = members.object("caching")?;
        let read = Self {
            program: caching.required_text("program")?,
            policies: caching.text("policies")?.unwrap_or_default(),
            vary: Footprint::from_json(&caching.value("vary"))
                .map_err(|error| caching.error("vary", error))?,
            atoms: Atoms::read(&mut caching)?,
        };
        caching.finish()?;
        Ok(Some(read))
    }
}

impl FeedIssuer {
    fn read(mut members: Members) -> Result<Self, MemberError> {
        let issuer = members.required_text("issuer")?;
        let issuer = issuer
            .parse()
            .map_err(|error| members.error("issuer", error))?;
        let rules = TokenRules::read(members.object("rules")?)?;
        let keys = members.object("keys")?.into_rest();
        members.finish()?;
        Ok(Self {
            issuer,
            rules,
            keys,
        })
    }
}

impl FeedTrustDomain {
    fn read(mut members: Members) -> Result<Self, MemberError> {
        let name = members.required_text("name")?;
        let name = name.parse().map_err(|error| members.error("name", error))?;
        let rules = TokenRules::read(members.object("rules")?)?;
        let keys = members.object("keys")?.into_rest();
        members.finish()?;
        Ok(Self { name, rules, keys })
    }
}

fn rules_of(name: &str, rules: Result<TokenRules, RulesError>) -> Result<TokenRules, FeedError> {
    rules.map_err(|error| FeedError::Rules {
        name: name.to_owned(),
        error,
    })
}

fn keys_of(name: &str, keys: &Map<String, Value>, key_use: KeyUse) -> Result<KeySet, FeedError> {
    KeySet::from_members(keys, key_use).map_err(|error| FeedError::Keys {
        name: name.to_owned(),
        error,
    })
}
