//! Bundles that can be judged without asking anybody: for `edgeward check` and `edgeward bundle verify`.

use std::path::Path;
use std::sync::Arc;

use edgeward_core::jose::{KeySet, KeyUse};
use edgeward_core::time::UnixSeconds;

use super::activation::Bundles;
use super::delta::DeltaError;
use super::disk::DiskError;
use super::held::{Came, Offered};
use super::settings::{BundleName, BundlesSettings, Source};
use super::signature::{SignatureError, Trust};
use super::status::Outcome;
use super::verified::{BundleError, PolicyBundle};
use crate::policy::{LoadError, PolicySet, PolicySettings, PolicyStore};

/// Why bundles would not serve.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// One of them.
    #[error("{1}")]
    Bundle(BundleName, String),
    /// No policy could be in force at all.
    #[error(transparent)]
    Policies(#[from] LoadError),
    /// The place where they would be kept.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Tries what lies on this machine: keys, and bundles that come from a path. The policies that would be
/// in force, where all of them do. Nothing is fetched and nothing is kept.
pub fn check(
    settings: &BundlesSettings,
    policies: PolicySettings,
    now: UnixSeconds,
) -> Result<Option<Arc<PolicySet>>, LocalError> {
    for (name, bundle) in &settings.bundles {
        let keys = bundle.trust.as_ref().map_or(Ok(()), Trust::check);
        keys.map_err(|error| LocalError::Bundle(name.clone(), error.to_string()))?;
    }
    let store = Arc::new(PolicyStore::withholding(policies)?);
    let alone = BundlesSettings {
        directory: None,
        ..settings.clone()
    };
    let bundles = Bundles::open(alone, Arc::clone(&store), now)?;
    for (name, bundle) in &settings.bundles {
        let Source::Path(path) = &bundle.source else {
            continue;
        };
        let refused = |why: String| LocalError::Bundle(name.clone(), why);
        let offered =
            Offered::at(path).map_err(|error| refused(format!("{}: {error}", path.display())))?;
        if let Outcome::Refused(_, why) = bundles.offer(name, offered, now) {
            return Err(refused(why));
        }
    }
    let set = store.subscribe().borrow().set.clone();
    Ok(set.why_withheld().is_none().then_some(set))
}

/// Reads the bundle at `path`, packed or not.
pub fn read(path: &Path, trust: Option<&Trust>) -> Result<Arc<PolicyBundle>, BundleError> {
    let offered = Offered::at(path).map_err(|source| super::FolderError::Io {
        path: path.to_owned(),
        source,
    })?;
    match offered.read(trust)? {
        Came::Whole(held) => Ok(held.bundle),
        Came::Delta(..) => Err(DeltaError::Unasked.into()),
    }
}

impl Trust {
    /// Whether there is a key at all by which a signature could be checked.
    pub fn check(&self) -> Result<(), SignatureError> {
        let keys = KeySet::from_members(&self.keys.read()?, KeyUse::Signature)?;
        match keys.ignored().first() {
            _ if !keys.is_empty() => Ok(()),
            Some((_, error)) => Err(SignatureError::Shape(format!("no key verifies: {error}"))),
            None => Err(SignatureError::Shape(
                "there is no key for signatures".to_owned(),
            )),
        }
    }
}
