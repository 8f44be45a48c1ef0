//! Signers, an authority, and messages with any one thing wrong, for the tests of this room.

use aws_lc_rs::digest::{SHA256 as DIGEST, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use der::Encode as _;
use der::asn1::ObjectIdentifier;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SerialNumber, date_time_ymd,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const DATA: &str = "1.2.840.113549.1.7.1";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";

/// A certificate with its key (ECDSA on P-256), good in the year 2026.
pub(in crate::attestation) struct TestSigner {
    pub(in crate::attestation) der: Vec<u8>,
    key: KeyPair,
}

/// An authority that issues them.
pub(in crate::attestation) struct TestAuthority(CertifiedIssuer<'static, KeyPair>);

impl TestAuthority {
    pub(in crate::attestation) fn new(name: &str) -> Self {
        let params = authority_params(name);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Another that this one vouches for.
    pub(in crate::attestation) fn below(&self, name: &str) -> Self {
        let params = authority_params(name);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    pub(in crate::attestation) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(in crate::attestation) fn der(&self) -> &[u8] {
        self.0.der()
    }

    /// A certificate for a server of this name.
    pub(in crate::attestation) fn issue(&self, name: &str, serial: u64) -> TestSigner {
        let key = KeyPair::generate().unwrap();
        let mut params = params(name, serial);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let der = params.signed_by(&key, &self.0).unwrap().der().to_vec();
        TestSigner { der, key }
    }
}

fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2028, 1, 1);
    params
}

impl TestSigner {
    /// A certificate of its own, as AWS's are.
    pub(in crate::attestation) fn self_signed(name: &str, serial: u64) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = params(name, serial).self_signed(&key).unwrap();
        let der = der.der().to_vec();
        Self { der, key }
    }

    pub(in crate::attestation) fn pem(&self) -> String {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &self.der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    fn name(&self) -> Vec<u8> {
        let (_, certificate) = X509Certificate::from_der(&self.der).unwrap();
        let serial = element(0x02, &[certificate.raw_serial()]);
        element(0x30, &[certificate.issuer().as_raw(), &serial])
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let key = self.key.serialize_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key).unwrap();
        let signature = key.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }
}

/// A message, and what is wrong with it.
#[derive(Clone)]
pub(in crate::attestation) struct TestMessage<'t> {
    /// What stands in it; none for a detached signature.
    pub(in crate::attestation) content: Option<&'t [u8]>,
    /// What was signed.
    pub(in crate::attestation) signed: &'t [u8],
    /// Who signed, by their own words, and whose key they had.
    pub(in crate::attestation) signers: Vec<(&'t TestSigner, &'t TestSigner)>,
    /// The certificates that come along.
    pub(in crate::attestation) bag: Vec<&'t [u8]>,
    /// Whether attributes are signed, with how many content types and digests; none for the content itself.
    pub(in crate::attestation) attributes: Option<(usize, usize)>,
    pub(in crate::attestation) kind: &'static str,
    pub(in crate::attestation) content_kind: &'static str,
    pub(in crate::attestation) digest: &'static str,
    pub(in crate::attestation) algorithm: &'static str,
    /// Whether lengths are told at the end, and the content is in two pieces.
    pub(in crate::attestation) in_pieces: bool,
}

/// A message like `$base` with other fields, in one line.
macro_rules! changed {
    ($base:expr; $($field:ident: $value:expr),+) => {
        TestMessage { $($field: $value,)+ ..$base.clone() }
    };
}
pub(in crate::attestation) use changed;

impl<'t> TestMessage<'t> {
    /// One with nothing wrong, and no certificate in it.
    pub(in crate::attestation) fn of(content: &'t [u8], signer: &'t TestSigner) -> Self {
        Self {
            content: Some(content),
            signed: content,
            signers: vec![(signer, signer)],
            bag: Vec::new(),
            attributes: Some((1, 1)),
            kind: SIGNED_DATA,
            content_kind: DATA,
            digest: SHA256,
            algorithm: ECDSA_SHA256,
            in_pieces: false,
        }
    }

    pub(in crate::attestation) fn bytes(&self) -> Vec<u8> {
        let digests = element(0x31, &[&algorithm(self.digest)]);
        let content = self
            .content
            .map(|content| self.whole(0xa0, &[&self.octets(content)]));
        let content = self.whole(
            0x30,
            &[&oid(self.content_kind), content.as_deref().unwrap_or(&[])],
        );
        let bag = match self.bag.as_slice() {
            [] => Vec::new(),
            some => self.whole(0xa0, some),
        };
        let signers: Vec<Vec<u8>> = self.signers.iter().map(|s| self.signer(s.0, s.1)).collect();
        let signers: Vec<&[u8]> = signers.iter().map(Vec::as_slice).collect();
        let signers = element(0x31, &signers);
        let version = element(0x02, &[&[1]]);
        let data = self.whole(0x30, &[&version, &digests, &content, &bag, &signers]);
        let data = self.whole(0xa0, &[&data]);
        self.whole(0x30, &[&oid(self.kind), &data])
    }

    /// In base64, in lines, as metadata services answer.
    pub(in crate::attestation) fn text(&self) -> String {
        in_lines(&self.bytes())
    }

    fn signer(&self, named: &TestSigner, signer: &TestSigner) -> Vec<u8> {
        let version = element(0x02, &[&[1]]);
        let attributes = self.attributes.map(|counts| self.signed_attributes(counts));
        let (message, shown) = match attributes {
            None => (self.signed.to_vec(), Vec::new()),
            Some(values) => (element(0x31, &[&values]), element(0xa0, &[&values])),
        };
        let signature = element(0x04, &[&signer.sign(&message)]);
        element(
            0x30,
            &[
                &version,
                &named.name(),
                &algorithm(self.digest),
                &shown,
                &algorithm(self.algorithm),
                &signature,
            ],
        )
    }

    fn signed_attributes(&self, (types, digests): (usize, usize)) -> Vec<u8> {
        let digest = element(0x04, &[digest(&DIGEST, self.signed).as_ref()]);
        let digest = element(0x30, &[&oid(MESSAGE_DIGEST), &element(0x31, &[&digest])]);
        let kind = element(0x30, &[&oid(CONTENT_TYPE), &element(0x31, &[&oid(DATA)])]);
        [kind.repeat(types), digest.repeat(digests)].concat()
    }

    fn octets(&self, content: &[u8]) -> Vec<u8> {
        if !self.in_pieces {
            return element(0x04, &[content]);
        }
        let (first, second) = content.split_at(content.len() / 2);
        self.whole(0x24, &[&element(0x04, &[first]), &element(0x04, &[second])])
    }

    fn whole(&self, tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        if !self.in_pieces {
            return element(tag, parts);
        }
        [&[tag, 0x80], parts.concat().as_slice(), &[0, 0]].concat()
    }
}

/// Bytes in base64, in lines of 64.
pub(in crate::attestation) fn in_lines(bytes: &[u8]) -> String {
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\n")
}

fn algorithm(name: &str) -> Vec<u8> {
    element(0x30, &[&oid(name)])
}

fn oid(name: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(name).to_der().unwrap()
}

/// One element in DER.
pub(in crate::attestation) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = value.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut bytes = vec![tag];
    if value.len() >= 0x80 {
        bytes.push(0x80 | u8::try_from(length.len()).unwrap());
        bytes.extend(length);
    } else {
        bytes.push(u8::try_from(value.len()).unwrap());
    }
    bytes.extend(value);
    bytes
}
