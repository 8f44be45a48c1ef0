//! A certificate authority for the tests: one trust domain, its server and its X.509-SVIDs.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use serde_json::{Value, json};

use crate::mint;
use crate::raw::{self, Request};
use crate::reply::Reply;

/// An authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A leaf certificate with its key.
#[derive(Debug)]
pub struct Leaf {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Authority {
    /// A fresh authority that may issue for `spiffe://trust_domain/…`.
    pub fn new(trust_domain: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{trust_domain} test CA"));
        params.subject_alt_names = vec![uri(&format!("spiffe://{trust_domain}"))];
        let key = KeyPair::generate().expect("a CA key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a CA certificate");
        Self { issuer }
    }

    /// Issues a certificate whose URI SANs are `uris`, in that order.
    pub fn issue(&self, uris: &[&str]) -> Leaf {
        let mut params = CertificateParams::default();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        params.subject_alt_names = uris.iter().map(|san| uri(san)).collect();
        params
            .subject_alt_names
            .push(SanType::DnsName("localhost".try_into().expect("a name")));
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a leaf key");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a leaf certificate");
        Leaf {
            certificate: certificate.der().clone(),
            key,
        }
    }

    /// The authority's own certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The authority's certificate as DER.
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// Writes what `envoy/mtls/envoy.yaml` reads: the server's certificate and key, and the bundle.
    pub fn write_server(&self, server: &Leaf, folder: &Path) {
        let write = |name: &str, text: String| {
            std::fs::write(folder.join(name), text).expect("a file is written");
        };
        write("bundle.pem", self.pem());
        write("server.pem", server.pem());
        write("server.key", server.key.serialize_pem());
    }

    /// Opens TLS over `stream`, with `leaf` as the client certificate when there is one.
    ///
    /// # Errors
    /// When the handshake's first step cannot be made. A refused certificate shows on first use.
    pub fn connect(
        &self,
        stream: TcpStream,
        leaf: Option<&Leaf>,
    ) -> Result<StreamOwned<ClientConnection, TcpStream>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der())?;
        let config = ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
        let config = match leaf {
            Some(leaf) => config.with_client_auth_cert(leaf.chain(), leaf.key())?,
            None => config.with_no_client_auth(),
        };
        let name = ServerName::try_from("localhost").expect("a server name");
        let connection = ClientConnection::new(Arc::new(config), name)?;
        Ok(StreamOwned::new(connection, stream))
    }
}

impl Authority {
    /// Sends a request over TLS to `address`, with `leaf` as the client certificate when there is one; the default
    /// where there was no answer.
    pub fn send(&self, address: SocketAddr, leaf: Option<&Leaf>, request: &Request) -> Reply {
        let exchanged = raw::connect(address).and_then(|stream| {
            let stream = self.connect(stream, leaf);
            raw::exchange(stream.map_err(io::Error::other)?, &request.bytes())
        });
        exchanged.unwrap_or_default()
    }
}

impl Leaf {
    /// The certificate's thumbprint as a `cnf` claim has it (RFC 8705 section 3.1).
    pub fn x5t_s256(&self) -> String {
        mint::encode(digest::digest(&digest::SHA256, &self.certificate))
    }

    /// The certificate as PEM.
    pub fn pem(&self) -> String {
        let body = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            &self.certificate,
        );
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    /// A JWT of these claims, signed with this certificate's key, that shows the certificate (`x5c`).
    pub fn token(&self, claims: &Value) -> String {
        let der = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            &self.certificate,
        );
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [der] });
        let key = mint::SigningKey::of_pkcs8("leaf", &self.key.serialize_der());
        key.sign(&header.to_string(), &claims.to_string())
    }

    /// The private key as PEM.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// A TLS server that shows this certificate and asks clients for none.
    ///
    /// # Panics
    /// Never with a certificate and key of one leaf.
    pub fn server_config(&self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default versions")
            .with_no_client_auth()
            .with_single_cert(self.chain(), self.key())
            .expect("a certificate and its key")
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("an ASCII URI"))
}
