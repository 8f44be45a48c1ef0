//! Whom to believe, as far as keys can be had without the network: files and inline keys.
//!
//! A source on the network is an empty key set and a warning: one dead issuer must not hide the
//! verdict on another's token. A local one that cannot be read is an error of configuration.

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;

use edgeward_core::bundle::SpiffeBundle;
use edgeward_core::jose::{KeySet, KeyUse};
use edgeward_core::token::{IssuerTrust, Trust, TrustDomainTrust};

use super::Failure;
use crate::config::Config;
use crate::keys::{BundleSource, IssuerSource};

/// The longest key file read, in bytes.
const MAX_KEY_FILE_BYTES: u64 = 512 * 1024;

pub(super) fn load(config: &Config, _fetch: bool) -> Result<Trust, Failure> {
    let mut trust = Trust::default();
    for issuer in &config.keys.issuers {
        let keys = match &issuer.source {
            IssuerSource::File(file) => {
                read(file).and_then(|text| KeySet::parse(&text, KeyUse::Signature).map_err(as_text))
            }
            IssuerSource::Inline(text) => {
                KeySet::parse(text.as_bytes(), KeyUse::Signature).map_err(as_text)
            }
            _ => Ok(not_fetched(issuer.issuer.as_str())),
        };
        let keys = keys.map_err(Failure::new)?;
        let rules = issuer.rules.clone();
        trust
            .issuers
            .insert(issuer.issuer.clone(), IssuerTrust { rules, keys });
    }
    for domain in &config.keys.trust_domains {
        let bundle = match &domain.source {
            BundleSource::File(file) => {
                read(file).and_then(|text| SpiffeBundle::parse(&text).map_err(as_text))
            }
            BundleSource::Inline(text) => SpiffeBundle::parse(text.as_bytes()).map_err(as_text),
            _ => Ok(SpiffeBundle {
                jwt_keys: not_fetched(domain.name.as_str()),
                ..Default::default()
            }),
        };
        let keys = bundle.map_err(Failure::new)?.jwt_keys;
        let rules = domain.rules.clone();
        trust
            .trust_domains
            .insert(domain.name.clone(), TrustDomainTrust { rules, keys });
    }
    Ok(trust)
}

fn not_fetched(name: &str) -> KeySet {
    eprintln!("warning: the keys of `{name}` are on the network and not fetched");
    KeySet::default()
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn Display| format!("{}: {error}", file.display());
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| failed(&error))?;
    opened
        .take(MAX_KEY_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    if bytes.len() as u64 > MAX_KEY_FILE_BYTES {
        return Err(failed(&format!(
            "is longer than {MAX_KEY_FILE_BYTES} bytes"
        )));
    }
    Ok(bytes)
}

fn as_text(error: impl Display) -> String {
    error.to_string()
}
