//! Policy bundles: fetched or read, checked, kept, activated.
//!
//! A bundle's way: `tasks` decides when, `source` gets it (through [`crate::fetch`] from a server, a bucket
//! (`s3`) or a registry (`oci`), or from this machine), `verified` makes a [`PolicyBundle`] of it (`archive`, `signature`, `manifest`, `revision`,
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
mod aws_credentials;
mod delta;
mod disk;
mod folder;
mod hashed;
mod held;
mod kept;
mod keys;
mod local;
mod manifest;
mod oci;
mod oci_challenge;
mod oci_reference;
mod revision;
mod s3;
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
pub use aws_credentials::{AwsCredentials, AwsCredentialsError};
pub use delta::DeltaError;
pub use disk::DiskError;
pub use folder::FolderError;
pub use hashed::HashError;
pub use keys::{BundleKeys, KeysError, PemKey};
pub use local::{LocalError, check, read};
pub use manifest::ManifestError;
pub use oci::{OciArtifact, OciLogin};
pub use oci_reference::{OciDigest, OciReference, OciReferenceError, OciVersion};
pub use revision::{Rollback, RollbackError};
pub use s3::{S3Object, S3Place, S3PlaceError};
pub use settings::{
    BundleName, BundleNameError, BundleSettings, BundlesSettings, Endpoint, Source,
};
pub use signature::{SignatureError, Trust};
pub use status::{BundleStatus, Outcome};
pub use tasks::BundleTasks;
pub use verified::{BundleError, PolicyBundle};
