//! `crypto.x509.parse_certificates`, `.parse_certificate_request` and `.parse_keypair`: what is in a certificate,
//! as the JSON of Go's `x509.Certificate`. Nothing is verified: neither signatures nor times nor chains.
//!
//! What Go refuses is an error here, and so is some of what it does not: `times`, `request` and
//! `key_pairs` say what. `crypto::PeerCertificate` is what Edgeward itself reads of certificates; it is another reader.
//!
//! Order of reading: `pem`, `der`, `certificate` and `request`, `extensions`, `constraints`, `alternatives`,
//! `names`, `keys`, `key_pairs`, `curves`, `times`, `values`.

mod alternatives;
mod certificate;
mod constraints;
mod curves;
mod der;
mod extensions;
mod key_pairs;
mod keys;
mod names;
mod pem;
mod request;
mod times;
mod values;

use regorus::Value;

use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[
    ("crypto.x509.parse_certificate_request", 1, |a| {
        request::request(&requested(bounded(a.text(0)?)?)?)
    }),
    ("crypto.x509.parse_certificates", 1, |a| {
        certificates(&given(bounded(a.text(0)?)?)?)
    }),
    ("crypto.x509.parse_keypair", 2, key_pairs::key_pair),
];

/// Bytes of one argument. What comes out may take a hundred times as much.
const MAX_LENGTH: usize = 1 << 18;

fn bounded(text: &str) -> Result<&str, Failed> {
    if text.len() > MAX_LENGTH {
        return Err(Failed::Bound("certificates may have 256 KiB"));
    }
    Ok(text)
}

fn malformed(what: &str) -> Failed {
    Failed::Refused(format!("x509: {what}"))
}

fn need<T>(read: Option<T>, what: &str) -> Result<T, Failed> {
    read.ok_or_else(|| malformed(what))
}

fn base64(text: &str) -> Result<Vec<u8>, Failed> {
    pem::base64(text.as_bytes()).ok_or_else(|| Failed::refused("illegal base64 data"))
}

/// The DER of certificates, one behind the other: from PEM, PEM in base64, or DER in base64.
fn given(text: &str) -> Result<Vec<u8>, Failed> {
    const BEGIN: &str = "-----BEGIN";
    if text.starts_with(BEGIN) {
        return sections(text.as_bytes());
    }
    let bytes = base64(text)?;
    if bytes.starts_with(BEGIN.as_bytes()) {
        return sections(&bytes);
    }
    Ok(bytes)
}

/// What is in all sections of PEM, which must be certificates.
fn sections(mut text: &[u8]) -> Result<Vec<u8>, Failed> {
    let mut der = Vec::new();
    while let Some((section, behind)) = pem::first(text) {
        if section.label != b"CERTIFICATE" {
            return Err(Failed::refused("PEM block type is not CERTIFICATE"));
        }
        der.extend(section.bytes);
        text = behind;
    }
    Ok(der)
}

/// The DER of a request: from PEM, or from either in base64.
fn requested(text: &str) -> Result<Vec<u8>, Failed> {
    let bytes = if text.starts_with("-----BEGIN CERTIFICATE REQUEST-----") {
        text.as_bytes().to_vec()
    } else {
        base64(text)?
    };
    match pem::first(&bytes) {
        Some((section, _)) if section.label != b"CERTIFICATE REQUEST" => Err(Failed::refused(
            "invalid PEM-encoded certificate signing request",
        )),
        Some((section, _)) => Ok(section.bytes),
        None => Ok(bytes),
    }
}

fn certificates(der: &[u8]) -> Result<Value, Failed> {
    let mut rest = der;
    let (mut all, mut uris) = (Vec::new(), 0);
    while !rest.is_empty() {
        let (certificate, behind) = certificate::certificate(rest)?;
        alternatives::Alternatives::count(&mut uris, &certificate)?;
        all.push(certificate.value());
        rest = behind;
    }
    Ok(Value::from(all))
}
