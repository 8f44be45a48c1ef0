//! The policy bundles: each from one place, signed by somebody where it comes over a network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::sources::{fetch_settings, file_path, source_url};
use super::{Context, exactly_one, scalar};
use crate::bundle::{
    BundleKeys, BundleName, BundleSettings, BundlesSettings, Endpoint, PemKey, Rollback, Source,
    Trust,
};
use crate::config::problem::{Field, Findings};
use crate::config::raw_bundles::{RawBundleKey, RawPolicyBundle, RawSignature};
use crate::config::raw_text::{DurationText, SizeText};
use crate::config::raw_trust::RawFetch;
use crate::fetch::FetchSettings;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const MAX_BUNDLES: usize = 64;
const SIZE: std::ops::RangeInclusive<u64> = 1024..=1024 * 1024 * 1024;
const DEFAULT_SIZE: u64 = 64 * 1024 * 1024;

pub(super) fn bundles(
    raw: BTreeMap<String, RawPolicyBundle>,
    cache: Option<PathBuf>,
    policies: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> BundlesSettings {
    let field = policies.key("bundles");
    if raw.is_empty() {
        findings.refuse(
            &field,
            "must name a bundle, such as `authz: { url: https://… }`",
        );
    }
    if raw.len() > MAX_BUNDLES {
        findings.refuse(&field, format!("has more than {MAX_BUNDLES} bundles"));
    }
    let mut bundles = BTreeMap::new();
    for (name, raw) in raw {
        let field = field.key(&name);
        let name = findings.accept(&field, name.parse::<BundleName>());
        let bundle = bundle(raw, &field, context, findings);
        bundles.extend(name.zip(bundle));
    }
    let cache_field = policies.key("bundle_cache");
    BundlesSettings {
        bundles,
        directory: cache.and_then(|path| file_path(&path, &cache_field, context, findings)),
    }
}

enum Place {
    Url(String),
    Path(PathBuf),
}

fn bundle(
    raw: RawPolicyBundle,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<BundleSettings> {
    let max_age = scalar::duration_or(
        raw.max_age.as_ref(),
        24 * HOUR,
        SECOND..=30 * 24 * HOUR,
        &field.key("max_age"),
        findings,
    );
    let is_remote = raw.url.is_some();
    let rollback = rollback(raw.rollback.as_deref(), is_remote, field, findings);
    if is_remote && raw.signature.is_none() && !raw.unsigned {
        let message = "comes over a network and nobody needs to sign it: set `signature`, or \
                       `unsigned: true` where that is meant";
        findings.refuse(field, message);
    }
    if raw.unsigned && raw.signature.is_some() {
        findings.refuse(
            &field.key("unsigned"),
            "and `signature` exclude each other: keep one",
        );
    }
    let signature = raw.signature.map(|signature| {
        let field = field.key("signature");
        trust(signature, &field, context, findings)
    });
    let choices = vec![
        ("url", raw.url.map(Place::Url)),
        ("path", raw.path.map(Place::Path)),
    ];
    let remote = Remote {
        fetch: raw.fetch,
        max_size: raw.max_size,
        long_poll: raw.long_poll,
        bearer_token: raw.bearer_token_file,
    };
    let source = match exactly_one(choices, field, findings)? {
        Place::Path(path) => {
            remote.refuse(raw.unsigned, field, context, findings);
            Source::Path(file_path(&path, &field.key("path"), context, findings)?)
        }
        Place::Url(url) => {
            let endpoint = remote.endpoint(&url, field, context, findings)?;
            Source::Http(Box::new(endpoint))
        }
    };
    Some(BundleSettings {
        source,
        trust: signature.flatten(),
        rollback,
        max_age,
    })
}

/// What is only for a `url`.
struct Remote {
    fetch: Option<RawFetch>,
    max_size: Option<SizeText>,
    long_poll: Option<DurationText>,
    bearer_token: Option<PathBuf>,
}

impl Remote {
    fn refuse(self, unsigned: bool, field: &Field, context: &Context<'_>, findings: &mut Findings) {
        for (name, is_set) in [
            ("unsigned", unsigned),
            ("max_size", self.max_size.is_some()),
            ("long_poll", self.long_poll.is_some()),
            ("bearer_token_file", self.bearer_token.is_some()),
        ] {
            if is_set {
                findings.refuse(&field.key(name), "is only for a `url`: remove it");
            }
        }
        let defaults = FetchSettings::default();
        fetch_settings(self.fetch, false, &defaults, field, context, findings);
    }

    fn endpoint(
        self,
        url: &str,
        field: &Field,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Option<Endpoint> {
        let fetch = fetch_settings(self.fetch, true, &defaults(), field, context, findings);
        let size = self.max_size.map(|SizeText(text)| {
            let given = scalar::size(&text);
            given.and_then(|given| scalar::within(given, &SIZE))
        });
        let size = size.and_then(|size| findings.accept(&field.key("max_size"), size));
        let wait = self.long_poll.as_ref();
        let long_poll = field.key("long_poll");
        let long_poll = scalar::duration_if(wait, SECOND..=600 * SECOND, &long_poll, findings);
        let token = field.key("bearer_token_file");
        let bearer_token = self.bearer_token;
        let bearer_token =
            bearer_token.and_then(|path| file_path(&path, &token, context, findings));
        Some(Endpoint {
            url: source_url(url, &field.key("url"), context, findings)?,
            fetch: FetchSettings {
                max_bytes: usize::try_from(size.unwrap_or(DEFAULT_SIZE)).ok()?,
                ..fetch
            },
            long_poll,
            bearer_token,
        })
    }
}

fn defaults() -> FetchSettings {
    let mut defaults = FetchSettings {
        timeout: 30 * SECOND,
        ..FetchSettings::default()
    };
    defaults.refresh.interval = 30 * SECOND;
    defaults
}

fn rollback(
    raw: Option<&str>,
    is_remote: bool,
    field: &Field,
    findings: &mut Findings,
) -> Rollback {
    match raw {
        Some("refuse") => Rollback::Refused,
        None if is_remote => Rollback::Refused,
        Some("allow") | None => Rollback::Allowed,
        Some(other) => {
            let message = format!("`{other}` is neither `refuse` nor `allow`");
            findings.refuse(&field.key("rollback"), message);
            Rollback::Refused
        }
    }
}

enum Keys {
    Jwks(PathBuf),
    Pem(BTreeMap<String, RawBundleKey>),
}

fn trust(
    raw: RawSignature,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<Trust> {
    let choices = vec![
        ("jwks", raw.jwks.map(Keys::Jwks)),
        ("keys", raw.keys.map(Keys::Pem)),
    ];
    let keys = match exactly_one(choices, field, findings)? {
        Keys::Jwks(path) => {
            BundleKeys::Jwks(file_path(&path, &field.key("jwks"), context, findings)?)
        }
        Keys::Pem(keys) => BundleKeys::Pem(pem_keys(keys, &field.key("keys"), context, findings)),
    };
    Some(Trust {
        keys,
        key_id: raw.key_id,
        scope: raw.scope,
    })
}

fn pem_keys(
    raw: BTreeMap<String, RawBundleKey>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Vec<PemKey> {
    if raw.is_empty() {
        findings.refuse(
            field,
            "must have a key: nothing could be signed as it must be",
        );
    }
    let mut keys = Vec::new();
    for (id, RawBundleKey { file, algorithm }) in raw {
        let field = field.key(&id);
        let algorithm = findings.accept(&field.key("algorithm"), algorithm.parse());
        let file = file_path(&file, &field.key("file"), context, findings);
        let both = algorithm.zip(file);
        keys.extend(both.map(|(algorithm, file)| PemKey {
            id,
            algorithm,
            file,
        }));
    }
    keys
}
