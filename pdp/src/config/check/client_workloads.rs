//! Who may get tokens: each workload once, made by a provider that is there, in our trust domain.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use edgeward_core::spiffe::{SpiffeId, TrustDomain};

use super::scalar;
use crate::attestation::ProviderName;
use crate::config::problem::{Field, Findings};
use crate::config::raw_attestation::{RawAlternatives, RawClientWorkload};
use crate::workloads::{ClientWorkload, Grant, Selectors, WorkloadName};

/// The longest a token of ours may live: longer ones are what short-lived tokens replace.
pub(super) const LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_hours(1);

/// Checks all of them. Whether two can be told apart is asked when they are put together.
pub(super) fn client_workloads(
    raw: Vec<RawClientWorkload>,
    providers: &BTreeSet<ProviderName>,
    trust_domain: Option<&TrustDomain>,
    field: &Field,
    findings: &mut Findings,
) -> Vec<ClientWorkload> {
    let mut names = BTreeSet::new();
    let known: BTreeSet<String> = raw.iter().map(|workload| workload.name.clone()).collect();
    let mut workloads = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let field = field.index(index);
        if !names.insert(raw.name.clone()) {
            let message = format!("`{}` is there twice: rename one", raw.name);
            findings.refuse(&field.key("name"), message);
        }
        for (index, other) in raw.acts_for.iter().enumerate() {
            if !known.contains(other) {
                let message =
                    format!("`{other}` is none of `client_workloads`: check its spelling");
                findings.refuse(&field.key("acts_for").index(index), message);
            }
        }
        workloads.extend(workload(raw, providers, trust_domain, &field, findings));
    }
    workloads
}

fn workload(
    raw: RawClientWorkload,
    providers: &BTreeSet<ProviderName>,
    trust_domain: Option<&TrustDomain>,
    field: &Field,
    findings: &mut Findings,
) -> Option<ClientWorkload> {
    let name: Option<WorkloadName> = findings.accept(&field.key("name"), raw.name.parse());
    let spiffe_id = spiffe_id(
        &raw.spiffe_id,
        trust_domain,
        &field.key("spiffe_id"),
        findings,
    );
    let provider: Option<ProviderName> =
        findings.accept(&field.key("provider"), raw.provider.parse());
    if let Some(provider) = provider.as_ref().filter(|name| !providers.contains(name)) {
        let message = format!("`{provider}` is none of `trust_providers`: check its spelling");
        findings.refuse(&field.key("provider"), message);
    }
    let selectors = raw.selectors.unwrap_or_default();
    if selectors.is_empty() {
        let message =
            "must not be empty: everyone whom the provider vouches for would be this workload";
        findings.refuse(&field.key("selectors"), message);
    }
    let selectors = self::selectors(selectors, &field.key("selectors"), findings);
    let environment = match raw.environment {
        none if none.is_empty() => Some(None),
        some => self::selectors(some, &field.key("environment"), findings).map(Some),
    };
    let audiences = filled(
        raw.audiences.unwrap_or_default(),
        &field.key("audiences"),
        findings,
    );
    if audiences.is_empty() {
        let message = "must not be empty: list whom its tokens may be for";
        findings.refuse(&field.key("audiences"), message);
    }
    let grant = Grant {
        audiences,
        addressed_as: filled(raw.addressed_as, &field.key("addressed_as"), findings),
        acts_for: raw
            .acts_for
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect(),
        scopes: scopes(raw.scopes, &field.key("scopes"), findings),
        lifetime: scalar::duration_if(
            raw.lifetime.as_ref(),
            LIFETIMES,
            &field.key("lifetime"),
            findings,
        ),
        certificate_bound: raw.certificate_bound,
    };
    Some(ClientWorkload {
        name: name?,
        spiffe_id: spiffe_id?,
        provider: provider?,
        selectors: selectors?,
        environment: environment?,
        grant,
    })
}

fn spiffe_id(
    text: &str,
    trust_domain: Option<&TrustDomain>,
    field: &Field,
    findings: &mut Findings,
) -> Option<SpiffeId> {
    let id: SpiffeId = findings.accept(field, text.parse())?;
    let domain = trust_domain?;
    if !id.is_member_of(domain) {
        let message = format!("is not in `{domain}`, the trust domain of `token_service`");
        findings.refuse(field, message);
        return None;
    }
    Some(id)
}

fn selectors(
    raw: BTreeMap<String, RawAlternatives>,
    field: &Field,
    findings: &mut Findings,
) -> Option<Selectors> {
    let named = raw
        .into_iter()
        .map(|(name, alternatives)| match alternatives {
            RawAlternatives::One(text) => (name, vec![text]),
            RawAlternatives::Any(texts) => (name, texts),
        });
    findings.accept(field, Selectors::new(named.collect()))
}

fn filled(texts: Vec<String>, field: &Field, findings: &mut Findings) -> Vec<String> {
    if let Some(index) = texts.iter().position(String::is_empty) {
        findings.refuse(&field.index(index), "must not be empty: remove it");
    }
    texts
}

/// RFC 6749 section 3.3: printable, without spaces, quotes and backslashes.
fn scopes(texts: Vec<String>, field: &Field, findings: &mut Findings) -> Vec<String> {
    let is_scope = |text: &String| {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        !text.is_empty() && text.bytes().all(allowed)
    };
    if let Some(index) = texts.iter().position(|text| !is_scope(text)) {
        let message = "is no scope: one word without quotes and backslashes";
        findings.refuse(&field.index(index), message);
    }
    texts
}
