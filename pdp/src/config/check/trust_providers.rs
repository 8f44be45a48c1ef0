//! Whose word is taken on which workload runs where: each trust provider by its name, of one kind.

use std::collections::BTreeSet;
use std::time::Duration;

use edgeward_core::token::KeyOwner;

use super::keys::{issuer, trust_domain};
use super::{Context, evidence, exactly_one, kubernetes};
use crate::attestation::evidence::EvidenceSettings;
use crate::attestation::jwt::{JwtProvider, JwtProviders, Platform};
use crate::attestation::{AttestationSettings, ProviderName};
use crate::config::problem::{Field, Findings};
use crate::config::raw_attestation::{RawJwtEvidence, RawTrustProvider};
use crate::config::raw_evidence::{RawAwsInstance, RawAwsSts, RawAzureDocument};
use crate::config::raw_trust::{RawIssuer, RawIssuerKeys, RawTrustDomain};
use crate::fetch::FetchSettings;
use crate::keys::{CacheSettings, KeySettings};

enum Kind {
    Jwt(Platform, RawJwtEvidence),
    Spiffe(RawTrustDomain),
    AwsInstance(RawAwsInstance),
    AwsSts(RawAwsSts),
    AzureDocument(RawAzureDocument),
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
            Some(Kind::AwsInstance(raw)) => evidence::aws_instance(raw, &field, context, findings),
            Some(Kind::AwsSts(raw)) => evidence::aws_sts(raw, &field, context, findings),
            Some(Kind::AzureDocument(raw)) => {
                evidence::azure_document(raw, &field, context, findings)
            }
            None => None,
        };
        if let (Some(name), Some(settings)) = (name, other) {
            add_other(&mut others, name, settings, &field, findings);
        }
    }
    let settings = AttestationSettings {
        jwt: providers,
        evidence: others,
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
        jwt(Platform::Kubernetes, raw.kubernetes),
        jwt(Platform::Oidc, raw.oidc),
        (Platform::Spiffe.as_str(), raw.spiffe.map(Kind::Spiffe)),
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

fn issuer_of(
    platform: Platform,
    issuer: Option<String>,
    tenant: Option<String>,
    field: &Field,
    findings: &mut Findings,
) -> Option<String> {
    if tenant.is_some() && platform != Platform::Azure {
        findings.refuse(&field.key("tenant"), "is only for `azure`: remove it");
    }
    let default = match platform {
        Platform::Github => "https://token.actions.githubusercontent.com",
        Platform::Gitlab => "https://gitlab.com",
        Platform::Gcp => "https://accounts.google.com",
        Platform::Terraform => "https://app.terraform.io",
        Platform::Azure => return azure_issuer(issuer, tenant, field, findings),
        Platform::AwsOidc
        | Platform::Bitbucket
        | Platform::CircleCi
        | Platform::Kubernetes
        | Platform::Oidc
        | Platform::Spiffe => "",
    };
    let issuer = issuer.unwrap_or_else(|| default.to_owned());
    if issuer.is_empty() {
        let message = "is missing: write the `iss` of its tokens, to the last slash";
        findings.refuse(&field.key("issuer"), message);
        return None;
    }
    Some(issuer)
}

/// Tokens of a managed identity have the older of Azure's two issuers; either names its tenant.
fn azure_issuer(
    issuer: Option<String>,
    tenant: Option<String>,
    field: &Field,
    findings: &mut Findings,
) -> Option<String> {
    let Some(tenant) = tenant else {
        let message = "is missing: write the id of the tenant, a UUID";
        findings.refuse(&field.key("tenant"), message);
        return None;
    };
    let is_uuid = tenant.len() == 36
        && tenant
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    if !is_uuid {
        let message =
            format!("`{tenant}` is no UUID in lower case: a tenant's name can change hands");
        findings.refuse(&field.key("tenant"), message);
        return None;
    }
    let issuer = issuer.unwrap_or_else(|| format!("https://sts.windows.net/{tenant}/"));
    if !issuer.split('/').any(|part| part == tenant) {
        let message =
            format!("does not name the tenant `{tenant}`: tokens of others would be taken");
        findings.refuse(&field.key("issuer"), message);
        return None;
    }
    Some(issuer)
}

/// Discovery, and where the platform keeps its keys on another host than the issuer's.
fn default_keys(platform: Platform) -> RawIssuerKeys {
    let hosts: &[&str] = match platform {
        Platform::Gcp => &["www.googleapis.com"],
        Platform::Azure => &["login.microsoftonline.com", "login.windows.net"],
        _ => &[],
    };
    let hosts = hosts
        .iter()
        .map(|host| (*host).to_owned())
        .collect::<Vec<_>>();
    RawIssuerKeys {
        discovery: Some(true),
        jwks_hosts: (!hosts.is_empty()).then_some(hosts),
        ..RawIssuerKeys::default()
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
