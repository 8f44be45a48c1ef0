//! What stands on disk: a line of JSON, whose private keys are sealed, and a line that seals that line.
//!
//! INVARIANT: a record is read only when it is whole, untouched, and of this trust domain; each private
//! key only as the one of its id and of this trust domain.
//!
//! What this is not: protection against an older record of our own that somebody puts back
//! (`docs/signing-keys.md`, "Backup").

use std::sync::Arc;

use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_core::jose::{Algorithm, PublicKey};
use edgeward_core::json;
use edgeward_core::spiffe::TrustDomain;
use edgeward_core::time::UnixSeconds;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use zeroize::Zeroizing;

use super::clock::Moment;
use super::life::Keys;
use super::sealing::SealingKey;
use super::stages::{Current, Next, Retired};
use crate::crypto::Signer;

const VERSION: u32 = 1;

/// Why a record is not read. Nothing is overwritten then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// The file ends too early.
    #[error("is cut off: restore the whole file")]
    Truncated,
    /// It is sealed under another key.
    #[error(
        "is sealed under the key `{found}`, and the sealing key is `{ours}`: give the right file, or, \
         where it was changed, the one before as `previous_sealing_key_file`"
    )]
    SealingKey {
        /// The id of the key that it wants.
        found: String,
        /// The id of the one that it got.
        ours: String,
    },
    /// It was changed after it was written.
    #[error("was changed by somebody else: restore the file, and find out who can write to it")]
    Tampered,
    /// It belongs to another trust domain.
    #[error(
        "holds the keys of trust domain `{found}`: give each trust domain a directory of its own"
    )]
    TrustDomain {
        /// Whose keys they are.
        found: String,
    },
    /// It was written by another version of Edgeward.
    #[error("has version {found}, not {VERSION}: it was written by another version of Edgeward")]
    Version {
        /// Its version.
        found: u64,
    },
    /// It is no record.
    #[error("is no record of signing keys: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
}

/// The sealing key, and the one before it while it is changed.
#[derive(Debug)]
pub(super) struct SealingKeys {
    pub(super) key: SealingKey,
    pub(super) previous: Option<SealingKey>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) keys: Keys,
    /// Whether it is sealed under the sealing key before: it is to be written anew.
    pub(super) is_under_previous: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    trust_domain: String,
    /// The id of the sealing key.
    sealing_key: String,
    sequence: u64,
    refresh_hint: u64,
    current: CurrentRecord,
    next: NextRecord,
    retired: Vec<RetiredRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrentRecord {
    key_id: String,
    since: UnixSeconds,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NextRecord {
    key_id: String,
    published_at: UnixSeconds,
    is_propagated: bool,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetiredRecord {
    since: UnixSeconds,
    jwk: Map<String, Value>,
}

/// The text of `keys`, sealed. An error is the cryptographic library's.
pub(super) fn write(
    keys: &Keys,
    sealing: &SealingKey,
    domain: &TrustDomain,
) -> Result<Vec<u8>, Unspecified> {
    let seal = |signer: &Signer| -> Result<String, Unspecified> {
        let secret = signer.to_pkcs8_der().map_err(|_| Unspecified)?;
        let sealed = sealing.seal(&key_bound_to(domain, signer.key_id()), secret)?;
        Ok(STANDARD.encode(sealed))
    };
    let (current, next) = (&keys.current, &keys.next);
    let retired = keys.retired.iter().map(|retired| RetiredRecord {
        since: retired.since,
        jwk: retired.public.to_jwk(),
    });
    let record = Record {
        version: VERSION,
        trust_domain: domain.to_string(),
        sealing_key: sealing.id().to_owned(),
        sequence: keys.sequence,
        refresh_hint: keys.refresh_hint,
        current: CurrentRecord {
            key_id: current.signer.key_id().to_owned(),
            since: current.since,
            sealed: seal(&current.signer)?,
        },
        next: NextRecord {
            key_id: next.signer.key_id().to_owned(),
            published_at: next.published_at,
            is_propagated: next.is_propagated,
            sealed: seal(&next.signer)?,
        },
        retired: retired.collect(),
    };
    let mut text = serde_json::to_vec(&record).map_err(|_| Unspecified)?;
    let seal = sealing.seal(&record_bound_to(&text), Zeroizing::default())?;
    text.push(b'\n');
    text.extend(STANDARD.encode(seal).into_bytes());
    text.push(b'\n');
    Ok(text)
}

/// Reads what [`write`] has written. The clock that never jumps counts from `now`.
pub(super) fn read(
    text: &[u8],
    sealing: &SealingKeys,
    domain: &TrustDomain,
    now: Moment,
) -> Result<Read, RecordError> {
    let lines: Vec<&[u8]> = text
        .split_inclusive(|byte| *byte == b'\n')
        .take(3)
        .collect();
    let (line, seal) = match lines.as_slice() {
        [] | [_] => return Err(RecordError::Truncated),
        [line, seal] => (line.strip_suffix(b"\n"), seal.strip_suffix(b"\n")),
        _ => return Err(damaged("it has more than two lines")),
    };
    let (Some(line), Some(seal)) = (line, seal) else {
        return Err(RecordError::Truncated);
    };
    let value = json::parse(line).map_err(damaged)?;
    let (key, is_under_previous) = sealing.of(&value)?;
    STANDARD
        .decode(seal)
        .ok()
        .and_then(|seal| key.open(&record_bound_to(line), &seal).ok())
        .ok_or(RecordError::Tampered)?;
    let record: Record = serde_json::from_value(value).map_err(damaged)?;
    if record.trust_domain != domain.as_str() {
        return Err(RecordError::TrustDomain {
            found: record.trust_domain,
        });
    }
    let keys = record.open(key, domain, now)?;
    Ok(Read {
        keys,
        is_under_previous,
    })
}

impl SealingKeys {
    /// The one that sealed this record, and whether it is the one before.
    fn of(&self, record: &Value) -> Result<(&SealingKey, bool), RecordError> {
        let found = record.get("version").and_then(Value::as_u64);
        let version = found.ok_or_else(|| damaged("it has no version"))?;
        if version != u64::from(VERSION) {
            return Err(RecordError::Version { found: version });
        }
        let found = record.get("sealing_key").and_then(Value::as_str);
        let found = found.ok_or_else(|| damaged("it names no sealing key"))?;
        if self.key.id() == found {
            return Ok((&self.key, false));
        }
        let previous = self.previous.as_ref().filter(|key| key.id() == found);
        let previous = previous.ok_or_else(|| RecordError::SealingKey {
            found: found.to_owned(),
            ours: self.key.id().to_owned(),
        })?;
        Ok((previous, true))
    }
}

impl Record {
    fn open(
        self,
        key: &SealingKey,
        domain: &TrustDomain,
        now: Moment,
    ) -> Result<Keys, RecordError> {
        let signer = |key_id: &str, sealed: &str| {
            let bound_to = key_bound_to(domain, key_id);
            let secret = STANDARD.decode(sealed).ok();
            let secret = secret.and_then(|sealed| key.open(&bound_to, &sealed).ok());
            let secret = secret.ok_or(RecordError::Tampered)?;
            let signer = Signer::from_pkcs8(&secret, Some(Algorithm::Es256)).map_err(damaged)?;
            if signer.key_id() != key_id {
                return Err(damaged("a key's id is not its thumbprint"));
            }
            Ok(Arc::new(signer))
        };
        let retired = self.retired.into_iter().map(|retired| {
            Ok(Retired {
                public: PublicKey::from_jwk(&retired.jwk).map_err(damaged)?,
                since: retired.since,
                counted_from: now.running,
            })
        });
        Ok(Keys {
            sequence: self.sequence,
            refresh_hint: self.refresh_hint,
            current: Current {
                signer: signer(&self.current.key_id, &self.current.sealed)?,
                since: self.current.since,
                counted_from: now.running,
            },
            next: Next {
                signer: signer(&self.next.key_id, &self.next.sealed)?,
                published_at: self.next.published_at,
                counted_from: now.running,
                is_propagated: self.next.is_propagated,
            },
            retired: retired.collect::<Result<_, RecordError>>()?,
        })
    }
}

/// A sealed key opens for this trust domain and under this id only.
fn key_bound_to(domain: &TrustDomain, key_id: &str) -> Vec<u8> {
    format!("edgeward signing key 1\0{domain}\0{key_id}").into_bytes()
}

fn record_bound_to(line: &[u8]) -> Vec<u8> {
    [b"edgeward record of signing keys 1\0", line].concat()
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn damaged(reason: impl ToString) -> RecordError {
    RecordError::Damaged {
        reason: reason.to_string(),
    }
}
