//! How long a revocation lasts where nobody says: until what it revokes would have expired anyway.

use std::collections::BTreeMap;

use edgeward_core::revocation::{Expiry, Revoked};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{DEFAULT_LEEWAY, DEFAULT_MAX_LIFETIME, KeyOwner, TokenRules};

use crate::keys::KeySettings;

/// The longest that a token may still be honoured, by who issued it, in seconds.
#[derive(Debug, Clone)]
pub struct Lifetimes {
    by_owner: BTreeMap<KeyOwner, u64>,
    longest: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self::of(&KeySettings::default())
    }
}

impl Lifetimes {
    /// As the rules of everyone configured have it.
    pub fn of(settings: &KeySettings) -> Self {
        let issuers = settings
            .issuers
            .iter()
            .map(|issuer| (KeyOwner::Issuer(issuer.issuer.clone()), life(&issuer.rules)));
        let domains = settings.trust_domains.iter().map(|domain| {
            let owner = KeyOwner::TrustDomain(domain.name.clone());
            (owner, life(&domain.rules))
        });
        let by_owner: BTreeMap<KeyOwner, u64> = issuers.chain(domains).collect();
        let longest = by_owner.values().copied().max();
        Self {
            by_owner,
            longest: longest.unwrap_or(DEFAULT_MAX_LIFETIME + 2 * DEFAULT_LEEWAY),
        }
    }

    /// When a revocation of `now` ends. Tokens, and sessions, which are known by tokens, outlive
    /// nobody's rules; whatever else is revoked would be as good as before, so that only an
    /// operator may say when that is.
    pub fn expiry(&self, revoked: &Revoked, now: UnixSeconds) -> Expiry {
        match revoked {
            Revoked::Token { owner, .. } | Revoked::Session { owner, .. } => {
                let life = self.by_owner.get(owner).copied().unwrap_or(self.longest);
                Expiry::At(now.plus(life))
            }
            Revoked::TokenDigest(_) => Expiry::At(now.plus(self.longest)),
            Revoked::Subject(_)
            | Revoked::Key { .. }
            | Revoked::Owner(_)
            | Revoked::Certificate(_)
            | Revoked::Policy(_) => Expiry::Never,
        }
    }

    /// Whether tokens of `owner` could be believed here.
    pub fn knows(&self, owner: &KeyOwner) -> bool {
        self.by_owner.contains_key(owner)
    }
}

/// A token from a clock that is ahead lives a leeway longer, and is honoured one longer than that.
fn life(rules: &TokenRules) -> u64 {
    rules
        .max_lifetime
        .saturating_add(rules.leeway)
        .saturating_add(rules.leeway)
}
