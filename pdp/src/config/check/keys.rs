//! Whom we believe: issuers and trust domains, each once, each with its token rules.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use edgeward_core::jose::Algorithm;
use edgeward_core::spiffe::TrustDomain;
use edgeward_core::token::{Audiences, Issuer, TokenRules, TokenType};

use super::{Context, scalar, sources};
use crate::config::problem::{Field, Findings};
use crate::config::raw::RawKeyCache;
use crate::config::raw_text::DurationText;
use crate::config::raw_trust::{RawIssuer, RawTrustDomain};
use crate::keys::{CacheSettings, IssuerSettings, KeySettings, TrustDomainSettings};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// Clocks that differ by more need repair, not patience.
const MAX_LEEWAY: Duration = Duration::from_mins(5);

/// The parts of the file that say whom we believe.
pub(super) struct Parts {
    pub(super) issuers: Vec<RawIssuer>,
    pub(super) trust_domains: Vec<RawTrustDomain>,
    pub(super) cache: Option<RawKeyCache>,
}

pub(super) fn keys(
    parts: Parts,
    root: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> KeySettings {
    let field = root.key("key_cache");
    let cache = cache(parts.cache, &field, context, findings);

    let mut names = BTreeSet::new();
    let mut issuers = Vec::new();
    for (index, raw) in parts.issuers.into_iter().enumerate() {
        let field = root.key("issuers").index(index);
        once(&mut names, &raw.issuer, &field.key("issuer"), findings);
        issuers.extend(issuer(raw, &field, context, findings));
    }

    let mut names = BTreeSet::new();
    let mut trust_domains = Vec::new();
    for (index, raw) in parts.trust_domains.into_iter().enumerate() {
        let field = root.key("trust_domains").index(index);
        once(&mut names, &raw.name, &field.key("name"), findings);
        trust_domains.extend(trust_domain(raw, &field, context, findings));
    }
    KeySettings {
        issuers,
        trust_domains,
        cache,
    }
}

fn once(names: &mut BTreeSet<String>, name: &str, field: &Field, findings: &mut Findings) {
    if !names.insert(name.to_owned()) {
        findings.refuse(
            field,
            format!("`{name}` is listed twice: merge the two entries"),
        );
    }
}

fn cache(
    raw: Option<RawKeyCache>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> CacheSettings {
    let Some(raw) = raw else {
        return CacheSettings::default();
    };
    let max_age = scalar::duration_or(
        raw.max_age.as_ref(),
        CacheSettings::default().max_age,
        MINUTE..=30 * DAY,
        &field.key("max_age"),
        findings,
    );
    CacheSettings {
        directory: Some(context.resolve(&raw.directory)),
        max_age,
    }
}

pub(super) fn issuer(
    raw: RawIssuer,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<IssuerSettings> {
    let issuer: Option<Issuer> = findings.accept(&field.key("issuer"), raw.issuer.parse());
    let rules = Rules {
        defaults: TokenRules::for_issuer,
        audiences: raw.audiences.unwrap_or_default(),
        algorithms: raw
            .algorithms
            .map(|names| names.into_iter().map(|name| name.0).collect()),
        types: raw.types,
        leeway: raw.leeway,
        max_lifetime: raw.max_lifetime,
    };
    let rules = rules.check(field, findings);
    let source = sources::issuer_source(
        raw.keys,
        raw.fetch,
        issuer.as_ref(),
        field,
        context,
        findings,
    );
    Some(IssuerSettings {
        issuer: issuer?,
        rules: rules?,
        source: source?,
    })
}

pub(super) fn trust_domain(
    raw: RawTrustDomain,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<TrustDomainSettings> {
    let name: Option<TrustDomain> = findings.accept(&field.key("name"), raw.name.parse());
    let rules = Rules {
        defaults: TokenRules::for_trust_domain,
        audiences: raw.audiences.unwrap_or_default(),
        algorithms: raw
            .algorithms
            .map(|names| names.into_iter().map(|name| name.0).collect()),
        types: None,
        leeway: raw.leeway,
        max_lifetime: raw.max_lifetime,
    };
    let rules = rules
        .check(field, findings)
        // What `TokenRules` refuses for an SVID and can be written here is one of the algorithms.
        .and_then(|rules| findings.accept(&field.key("algorithms"), rules.checked_for_svid()));
    let source = sources::bundle_source(raw.bundle, raw.fetch, field, context, findings);
    Some(TrustDomainSettings {
        name: name?,
        rules: rules?,
        source: source?,
    })
}

/// Token rules as written, with the defaults for what was not.
struct Rules {
    defaults: fn(Audiences) -> TokenRules,
    audiences: Vec<String>,
    algorithms: Option<Vec<String>>,
    types: Option<Vec<String>>,
    leeway: Option<DurationText>,
    max_lifetime: Option<DurationText>,
}

impl Rules {
    fn check(self, field: &Field, findings: &mut Findings) -> Option<TokenRules> {
        let audiences = audiences(self.audiences, &field.key("audiences"), findings);
        let algorithms = names::<Algorithm>(self.algorithms, &field.key("algorithms"), findings);
        let types = names::<TokenType>(self.types, &field.key("types"), findings);
        let mut seconds = |key: &str, text: Option<&DurationText>, default: u64, range| {
            let default = Duration::from_secs(default);
            let field = field.key(key);
            scalar::duration_or(text, default, range, &field, findings).as_secs()
        };
        let rules = (self.defaults)(audiences?);
        let leeway = seconds(
            "leeway",
            self.leeway.as_ref(),
            rules.leeway,
            Duration::ZERO..=MAX_LEEWAY,
        );
        let max_lifetime = seconds(
            "max_lifetime",
            self.max_lifetime.as_ref(),
            rules.max_lifetime,
            Duration::from_secs(1)..=366 * DAY,
        );
        Some(TokenRules {
            algorithms: algorithms.unwrap_or(rules.algorithms),
            types: types.unwrap_or(rules.types),
            leeway,
            max_lifetime,
            audiences: rules.audiences,
        })
    }
}

fn audiences(names: Vec<String>, field: &Field, findings: &mut Findings) -> Option<Audiences> {
    if names.is_empty() {
        findings.refuse(
            field,
            "must not be empty: list what this PDP is called in tokens",
        );
        return None;
    }
    if let Some(index) = names.iter().position(String::is_empty) {
        findings.refuse(&field.index(index), "must not be empty: remove it");
        return None;
    }
    findings.accept(field, Audiences::try_from(names))
}

/// A list of names; `None` where nothing was written or something was refused.
fn names<T>(raw: Option<Vec<String>>, field: &Field, findings: &mut Findings) -> Option<Vec<T>>
where
    T: FromStr,
    T::Err: Display,
{
    let raw = raw?;
    if raw.is_empty() {
        findings.refuse(
            field,
            "must not be empty: leave it out to accept the defaults",
        );
    }
    let parsed = raw
        .iter()
        .enumerate()
        .filter_map(|(index, name)| findings.accept(&field.index(index), name.parse()))
        .collect();
    Some(parsed)
}
