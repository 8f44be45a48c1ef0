//! Whose word is taken on which workload runs where: each trust provider by its name, of one kind.

use std::collections::BTreeSet;
use std::time::Duration;

use edgeward_core::token::KeyOwner;

use super::issuer_of::{default_keys, issuer_of};
use super::keys::{issuer, trust_domain};
use super::{Context, evidence, exactly_one, introspection, kubernetes, static_keys};
use crate::attestation::evidence::EvidenceSettings;
use crate::attestation::jwt::{JwtProvider, JwtProviders, Platform};
use crate::attestation::{AttestationSettings, ProviderName};
use crate::config::problem::{Field, Findings};
use crate::config::raw_attestation::{RawJwtEvidence, RawTrustProvider};
use crate::config::raw_evidence::{
    RawAwsInstance, RawAwsSts, RawAzureDocument, RawIntrospection, RawStaticKey,
};
use crate::config::raw_trust::{RawIssuer, RawTrustDomain};
use crate::fetch::FetchSettings;
use crate::keys::{CacheSettings, KeySettings};

enum Kind {
    Jwt(Platform, RawJwtEvidence),
    Spiffe(RawTrustDomain),
    AwsInstance(RawAwsInstance),
    AwsSts(RawAwsSts),
    AzureDocument(RawAzureDocument),
    Introspection(RawIntrospection),
    StaticKeys(Vec<RawStaticKey>),
}

/// Checks all of them, and tells their names, also of those with a mistake. Their keys are kept apart from those that open routes.
pub(super) fn trust_providers(
    raw: Vec<RawTrustProvider>,
    key_cache: &CacheSettings,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> (AttestationSettings, BTreeSet<ProviderName>) {
    let directory = key_cache.directory.as_ref();
    let mut keys = KeySettings {
        cache: CacheSettings {
            directory: directory.map(|directory| directory.join("trust-providers")),
            max_age: key_cache.max_age,
        },
        ..KeySettings::default()
    };
    let mut providers: Vec<JwtProvider> = Vec::new();
    let mut others: Vec<(ProviderName, EvidenceSettings)> = Vec::new();
    let mut introspected = Vec::new();
    let mut names = BTreeSet::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let field = field.index(index);
        let name: Option<ProviderName> = findings.accept(&field.key("name"), raw.name.parse());
        if let Some(name) = &name
            && !names.insert(name.clone())
        {
            findings.refuse(
                &field.key("name"),
                format!("`{name}` is there twice: rename one"),
            );
        }
        let other = match kind(raw, &field, findings) {
            Some(Kind::Jwt(platform, raw)) => {
                let provider = jwt(name, platform, raw, &field, &mut keys, context, findings);
                add(&mut providers, provider, &field, findings);
                continue;
            }
            Some(Kind::Spiffe(raw)) => {
                let provider = spiffe(name, raw, &field, &mut keys, context, findings);
                add(&mut providers, provider, &field, findings);
                continue;
            }
            Some(Kind::Introspection(raw)) => {
                let settings = introspection::introspection(raw, &field, context, findings);
                introspected.extend(name.zip(settings));
                continue;
            }
            Some(Kind::AwsInstance(raw)) => evidence::aws_instance(raw, &field, context, findings),
            Some(Kind::AwsSts(raw)) => evidence::aws_sts(raw, &field, context, findings),
            Some(Kind::AzureDocument(raw)) => {
                evidence::azure_document(raw, &field, context, findings)
            }
            Some(Kind::StaticKeys(raw)) => static_keys::static_keys(raw, &field, context, findings),
            None => None,
        };
        if let (Some(name), Some(settings)) = (name, other) {
            add_other(&mut others, name, settings, &field, findings);
        }
    }
    let settings = AttestationSettings {
        jwt: providers,
        evidence: others,
        introspection: introspected,
        keys,
    };
    (settings, names)
}

/// Adds a provider, of whose issuer there is none yet.
fn add(
    providers: &mut Vec<JwtProvider>,
    provider: Option<JwtProvider>,
    field: &Field,
    findings: &mut Findings,
) {
    if let Some(provider) = provider {
        let both = providers.iter().chain([&provider]).cloned();
        findings.accept(field, JwtProviders::new(both));
        providers.push(provider);
    }
}

/// Adds a provider, of whose kind there is none yet: evidence names no more than its kind.
fn add_other(
    others: &mut Vec<(ProviderName, EvidenceSettings)>,
    name: ProviderName,
    settings: EvidenceSettings,
    field: &Field,
    findings: &mut Findings,
) {
    if let Some((before, _)) = others
        .iter()
        .find(|(_, other)| other.kind() == settings.kind())
    {
        let message = format!("is of the kind of `{before}`: put both into one");
        findings.refuse(field, message);
    }
    others.push((name, settings));
}

fn kind(raw: RawTrustProvider, field: &Field, findings: &mut Findings) -> Option<Kind> {
    let jwt = |platform: Platform, raw: Option<RawJwtEvidence>| {
        (platform.as_str(), raw.map(|raw| Kind::Jwt(platform, raw)))
    };
    let choices = vec![
        ("aws_instance", raw.aws_instance.map(Kind::AwsInstance)),
        jwt(Platform::AwsOidc, raw.aws_oidc),
        ("aws_sts", raw.aws_sts.map(Kind::AwsSts)),
        jwt(Platform::Azure, raw.azure),
        (
            "azure_document",
            raw.azure_document.map(Kind::AzureDocument),
        ),
        jwt(Platform::Bitbucket, raw.bitbucket),
        jwt(Platform::CircleCi, raw.circleci),
        jwt(Platform::Gcp, raw.gcp),
        jwt(Platform::Github, raw.github),
        jwt(Platform::Gitlab, raw.gitlab),
        ("introspection", raw.introspection.map(Kind::Introspection)),
        jwt(Platform::Kubernetes, raw.kubernetes),
        jwt(Platform::Oidc, raw.oidc),
        (Platform::Spiffe.as_str(), raw.spiffe.map(Kind::Spiffe)),
        ("static_keys", raw.static_keys.map(Kind::StaticKeys)),
        jwt(Platform::Terraform, raw.terraform),
    ];
    exactly_one(choices, field, findings)
}

fn jwt(
    name: Option<ProviderName>,
    platform: Platform,
    raw: RawJwtEvidence,
    field: &Field,
    keys: &mut KeySettings,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<JwtProvider> {
    let field = field.key(platform.as_str());
    if platform != Platform::Oidc && !raw.claims.is_empty() {
        findings.refuse(&field.key("claims"), "is only for `oidc`: remove it");
    }
    if platform != Platform::Kubernetes && raw.review.is_some() {
        findings.refuse(&field.key("review"), "is only for `kubernetes`: remove it");
    }
    let audiences = raw.audiences.clone().unwrap_or_default();
    let review = raw
        .review
        .map(|raw| kubernetes::review(raw, audiences, &field.key("review"), context, findings));
    let named = issuer_of(platform, raw.issuer, raw.tenant, &field, findings)?;
    let raw_issuer = RawIssuer {
        issuer: named,
        keys: raw.keys.unwrap_or_else(|| default_keys(platform)),
        audiences: raw.audiences,
        algorithms: raw.algorithms,
        types: None,
        leeway: raw.leeway,
        max_lifetime: raw.max_lifetime,
        fetch: raw.fetch,
    };
    let mut settings = issuer(raw_issuer, &field, context, findings)?;
    hurry(settings.source.fetch_mut());
    let owner = KeyOwner::Issuer(settings.issuer.clone());
    keys.issuers.push(settings);
    Some(JwtProvider {
        name: name?,
        platform,
        owner,
        claims: raw.claims,
        single_use: raw.single_use,
        // Where it has a mistake, nobody is believed without it.
        review: match review {
            Some(checked) => Some(checked?),
            None => None,
        },
    })
}

/// Who shows evidence waits for keys that its platform has published since: at the doors of decisions
/// nobody does.
fn hurry(fetch: Option<&mut FetchSettings>) {
    if let Some(fetch) = fetch {
        fetch.refresh.unknown_key_interval = Duration::from_secs(1);
    }
}

fn spiffe(
    name: Option<ProviderName>,
    raw: RawTrustDomain,
    field: &Field,
    keys: &mut KeySettings,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<JwtProvider> {
    let field = field.key(Platform::Spiffe.as_str());
    let mut settings = trust_domain(raw, &field, context, findings)?;
    hurry(settings.source.fetch_mut());
    let owner = KeyOwner::TrustDomain(settings.name.clone());
    keys.trust_domains.push(settings);
    Some(JwtProvider {
        name: name?,
        platform: Platform::Spiffe,
        owner,
        claims: Vec::new(),
        single_use: false,
        review: None,
    })
}
