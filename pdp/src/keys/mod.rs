//! The keys by which tokens are verified: fetched, checked, kept, refreshed.
//!
//! - [`KeySettings`] say where each issuer's and trust domain's keys come from.
//! - [`Keyring`] gets them and keeps them fresh; [`Keyring::snapshot`] is the [`KeySnapshot`] that
//!   tokens are verified against, [`Keyring::unknown_key`] asks for keys that are not there yet.
//! - [`SourceStatus`] and [`KeyCounters`] are what operators see.
//!
//! A document's way: `tasks` decides when, `load` gets it (through [`crate::fetch`], `discovery` or
//! `workload_api`), `document` reads it, `state` puts it in force, `disk` keeps it.
//!
//! INVARIANT: keys of one source never verify tokens of another, an empty set verifies nothing, and
//! no key verifies longer than the maximum age after its source last confirmed it.
//!
//! What this is not: a judge of tokens ([`edgeward_core::token`]), or the doors that show health.

mod clock;
mod discovery;
mod disk;
mod document;
mod entry;
mod keyring;
mod load;
mod refetch;
mod settings;
mod source;
mod state;
mod status;
mod tasks;
mod workload_api;

#[cfg(test)]
mod tests;

pub use edgeward_core::token::KeyOwner;

pub use discovery::DiscoveryError;
pub use disk::DiskError;
pub use document::DocumentError;
pub use keyring::{Keyring, KeyringError};
pub use load::LoadError;
pub use refetch::Refetch;
pub use settings::{
    BundleSource, CacheSettings, IssuerSettings, IssuerSource, KeySettings, OwnBundle,
    TrustDomainSettings,
};
pub use state::KeySnapshot;
pub use status::{IgnoredKey, KeyCounters, Outcome, SourceStatus};
pub use tasks::KeyTasks;
pub use workload_api::StreamError;
