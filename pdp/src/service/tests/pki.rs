//! An authority with a server's and clients' certificates as PEM files, and a client that does TLS.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use super::harness::{Pdp, settings};
use crate::service::{BoundAddress, ServiceSettings, tls};

pub(super) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

pub(super) struct Pki {
    folder: TempDir,
    ca: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    /// With the certificates `server` and `client`, which name no workload.
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        let pki = Self { folder, ca };
        for name in ["server", "client"] {
            pki.issue(name, &[], |_| {});
        }
        pki
    }

    /// Issues a leaf with these URI names as `name.pem` and `name.key`.
    pub(super) fn issue(&self, name: &str, uris: &[&str], change: fn(&mut CertificateParams)) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["pdp.test".to_owned()]).unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let uris = uris.iter().map(|uri| (*uri).try_into().unwrap());
        params.subject_alt_names.extend(uris.map(SanType::URI));
        change(&mut params);
        let certificate = params.signed_by(&key, &self.ca).unwrap();
        let write =
            |end: &str, text: String| std::fs::write(self.path(&format!("{name}.{end}")), text);
        write("pem", certificate.pem()).unwrap();
        write("key", key.serialize_pem()).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn certificate(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.path(&format!("{name}.pem"))).unwrap()
    }

    pub(super) fn server(&self, mutual: bool) -> Arc<rustls::ServerConfig> {
        let ca = self.path("ca.pem");
        tls::load(
            &self.path("server.pem"),
            &self.path("server.key"),
            if mutual {
                tls::Clients::Of(&ca)
            } else {
                tls::Clients::None
            },
        )
        .unwrap()
    }

    /// A TLS client that shows the certificate `client`, where one is named.
    pub(super) fn client(&self, client: Option<&str>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate("ca")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key"))).unwrap();
                let chain = vec![self.certificate(name)];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        Arc::new(config)
    }

    pub(super) fn connect(&self, address: SocketAddr, client: Option<&str>) -> TlsStream {
        open(self.client(client), address)
    }
}

/// A connection of its own; clients of one configuration resume each other's sessions.
pub(super) fn open(client: Arc<ClientConfig>, address: SocketAddr) -> TlsStream {
    let name = ServerName::try_from("pdp.test").unwrap();
    let connection = ClientConnection::new(client, name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(address).unwrap())
}

/// A PDP with a plain listener and one with TLS, whose address comes with it.
pub(super) fn secured(pki: &Pki, mutual: bool) -> (Pdp, SocketAddr) {
    secured_with(pki, mutual, settings())
}

pub(super) fn secured_with(
    pki: &Pki,
    mutual: bool,
    mut settings: ServiceSettings,
) -> (Pdp, SocketAddr) {
    let mut listener = settings.listeners[0].clone();
    listener.tls = Some(pki.server(mutual));
    settings.listeners.push(listener);
    let pdp = Pdp::start(settings);
    let BoundAddress::Tcp(address) = pdp.addresses[1] else {
        panic!()
    };
    (pdp, address)
}
