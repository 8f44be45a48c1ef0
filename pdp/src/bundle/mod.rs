//! Policy bundles: fetched or read, checked, kept, activated.
//!
//! A bundle's way: `tasks` decides when, `source` gets it (through [`crate::fetch`], or from this
//! machine), `verified` makes a [`PolicyBundle`] of it (`archive`, `signature`, `manifest`, `revision`,
//! `delta`), `activation` puts it in force together with the others, `kept` and `disk` keep the last one
//! that was.
//!
//! INVARIANT: what was refused changes nothing but the status: the bundles in force stay, until they are
//! older than they may be; then everything is denied.
//!
//! What this is not: the trust bundles of SPIFFE ([`crate::keys`]), or a reader of Rego
//! ([`crate::policy`]).

mod activation;
mod age;
mod archive;
mod delta;
mod disk;
mod folder;
mod hashed;
mod held;
mod kept;
mod keys;
mod local;
mod manifest;
mod revision;
mod settings;
mod signature;
mod source;
mod status;
mod tasks;
mod verified;

#[cfg(test)]
mod tests;

pub use activation::Bundles;
pub use archive::ArchiveError;
pub use delta::DeltaError;
pub use disk::DiskError;
pub use folder::FolderError;
pub use hashed::HashError;
pub use keys::{BundleKeys, KeysError, PemKey};
pub use local::{LocalError, check, read};
pub use manifest::ManifestError;
pub use revision::{Rollback, RollbackError};
pub use settings::{
    BundleName, BundleNameError, BundleSettings, BundlesSettings, Endpoint, Source,
};
pub use signature::{SignatureError, Trust};
pub use status::{BundleStatus, Outcome};
pub use tasks::BundleTasks;
pub use verified::{BundleError, PolicyBundle};
