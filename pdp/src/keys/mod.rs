//! The keys by which tokens are verified: fetched, checked, kept, refreshed.
//!
//! [`KeySettings`] say where each issuer's and trust domain's keys come from.

mod settings;
mod url;

pub use settings::{
    AddressRule, BundleSource, CacheSettings, FetchSettings, IssuerSettings, IssuerSource,
    KeySettings, RefreshSettings, TrustDomainSettings,
};
pub use url::{Plaintext, SourceUrl, SourceUrlError};
