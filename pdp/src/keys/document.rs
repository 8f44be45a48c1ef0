//! Key documents, read whole or refused whole.

use edgeward_core::bundle::{BundleError, SpiffeBundle};
use edgeward_core::jose::{KeySet, KeySetError, KeyUse};
use thiserror::Error;

/// Which document a source gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentKind {
    /// An issuer's JWK Set (RFC 7517 section 5).
    JwkSet,
    /// A trust domain's SPIFFE bundle.
    Bundle,
}

/// Why bytes are not a key document.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// Not a JWK Set.
    #[error("not a JWK Set: {0}")]
    JwkSet(#[from] KeySetError),
    /// Not a SPIFFE bundle.
    #[error("not a SPIFFE bundle: {0}")]
    Bundle(#[from] BundleError),
}

/// A key document that was read: its keys, and the bytes they came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    /// As received; kept on disk.
    pub(super) bytes: Vec<u8>,
    /// The keys that verify tokens; empty means that none does.
    pub(super) keys: KeySet,
    /// A bundle's `spiffe_sequence`.
    pub(super) sequence: Option<u64>,
    /// A bundle's `spiffe_refresh_hint`, in seconds.
    pub(super) refresh_hint: Option<u64>,
    /// A bundle's X.509 authorities (DER).
    pub(super) x509_authorities: Vec<Vec<u8>>,
}

impl Document {
    /// Reads `bytes`; nothing of a malformed document is used.
    pub(super) fn parse(kind: DocumentKind, bytes: Vec<u8>) -> Result<Self, DocumentError> {
        match kind {
            DocumentKind::JwkSet => {
                let keys = KeySet::parse(&bytes, KeyUse::Signature)?;
                Ok(Self {
                    bytes,
                    keys,
                    ..Self::default()
                })
            }
            DocumentKind::Bundle => {
                let bundle = SpiffeBundle::parse(&bytes)?;
                Ok(Self {
                    bytes,
                    keys: bundle.jwt_keys,
                    sequence: bundle.sequence,
                    refresh_hint: bundle.refresh_hint,
                    x509_authorities: bundle.x509_authorities,
                })
            }
        }
    }
}
