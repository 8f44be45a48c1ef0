//! Trust providers whose evidence is no JWT: whose word, for whom, how old.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use super::sources::{allowed_plaintext, fetch_settings};
use super::{Context, scalar};
use crate::attestation::aws_instance::RegionCertificates;
use crate::attestation::aws_sts::{AwsStsSettings, StsEndpoints};
use crate::attestation::azure_document::{LONGEST_AGE, METADATA_NAMES};
use crate::attestation::evidence::EvidenceSettings;
use crate::config::problem::{Field, Findings};
use crate::config::raw_evidence::{RawAwsInstance, RawAwsSts, RawAzureDocument};
use crate::fetch::{FetchSettings, SourceUrl};

const MINUTE: Duration = Duration::from_mins(1);
/// A year as `humantime` has it, in seconds.
const YEAR: u64 = 31_557_600;
/// The most accounts or subscriptions of one provider.
const MAX_OWNERS: usize = 1024;
/// The longest name that this PDP has in evidence.
const MAX_AUDIENCE_BYTES: usize = 256;

pub(super) fn aws_instance(
    raw: RawAwsInstance,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<EvidenceSettings> {
    let field = field.key("aws_instance");
    let accounts = owners(raw.accounts, &field.key("accounts"), findings);
    let files = raw.certificates.unwrap_or_default();
    let regions: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    let checked = RegionCertificates::check_regions(&regions);
    findings.accept(&field.key("certificates"), checked)?;
    let certificates = files
        .into_iter()
        .map(|(region, path)| (region, context.resolve(&path)));
    Some(EvidenceSettings::AwsInstance {
        certificates: certificates.collect(),
        accounts: accounts?,
        max_age: scalar::duration_if(
            raw.max_age.as_ref(),
            MINUTE..=Duration::from_secs(YEAR),
            &field.key("max_age"),
            findings,
        ),
    })
}

pub(super) fn aws_sts(
    raw: RawAwsSts,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<EvidenceSettings> {
    let field = field.key("aws_sts");
    let server_id = audience(raw.audience, &field, findings);
    let accounts = owners(raw.accounts, &field.key("accounts"), findings);
    let place = raw.endpoint.map(|text| {
        let url = SourceUrl::parse(&text, allowed_plaintext(context));
        findings.accept(&field.key("endpoint"), url)
    });
    let has_authority = raw
        .fetch
        .as_ref()
        .is_some_and(|fetch| fetch.ca_file.is_some());
    if place.is_some() && context.is_production() && !has_authority {
        let message = "needs `fetch.ca_file`: name who vouches for it, for STS's own hosts are not asked then";
        findings.refuse(&field.key("endpoint"), message);
    }
    let fetch = fetch_settings(
        raw.fetch,
        true,
        &FetchSettings::default(),
        &field,
        context,
        findings,
    );
    let regions = raw.regions.unwrap_or_default().into_iter().collect();
    let endpoints = StsEndpoints::new(regions, place.flatten());
    let endpoints = findings.accept(&field.key("regions"), endpoints);
    Some(EvidenceSettings::AwsSts(AwsStsSettings {
        server_id: server_id?,
        accounts: accounts?,
        endpoints: endpoints?,
        fetch,
    }))
}

pub(super) fn azure_document(
    raw: RawAzureDocument,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<EvidenceSettings> {
    let field = field.key("azure_document");
    let audience = audience(raw.audience, &field, findings);
    let subscriptions =
        owners::<Subscription>(raw.subscriptions, &field.key("subscriptions"), findings);
    let names = raw
        .names
        .unwrap_or_else(|| METADATA_NAMES.map(str::to_owned).into());
    let is_name = |name: &String| {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        let ends = !name.starts_with('.') && !name.ends_with('.');
        // One label alone would be a whole top-level domain.
        name.contains('.') && ends && name.bytes().all(allowed)
    };
    if names.is_empty() || !names.iter().all(is_name) {
        let message = "must be host names in lower case, such as `metadata.azure.com`";
        findings.refuse(&field.key("names"), message);
    }
    let max_age = scalar::duration_or(
        raw.max_age.as_ref(),
        5 * MINUTE,
        MINUTE..=LONGEST_AGE,
        &field.key("max_age"),
        findings,
    );
    Some(EvidenceSettings::AzureDocument {
        roots: context.resolve(&raw.roots),
        intermediates: raw.intermediates.map(|path| context.resolve(&path)),
        names,
        subscriptions: subscriptions?.into_iter().map(|one| one.0).collect(),
        audience: audience?,
        max_age,
    })
}

/// What this PDP is called: it is sent in a header, to the letter.
fn audience(text: String, field: &Field, findings: &mut Findings) -> Option<String> {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_AUDIENCE_BYTES || !is_visible {
        let message =
            "must be 1 to 256 visible ASCII characters, such as `https://edgeward.example`";
        findings.refuse(&field.key("audience"), message);
        return None;
    }
    Some(text)
}

/// Whose evidence is known; nobody's is no setting.
fn owners<T: FromStr<Err: Display> + Ord>(
    texts: Option<Vec<String>>,
    field: &Field,
    findings: &mut Findings,
) -> Option<BTreeSet<T>> {
    let texts = texts.unwrap_or_default();
    if texts.is_empty() || texts.len() > MAX_OWNERS {
        findings.refuse(
            field,
            format!("must have 1 to {MAX_OWNERS}: list whose evidence is known"),
        );
        return None;
    }
    let mut owners = BTreeSet::new();
    for (index, text) in texts.iter().enumerate() {
        owners.insert(findings.accept(&field.index(index), text.parse())?);
    }
    Some(owners)
}

/// The id of a subscription.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Subscription(String);

impl FromStr for Subscription {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        if text.len() != 36 || !text.bytes().all(allowed) {
            return Err("is no UUID in lower case: write the subscription's id");
        }
        Ok(Self(text.to_owned()))
    }
}
