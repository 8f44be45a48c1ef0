//! `crypto.x509.parse_keypair`: certificates, and the private key of the first, as Go's `tls.Certificate`.
//!
//! That the key is the certificate's is checked by aws-lc. Errors here, where Go has an answer: RSA below 2048
//! bits or of more than two primes, P-224, and keys with anything behind them. Nothing of a key is in an error.

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use regorus::Value;

use super::super::Failed;
use super::super::arguments::Arguments;
use super::certificate::certificate;
use super::der::{INTEGER, OCTET_STRING, Reader, SEQUENCE, parts};
use super::keys::{Algorithm, ECDSA, ED25519, NULL, RSA, ecdsa};
use super::values::{Members, bytes, integer};
use super::{base64, bounded, malformed, need, pem};

const BEGIN: &[u8] = b"-----BEGIN ";
const NO_KEY: &str = "failed to parse private key, or not the key of the certificate";

pub(super) fn key_pair(a: &Arguments<'_>) -> Result<Value, Failed> {
    let chain = chain(&given(bounded(a.text(0)?)?)?)?;
    let first = need(chain.first(), "no certificate")?;
    let (mut leaf, behind) = certificate(first)?;
    if !behind.is_empty() {
        return Err(malformed("trailing data"));
    }
    // This one is Go's own.
    leaf.unset("URIStrings");
    let key = private(&given(bounded(a.text(1)?)?)?)?;
    let public = need(public(first), NO_KEY)?;
    let mut pair = Members::default();
    pair.set("PrivateKey", need(matching(&key, &public), NO_KEY)??);
    let chain = chain.iter().map(|der| bytes(der));
    pair.set("Certificate", Value::from(chain.collect::<Vec<_>>()));
    pair.set("Leaf", leaf.value());
    pair.none(&[
        "OCSPStaple",
        "SignedCertificateTimestamps",
        "SupportedSignatureAlgorithms",
    ]);
    Ok(pair.value())
}

/// PEM or DER, of which either may be in base64.
fn given(text: &str) -> Result<Vec<u8>, Failed> {
    if text.as_bytes().starts_with(BEGIN) {
        return Ok(text.as_bytes().to_vec());
    }
    base64(text)
}

/// The certificates; other sections are passed over.
fn chain(text: &[u8]) -> Result<Vec<Vec<u8>>, Failed> {
    if !text.starts_with(BEGIN) {
        return Ok(vec![text.to_vec()]);
    }
    let mut chain = Vec::new();
    let mut rest = text;
    while let Some((section, behind)) = pem::first(rest) {
        if section.label == b"CERTIFICATE" {
            chain.push(section.bytes);
        }
        rest = behind;
    }
    if chain.is_empty() {
        return Err(malformed("no certificate"));
    }
    Ok(chain)
}

/// The DER of the first private key.
fn private(text: &[u8]) -> Result<Vec<u8>, Failed> {
    if !text.starts_with(BEGIN) {
        return Ok(text.to_vec());
    }
    let mut rest = text;
    while let Some((section, behind)) = pem::first(rest) {
        if section.label == b"PRIVATE KEY" || section.label.ends_with(b" PRIVATE KEY") {
            return Ok(section.bytes);
        }
        rest = behind;
    }
    Err(malformed(NO_KEY))
}

/// The key of a certificate that has been read: its algorithm, and its bits.
fn public(der: &[u8]) -> Option<(Algorithm<'_>, Vec<u8>)> {
    let mut signed = Reader(der).inside(SEQUENCE)?.inside(SEQUENCE)?;
    signed.optional(parts(0))?;
    signed.element(INTEGER)?;
    for _ in ["algorithm", "issuer", "validity", "subject"] {
        signed.element(SEQUENCE)?;
    }
    let mut info = signed.inside(SEQUENCE)?;
    let algorithm = Algorithm::read(info.inside(SEQUENCE)?).ok()?;
    Some((algorithm, info.bits()?.right_aligned()))
}

/// The private key as Go writes it, if it is that of `public`. `der` is PKCS #1, PKCS #8 or SEC 1.
fn matching(der: &[u8], public: &(Algorithm<'_>, Vec<u8>)) -> Option<Result<Value, Failed>> {
    let (algorithm, data) = public;
    let mut rest = Reader(der);
    let mut inside = rest.inside(SEQUENCE)?;
    let version = inside.small(INTEGER)?;
    if !rest.is_empty() {
        return None;
    }
    if inside.is_next(SEQUENCE) {
        let wrapped = Algorithm::read(inside.inside(SEQUENCE)?).ok()?;
        let key = inside.element(OCTET_STRING)?.body;
        let same = wrapped.oid == algorithm.oid;
        return match &*wrapped.oid {
            RSA if same && wrapped.parameters == NULL => of_rsa(key, data),
            ECDSA if same && wrapped.parameters == algorithm.parameters => {
                of_curve(key, true, algorithm, data)
            }
            ED25519 if same && wrapped.parameters.is_empty() => of_edwards(key, data),
            _ => None,
        };
    }
    match (&*algorithm.oid, version) {
        (RSA, 0) => of_rsa(der, data),
        (ECDSA, 1) => of_curve(der, false, algorithm, data),
        _ => None,
    }
}

/// RFC 8017 appendix A.1.2.
fn of_rsa(der: &[u8], public: &[u8]) -> Option<Result<Value, Failed>> {
    rsa::KeyPair::from_der(der).ok()?;
    let mut inside = Reader(der).inside(SEQUENCE)?;
    (inside.small(INTEGER)? == 0).then_some(())?;
    let mut next = || inside.integer(INTEGER);
    let (modulus, exponent, private) = (next()?, next()?, next()?);
    let (primes, computed) = ([next()?, next()?], [next()?, next()?, next()?]);
    let mut of_certificate = Reader(public).inside(SEQUENCE)?;
    let same =
        of_certificate.integer(INTEGER)? == modulus && of_certificate.integer(INTEGER)? == exponent;
    (same && inside.is_empty()).then(|| {
        let (mut key, mut precomputed) = (Members::default(), Members::default());
        precomputed.set("CRTValues", Value::new_array());
        for (name, number) in ["Dp", "Dq", "Qinv"].into_iter().zip(computed) {
            precomputed.set(name, integer(number)?);
        }
        key.set("Precomputed", precomputed.value());
        for (name, number) in [("N", modulus), ("E", exponent), ("D", private)] {
            key.set(name, integer(number)?);
        }
        let [larger, smaller] = primes.map(integer);
        key.set("Primes", Value::from(vec![larger?, smaller?]));
        Ok(key.value())
    })
}

/// RFC 5915, on the curve of the certificate, which only a key that is wrapped need not name.
fn of_curve(
    der: &[u8],
    wrapped: bool,
    algorithm: &Algorithm<'_>,
    point: &[u8],
) -> Option<Result<Value, Failed>> {
    let mut rest = Reader(der);
    let mut inside = rest.inside(SEQUENCE)?;
    let version = inside.small(INTEGER)?;
    let scalar = inside.element(OCTET_STRING)?.body;
    let curve = inside.optional(parts(0))?;
    let same = curve.map_or(wrapped, |curve| curve.0 == algorithm.parameters);
    if let Some(mut point) = inside.optional(parts(1))? {
        point.bits().filter(|_| point.is_empty())?;
    }
    if version != 1 || !same || !rest.is_empty() || !inside.is_empty() {
        return None;
    }
    let (signing, size) = match point.len() {
        65 => (&ECDSA_P256_SHA256_FIXED_SIGNING, 32),
        97 => (&ECDSA_P384_SHA384_FIXED_SIGNING, 48),
        133 => (&ECDSA_P521_SHA512_FIXED_SIGNING, 66),
        _ => return None,
    };
    (scalar.len() == size).then_some(())?;
    EcdsaKeyPair::from_private_key_and_public_key(signing, scalar, point).ok()?;
    let positive = [&[0], scalar].concat();
    Some(integer(&positive).and_then(|scalar| {
        let mut key = ecdsa(algorithm, point)?;
        key.set("D", scalar);
        Ok(key.value())
    }))
}

/// RFC 8410 section 7.
fn of_edwards(der: &[u8], public: &[u8]) -> Option<Result<Value, Failed>> {
    let mut rest = Reader(der);
    let seed = rest.element(OCTET_STRING)?.body;
    Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
    rest.is_empty().then(|| Ok(bytes(&[seed, public].concat())))
}
