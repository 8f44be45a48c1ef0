//! Where keys and bundles come from: exactly one choice each, every URL of an allowed kind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use edgeward_core::bundle::SpiffeBundle;
use edgeward_core::jose::{KeySet, KeyUse};
use edgeward_core::token::Issuer;
use serde_json::{Map, Value};

use super::{Context, exactly_one, scalar};
use crate::config::problem::{Field, Findings};
use crate::config::raw_trust::{
    RawBundle, RawFetch, RawHttpsSpiffe, RawHttpsWeb, RawIssuerKeys, RawWorkloadApi,
};
use crate::fetch::{AddressRule, FetchSettings, Plaintext, RefreshSettings, SourceUrl};
use crate::keys::{BundleSource, IssuerSource, OwnBundle};

const SECOND: Duration = Duration::from_secs(1);

enum IssuerChoice {
    Discovery,
    JwksUrl(String),
    File(PathBuf),
    Inline(Map<String, Value>),
}

pub(super) fn issuer_source(
    raw: RawIssuerKeys,
    fetch: Option<RawFetch>,
    issuer: Option<&Issuer>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<IssuerSource> {
    let keys = field.key("keys");
    if raw.discovery == Some(false) {
        findings.refuse(
            &keys.key("discovery"),
            "can only be `true`: leave it out instead",
        );
    }
    let choices = vec![
        ("discovery", raw.discovery.map(|_| IssuerChoice::Discovery)),
        ("jwks_url", raw.jwks_url.map(IssuerChoice::JwksUrl)),
        ("file", raw.file.map(IssuerChoice::File)),
        ("inline", raw.inline.map(IssuerChoice::Inline)),
    ];
    let choice = exactly_one(choices, &keys, findings)?;
    let is_fetched = matches!(choice, IssuerChoice::Discovery | IssuerChoice::JwksUrl(_));
    let defaults = FetchSettings::default();
    let mut fetch = fetch_settings(fetch, is_fetched, &defaults, field, context, findings);
    if raw.token_file.is_some() && !is_fetched {
        let message = "is only for what comes from a URL: remove it";
        findings.refuse(&keys.key("token_file"), message);
    }
    fetch.token_file = raw.token_file.map(|path| context.resolve(&path));
    if raw.jwks_hosts.is_some() && !matches!(choice, IssuerChoice::Discovery) {
        findings.refuse(
            &keys.key("jwks_hosts"),
            "is only for `discovery`: remove it",
        );
    }
    match choice {
        IssuerChoice::Discovery => {
            // Discovery asks the issuer's own URL, so the issuer must be one.
            source_url(issuer?.as_str(), &field.key("issuer"), context, findings)?;
            let jwks_hosts = raw.jwks_hosts.unwrap_or_default();
            Some(IssuerSource::Discovery { jwks_hosts, fetch })
        }
        IssuerChoice::JwksUrl(url) => {
            let url = source_url(&url, &keys.key("jwks_url"), context, findings)?;
            Some(IssuerSource::JwksUrl { url, fetch })
        }
        IssuerChoice::File(path) => {
            file_path(&path, &keys.key("file"), context, findings).map(IssuerSource::File)
        }
        IssuerChoice::Inline(members) => {
            let keys = KeySet::from_members(&members, KeyUse::Signature);
            findings.accept(&field.key("keys").key("inline"), keys)?;
            Some(IssuerSource::Inline(Value::Object(members).to_string()))
        }
    }
}

enum BundleChoice {
    File(PathBuf),
    HttpsWeb(RawHttpsWeb),
    HttpsSpiffe(RawHttpsSpiffe),
    WorkloadApi(RawWorkloadApi),
    TokenService,
    Inline(Map<String, Value>),
}

pub(super) fn bundle_source(
    raw: RawBundle,
    fetch: Option<RawFetch>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<BundleSource> {
    let bundle = field.key("bundle");
    let choices = vec![
        ("file", raw.file.map(BundleChoice::File)),
        ("https_web", raw.https_web.map(BundleChoice::HttpsWeb)),
        (
            "https_spiffe",
            raw.https_spiffe.map(BundleChoice::HttpsSpiffe),
        ),
        (
            "workload_api",
            raw.workload_api.map(BundleChoice::WorkloadApi),
        ),
        (
            "token_service",
            raw.token_service.map(|_| BundleChoice::TokenService),
        ),
        ("inline", raw.inline.map(BundleChoice::Inline)),
    ];
    if raw.token_service == Some(false) {
        let message = "can only be `true`: leave it out instead";
        findings.refuse(&bundle.key("token_service"), message);
    }
    let choice = exactly_one(choices, &bundle, findings)?;
    let is_fetched = matches!(
        choice,
        BundleChoice::HttpsWeb(_) | BundleChoice::HttpsSpiffe(_)
    );
    let defaults = FetchSettings::default();
    let fetch = fetch_settings(fetch, is_fetched, &defaults, field, context, findings);
    match choice {
        BundleChoice::File(path) => {
            file_path(&path, &bundle.key("file"), context, findings).map(BundleSource::File)
        }
        BundleChoice::HttpsWeb(raw) => {
            let field = bundle.key("https_web").key("url");
            let url = source_url(&raw.url, &field, context, findings)?;
            Some(BundleSource::HttpsWeb { url, fetch })
        }
        BundleChoice::HttpsSpiffe(raw) => {
            https_spiffe(&raw, fetch, &bundle.key("https_spiffe"), context, findings)
        }
        BundleChoice::WorkloadApi(raw) => {
            let field = bundle.key("workload_api").key("socket");
            workload_api(&raw.socket, &field, findings)
        }
        BundleChoice::TokenService => Some(BundleSource::TokenService(OwnBundle::absent())),
        BundleChoice::Inline(members) => {
            findings.accept(&bundle.key("inline"), SpiffeBundle::from_members(&members))?;
            Some(BundleSource::Inline(Value::Object(members).to_string()))
        }
    }
}

fn https_spiffe(
    raw: &RawHttpsSpiffe,
    fetch: FetchSettings,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<BundleSource> {
    let url_field = field.key("url");
    let url = source_url(&raw.url, &url_field, context, findings);
    if url.as_ref().is_some_and(|url| !url.is_https()) {
        findings.refuse(
            &url_field,
            "must begin with `https://`: the endpoint proves a SPIFFE ID",
        );
    }
    let endpoint_id = findings.accept(
        &field.key("endpoint_spiffe_id"),
        raw.endpoint_spiffe_id.parse(),
    );
    let initial_bundle = file_path(
        &raw.initial_bundle,
        &field.key("initial_bundle"),
        context,
        findings,
    )?;
    Some(BundleSource::HttpsSpiffe {
        url: url?,
        endpoint_id: endpoint_id?,
        initial_bundle,
        fetch,
    })
}

fn workload_api(text: &str, field: &Field, findings: &mut Findings) -> Option<BundleSource> {
    let path = text.strip_prefix("unix://").unwrap_or(text);
    if path.starts_with('/') {
        return Some(BundleSource::WorkloadApi {
            endpoint: format!("unix://{path}"),
        });
    }
    findings.refuse(
        field,
        format!(
            "`{text}` is not an absolute path: write one such as `unix:///run/spire/agent.sock`"
        ),
    );
    None
}

pub(super) fn source_url(
    text: &str,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<SourceUrl> {
    findings.accept(field, SourceUrl::parse(text, allowed_plaintext(context)))
}

pub(super) fn allowed_plaintext(context: &Context<'_>) -> Plaintext {
    if context.is_production() {
        Plaintext::Refused
    } else {
        Plaintext::Loopback
    }
}

pub(super) fn file_path(
    path: &Path,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<PathBuf> {
    if path.as_os_str().is_empty() {
        findings.refuse(field, "must not be empty: name a file");
        return None;
    }
    Some(context.resolve(path))
}

pub(super) fn fetch_settings(
    raw: Option<RawFetch>,
    is_fetched: bool,
    defaults: &FetchSettings,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> FetchSettings {
    let field = field.key("fetch");
    if raw.is_some() && !is_fetched {
        findings.refuse(&field, "is only for what comes from a URL: remove it");
    }
    let raw = raw.unwrap_or_default();
    let interval = scalar::duration_or(
        raw.refresh.as_ref(),
        defaults.refresh.interval,
        SECOND..=24 * 60 * 60 * SECOND,
        &field.key("refresh"),
        findings,
    );
    FetchSettings {
        ca_file: raw.ca_file.map(|path| context.resolve(&path)),
        token_file: None,
        timeout: scalar::duration_or(
            raw.timeout.as_ref(),
            defaults.timeout,
            Duration::from_millis(100)..=60 * SECOND,
            &field.key("timeout"),
            findings,
        ),
        refresh: RefreshSettings {
            interval,
            shortest: defaults.refresh.shortest.min(interval),
            longest: defaults.refresh.longest.max(interval),
            ..defaults.refresh.clone()
        },
        addresses: AddressRule {
            allow_loopback: raw.allow_loopback.unwrap_or(!context.is_production()),
            allow_link_local: raw.allow_link_local.unwrap_or(false),
        },
        plaintext: allowed_plaintext(context),
        max_bytes: defaults.max_bytes,
    }
}
