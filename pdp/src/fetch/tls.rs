//! The TLS client: who may vouch for a server of keys.
//!
//! Three answers: the operating system's authorities, the authorities of a file, or, for SPIFFE
//! bundle endpoints, a bundle (see [`super::svid`]). There is no fourth that skips the check.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use edgeward_core::spiffe::SpiffeId;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use thiserror::Error;

use super::svid::EndpointVerifier;

/// Who vouches for the server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Server<'a> {
    /// The authorities of this PEM file, or the operating system's; the certificate must name the
    /// host.
    WebPki(Option<&'a Path>),
    /// A SPIFFE bundle's authorities (DER); the certificate must be an X.509-SVID of this ID.
    Spiffe {
        /// The SPIFFE ID the server must have.
        id: &'a SpiffeId,
        /// The X.509 authorities of its trust domain.
        authorities: &'a [Vec<u8>],
    },
}

/// Why no TLS client can be made.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file of authorities cannot be read.
    #[error("`ca_file` `{path}`: {error}")]
    Read {
        /// The file.
        path: String,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// The file of authorities has none, or a broken one.
    #[error("`ca_file` `{path}`: {reason}: it must hold PEM certificates of authorities")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system trusts nobody.
    #[error("the operating system has no certificate authorities: set `ca_file`")]
    NoNativeRoots,
    /// The bundle has no authority that could vouch for the endpoint.
    #[error("the bundle has no X.509 authority that could vouch for the endpoint")]
    NoAuthority,
    /// The TLS library refused the settings.
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
}

/// A client for one fetch.
pub(super) fn client(server: Server<'_>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let mut config = match server {
        Server::WebPki(file) => {
            let roots = match file {
                Some(path) => Arc::new(roots_of_file(path)?),
                None => native_roots()?,
            };
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        Server::Spiffe { id, authorities } => {
            let verifier = svid_verifier(id, authorities, provider)?;
            // "Dangerous" is rustls's name for bringing one's own verifier; this one checks the
            // chain as webpki does, and then a SPIFFE ID instead of a host name.
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn svid_verifier(
    id: &SpiffeId,
    authorities: &[Vec<u8>],
    provider: Arc<CryptoProvider>,
) -> Result<EndpointVerifier, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(CertificateDer::from(authority.as_slice()))?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority);
    }
    Ok(EndpointVerifier::new(id.clone(), roots, provider))
}

/// Reads a PEM file of authorities; one broken certificate spoils the file.
pub(crate) fn roots_of_file(path: &Path) -> Result<RootCertStore, TlsError> {
    let name = || path.display().to_string();
    let pem = std::fs::read(path).map_err(|error| TlsError::Read {
        path: name(),
        error,
    })?;
    let content = |reason: String| TlsError::Content {
        path: name(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| content(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| content(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(content("has no certificate".to_owned()));
    }
    Ok(roots)
}

/// The operating system's authorities, read once: there are many and they change with the system.
fn native_roots() -> Result<Arc<RootCertStore>, TlsError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(Arc::clone(roots));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(TlsError::NoNativeRoots);
    }
    Ok(Arc::clone(ROOTS.get_or_init(|| Arc::new(roots))))
}
