//! TLS for a listener: PEM files into a checked `rustls` configuration.
//!
//! With client authorities every client must show a certificate of theirs; `ClientCertificate` is
//! that certificate, once proved. Which workload it names is not judged here.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use super::svid_clients::SvidClients;
use crate::token_service::TokenService;

/// The certificate that the client of one connection proved to hold the key of, with a chain to an
/// authority of the listener.
#[derive(Clone, Debug)]
pub(super) struct ClientCertificate(Rc<Chain>);

#[derive(Debug)]
struct Chain {
    leaf: CertificateDer<'static>,
    /// As the client sent them, in whatever order.
    intermediates: Vec<CertificateDer<'static>>,
}

impl ClientCertificate {
    /// Of a session whose handshake is complete; `None` where the listener asks for none.
    pub(super) fn of(session: &ServerConnection) -> Option<Self> {
        let (leaf, intermediates) = session.peer_certificates()?.split_first()?;
        let owned = |certificate: &CertificateDer<'_>| certificate.clone().into_owned();
        Some(Self(Rc::new(Chain {
            leaf: owned(leaf),
            intermediates: intermediates.iter().map(owned).collect(),
        })))
    }

    /// The certificate and what the client sent beside it, leaf first.
    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        let leaf = std::iter::once(&self.0.leaf);
        leaf.chain(&self.0.intermediates).cloned().collect()
    }

    /// The certificate as DER.
    pub(super) fn der(&self) -> &[u8] {
        &self.0.leaf
    }
}

/// Why a TLS listener cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file that is missing or no PEM.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
    /// A PEM file without any certificate.
    #[error("{}: holds no certificate: expected PEM blocks `BEGIN CERTIFICATE`", .0.display())]
    NoCertificate(PathBuf),
    /// Certificate and key do not go together, or are of a kind we do not take.
    #[error("{}: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The client authorities cannot verify anything.
    #[error("{}: {source}", path.display())]
    ClientAuthorities {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::server::VerifierBuilderError,
    },
}

/// Whose certificates a listener asks for.
#[derive(Clone)]
pub enum Clients<'c> {
    /// Nobody's.
    None,
    /// Those of the authorities in this PEM file.
    Of(&'c Path),
    /// X.509-SVIDs, by the bundles of the token service's trust providers.
    Svids(Arc<TokenService>),
}

/// Reads the certificate chain (leaf first), its key and, for mTLS, the authorities of clients.
pub fn load(
    certificate: &Path,
    key: &Path,
    clients: Clients<'_>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Pem {
        path: key.to_owned(),
        source,
    })?;
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Unusable { path, source }
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(unusable(certificate))?;
    let clients = match clients {
        Clients::None => versions.with_no_client_auth(),
        Clients::Svids(service) => {
            versions.with_client_cert_verifier(Arc::new(SvidClients::new(service, provider)))
        }
        Clients::Of(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(path)? {
                roots.add(authority).map_err(unusable(path))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|source| TlsError::ClientAuthorities {
                    path: path.to_owned(),
                    source,
                })?;
            versions.with_client_cert_verifier(verifier)
        }
    };
    let mut config = clients
        .with_single_cert(chain, secret)
        .map_err(unusable(certificate))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem {
        path: path.to_owned(),
        source,
    };
    let found = CertificateDer::pem_file_iter(path)
        .map_err(pem)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(pem)?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    Ok(found)
}
