//! Adds a development key to the public key file that the configuration points to.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use edgeward_core::json;
use serde_json::{Map, Value};

use super::Failure;
use crate::crypto::{KeyPurpose, Signer};
use crate::keys::{BundleSource, IssuerSettings, IssuerSource, TrustDomainSettings};

/// The file in which verifiers look for the public key.
pub(super) struct Destination<'a> {
    file: &'a Path,
    purpose: KeyPurpose,
}

impl<'a> Destination<'a> {
    pub(super) fn of_issuer(settings: &'a IssuerSettings) -> Result<Self, Failure> {
        match &settings.source {
            IssuerSource::File(file) => Ok(Self {
                file,
                purpose: KeyPurpose::Signature,
            }),
            _ => Err(not_a_file(settings.issuer.as_str(), "keys")),
        }
    }

    pub(super) fn of_trust_domain(settings: &'a TrustDomainSettings) -> Result<Self, Failure> {
        match &settings.source {
            BundleSource::File(file) => Ok(Self {
                file,
                purpose: KeyPurpose::JwtSvid,
            }),
            _ => Err(not_a_file(settings.name.as_str(), "bundle")),
        }
    }
}

fn not_a_file(name: &str, field: &str) -> Failure {
    Failure::new(format!(
        "the keys of `{name}` do not come from a file: a token can only be minted where the \
         configuration says `{field}: {{file: …}}`"
    ))
}

/// Makes sure that the destination has the signer's public key; everything else in it stays.
pub(super) fn publish(destination: &Destination<'_>, signer: &Signer) -> Result<(), Failure> {
    let file = destination.file;
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", file.display()));
    let mut document = match std::fs::read(file) {
        Ok(bytes) => json::parse_object(&bytes).map_err(|error| failed(&error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(failed(&error)),
    };
    let jwk = Value::Object(signer.public_jwk(destination.purpose));
    let keys = document
        .entry("keys")
        .or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(keys) = keys else {
        return Err(failed(
            &"`keys` is not an array: it must be a JWK Set or a SPIFFE bundle",
        ));
    };
    if keys.contains(&jwk) {
        return Ok(());
    }
    keys.retain(|key| key.get("kid").and_then(Value::as_str) != Some(signer.key_id()));
    keys.push(jwk);
    if destination.purpose == KeyPurpose::JwtSvid {
        let sequence = document
            .get("spiffe_sequence")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        document.insert(
            "spiffe_sequence".to_owned(),
            sequence.saturating_add(1).into(),
        );
    }
    replace(file, &document).map_err(|error| failed(&error))
}

/// Replaces the file in one step: a PDP that watches it never reads half of it.
fn replace(file: &Path, document: &Map<String, Value>) -> std::io::Result<()> {
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut replacement = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer_pretty(&mut replacement, document)?;
    writeln!(replacement)?;
    // Public keys are public, and the PDP may run as somebody else.
    replacement
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    replacement.persist(file)?;
    Ok(())
}
