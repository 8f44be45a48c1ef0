//! Tokens of our own: whose they are, how long they live, who signs them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use edgeward_core::spiffe::TrustDomain;
use edgeward_core::token::Issuer;

use super::client_workloads::{LIFETIMES, client_workloads};
use super::{Context, scalar};
use crate::attestation::{AttestationSettings, ProviderName};
use crate::config::problem::{Field, Findings};
use crate::config::raw_attestation::{RawClientWorkload, RawSigningKeys, RawTokenService};
use crate::config::raw_text::DurationText;
use crate::fetch::{Plaintext, SourceUrl};
use crate::keys::{BundleSource, TrustDomainSettings};
use crate::token_service::TokenServiceSettings;
use crate::token_service::keys::{KeyLife, KeyTimes, SigningKeySettings};
use crate::workloads::ClientWorkloads;

const LIFETIME: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);

/// The parts of the file that it is made of.
pub(super) struct Parts<'p> {
    pub(super) service: Option<RawTokenService>,
    pub(super) attestation: AttestationSettings,
    pub(super) providers: BTreeSet<ProviderName>,
    pub(super) workloads: Vec<RawClientWorkload>,
    pub(super) public_url: Option<&'p str>,
    /// Whose tokens open routes: our own among them.
    pub(super) trusted: &'p [TrustDomainSettings],
}

pub(super) fn token_service(
    parts: Parts<'_>,
    root: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<TokenServiceSettings> {
    let field = root.key("token_service");
    let domain = parts
        .service
        .as_ref()
        .and_then(|raw| findings.accept(&field.key("trust_domain"), raw.trust_domain.parse()));
    let has_others = !parts.providers.is_empty() || !parts.workloads.is_empty();
    let workloads = client_workloads(
        parts.workloads,
        &parts.providers,
        domain.as_ref(),
        &root.key("client_workloads"),
        findings,
    );
    for (index, trusted) in parts.trusted.iter().enumerate() {
        let is_own = matches!(trusted.source, BundleSource::TokenService(_));
        if is_own && domain.as_ref() != Some(&trusted.name) {
            let field = root.key("trust_domains").index(index).key("bundle");
            let message =
                "is not the trust domain of `token_service`: name the bundle's own source";
            findings.refuse(&field.key("token_service"), message);
        }
    }
    let Some(raw) = parts.service else {
        if has_others {
            let message = "is missing: `trust_providers` and `client_workloads` are for its tokens";
            findings.refuse(&field, message);
        }
        return None;
    };
    let domain: TrustDomain = domain?;
    let keys = &parts.attestation.keys;
    if keys.trust_domains.iter().any(|other| other.name == domain) {
        let message =
            format!("`{domain}` is a trust provider's too: nobody else may name its workloads");
        findings.refuse(&field.key("trust_domain"), message);
    }
    let issuer = issuer(raw.issuer, parts.public_url, &field.key("issuer"), findings);
    let lifetime = raw.lifetime.as_ref();
    let lifetime = scalar::duration_or(
        lifetime,
        LIFETIME,
        LIFETIMES,
        &field.key("lifetime"),
        findings,
    );
    let longest = workloads
        .iter()
        .filter_map(|workload| workload.grant.lifetime)
        .chain([lifetime])
        .max();
    let renewable_for = scalar::duration_or(
        raw.renewable_for.as_ref(),
        Duration::ZERO,
        Duration::ZERO..=30 * DAY,
        &field.key("renewable_for"),
        findings,
    );
    let longest = longest.unwrap_or(lifetime);
    let keys = signing_keys(
        raw.keys,
        &domain,
        longest,
        &field.key("keys"),
        context,
        findings,
    );
    let workloads = ClientWorkloads::new(workloads)
        .map_err(|problems| {
            for problem in problems {
                findings.refuse(&root.key("client_workloads"), problem);
            }
        })
        .ok()?;
    Some(TokenServiceSettings {
        name: format!("spiffe://{domain}"),
        trust_domain: domain,
        issuer: issuer?,
        lifetime,
        renewable_for,
        keys: keys?,
        attestation: parts.attestation,
        workloads: Arc::new(workloads),
    })
}

/// Discovery lies at the root of this PDP, so the issuer must be one.
fn issuer(
    raw: Option<String>,
    public_url: Option<&str>,
    field: &Field,
    findings: &mut Findings,
) -> Option<Option<Issuer>> {
    let Some(text) = raw.as_deref().or(public_url) else {
        return Some(None);
    };
    let url = findings.accept(field, SourceUrl::parse(text, Plaintext::Refused))?;
    let url = url.as_url();
    if url.path() != "/" || url.query().is_some() || text.ends_with('/') {
        let message = format!("`{text}` must be a host alone, such as `https://edgeward.example`");
        findings.refuse(field, message);
        return None;
    }
    findings.accept(field, text.parse()).map(Some)
}

fn signing_keys(
    raw: RawSigningKeys,
    domain: &TrustDomain,
    longest_token: Duration,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<SigningKeySettings> {
    let defaults = KeyTimes::for_tokens_of(longest_token);
    let mut duration = |key: &str, text: Option<&DurationText>, default| {
        let range = Duration::from_secs(1)..=90 * DAY;
        scalar::duration_or(text, default, range, &field.key(key), findings)
    };
    let times = KeyTimes {
        rotate_after: duration(
            "rotate_after",
            raw.rotate_after.as_ref(),
            defaults.rotate_after,
        ),
        propagation: duration(
            "propagation",
            raw.propagation.as_ref(),
            defaults.propagation,
        ),
        refresh_hint: duration(
            "refresh_hint",
            raw.refresh_hint.as_ref(),
            defaults.refresh_hint,
        ),
        ..defaults
    };
    let life = KeyLife::try_from(times)
        .map_err(|error| findings.refuse(&field.key(error.field), error.problem))
        .ok()?;
    let previous = raw.previous_sealing_key_file;
    Some(SigningKeySettings {
        directory: context.resolve(&raw.directory),
        sealing_key_file: context.resolve(&raw.sealing_key_file),
        previous_sealing_key_file: previous.map(|path| context.resolve(&path)),
        trust_domain: domain.clone(),
        life,
    })
}
