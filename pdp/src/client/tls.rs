//! TLS to a PDP: who vouches for it, and the certificate by which the caller is known to it.
//!
//! Files are read at every call: certificates of workloads are replaced while a process lives.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

/// The files, as named on the command line.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tls {
    /// Authorities that vouch for the PDP; the system's where none is named.
    pub(crate) ca_file: Option<PathBuf>,
    /// The chain, leaf first, and its key.
    pub(crate) identity: Option<Identity>,
}

/// A client certificate.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Why TLS cannot be spoken.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    /// A file that cannot be read, or has not what it must have.
    #[error("{}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody would vouch for the PDP.
    #[error("no certificate authority vouches for the PDP: name one by --ca-file")]
    NoAuthority,
    /// The TLS library refused the settings.
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
}

impl Tls {
    /// The client's side of a connection; HTTP/1.1 is spoken on it.
    pub(crate) fn config(&self) -> Result<ClientConfig, TlsError> {
        let roots = self.roots()?;
        if roots.is_empty() {
            return Err(TlsError::NoAuthority);
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let Some(identity) = &self.identity else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(&identity.certificate)?;
        if chain.is_empty() {
            return Err(failed(&identity.certificate, &"holds no certificate"));
        }
        let key = PrivateKeyDer::from_pem_file(&identity.key)
            .map_err(|error| failed(&identity.key, &error))?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| failed(&identity.certificate, &error))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        match &self.ca_file {
            Some(file) => {
                for authority in certificates(file)? {
                    roots.add(authority).map_err(|error| failed(file, &error))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        Ok(roots)
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &dyn Display) -> TlsError {
    TlsError::File {
        file: file.to_owned(),
        reason: error.to_string(),
    }
}
