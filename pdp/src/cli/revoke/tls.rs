//! TLS to a PDP: who vouches for it, and the certificate by which an operator is known to it.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::cli::Failure;

/// The files, as named on the command line.
#[derive(Debug, Default)]
pub(super) struct Tls {
    /// Authorities that vouch for the PDP; the system's where none is named.
    pub(super) ca_file: Option<PathBuf>,
    /// The chain, leaf first, and its key.
    pub(super) identity: Option<Identity>,
}

/// A client certificate.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Tls {
    pub(super) fn config(&self) -> Result<ClientConfig, Failure> {
        let roots = self.roots()?;
        if roots.is_empty() {
            return Err(Failure::new(
                "no certificate authority vouches for the PDP: name one by --ca-file",
            ));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(error.to_string()))?
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

    fn roots(&self) -> Result<RootCertStore, Failure> {
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

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &dyn Display) -> Failure {
    Failure::new(format!("{}: {error}", file.display()))
}
