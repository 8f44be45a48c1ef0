//! The policy bundles: each from one place (`bundle_sources`), signed by somebody where it comes over a
//! network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::bundle_sources::{Around, Place};
use super::sources::file_path;
use super::{Context, exactly_one, scalar};
use crate::bundle::{
    BundleKeys, BundleName, BundleSettings, BundlesSettings, PemKey, Rollback, Trust,
};
use crate::config::problem::{Field, Findings};
use crate::config::raw_bundles::{RawBundleKey, RawPolicyBundle, RawSignature};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const MAX_BUNDLES: usize = 64;

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
    let is_remote = raw.url.is_some() || raw.s3.is_some() || raw.oci.is_some();
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
        ("s3", raw.s3.map(Place::S3)),
        ("oci", raw.oci.map(Place::Oci)),
    ];
    let around = Around {
        unsigned: raw.unsigned,
        fetch: raw.fetch,
        max_size: raw.max_size,
        long_poll: raw.long_poll,
        bearer_token: raw.bearer_token_file,
    };
    let place = exactly_one(choices, field, findings)?;
    let source = around.source(place, field, context, findings)?;
    Some(BundleSettings {
        source,
        trust: signature.flatten(),
        rollback,
        max_age,
    })
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
