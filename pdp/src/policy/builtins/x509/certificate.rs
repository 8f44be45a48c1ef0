//! A certificate (RFC 5280 section 4.1), as Go reads it and writes it in JSON.

use super::super::Failed;
use super::alternatives::Alternatives;
use super::der::{INTEGER, Reader, SEQUENCE, context, parts};
use super::extensions::{self, Extension};
use super::keys::{Algorithm, public_key};
use super::names::name;
use super::times::time;
use super::values::{Members, bytes, integer};
use super::{malformed, need};

/// The first certificate of `der`, and what is behind it.
pub(super) fn certificate(der: &[u8]) -> Result<(Members, &[u8]), Failed> {
    let mut rest = Reader(der);
    let whole = need(rest.element(SEQUENCE), "malformed certificate")?;
    let mut inside = Reader(whole.body);
    let signed = need(inside.element(SEQUENCE), "malformed tbs certificate")?;
    let outer = need(inside.element(SEQUENCE), "malformed algorithm identifier")?;
    let signature = need(inside.bits(), "malformed signature")?;
    let mut out = absent();
    out.set("Raw", bytes(whole.whole));
    out.set("RawTBSCertificate", bytes(signed.whole));
    out.set("Signature", bytes(&signature.right_aligned()));
    fields(Reader(signed.body), outer.body, &mut out)?;
    Ok((out, rest.0))
}

/// What is signed; `algorithm` is what the signature says of itself.
fn fields(mut signed: Reader<'_>, algorithm: &[u8], out: &mut Members) -> Result<(), Failed> {
    let version = version(&mut signed)?;
    out.set("Version", version);
    let serial = need(signed.integer(INTEGER), "malformed serial number")?;
    if serial.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err(malformed("negative serial number"));
    }
    out.set("SerialNumber", integer(serial)?);
    let inner = need(signed.inside(SEQUENCE), "malformed algorithm identifier")?;
    if inner.0 != algorithm {
        return Err(malformed(
            "inner and outer signature algorithm identifiers don't match",
        ));
    }
    out.set(
        "SignatureAlgorithm",
        Algorithm::read(inner)?.of_signature()?,
    );
    let issuer = need(signed.element(SEQUENCE), "malformed issuer")?;
    out.set("RawIssuer", bytes(issuer.whole));
    out.set("Issuer", name(issuer.whole)?);
    let mut validity = need(signed.inside(SEQUENCE), "malformed validity")?;
    for member in ["NotBefore", "NotAfter"] {
        out.set(member, need(time(&mut validity), "malformed time")?);
    }
    let subject = need(signed.element(SEQUENCE), "malformed subject")?;
    out.set("RawSubject", bytes(subject.whole));
    out.set("Subject", name(subject.whole)?);
    let info = need(signed.element(SEQUENCE), "malformed spki")?;
    out.set("RawSubjectPublicKeyInfo", bytes(info.whole));
    let (number, key) = public_key(Reader(info.body))?;
    out.set("PublicKeyAlgorithm", number);
    out.set("PublicKey", key);
    let mut unique = |number| need(signed.optional(context(number)), "malformed unique id");
    if version > 1 {
        unique(1)?;
        unique(2)?;
    }
    if version < 3 {
        return Ok(());
    }
    let malformed = "malformed extensions";
    let Some(mut outer) = need(signed.optional(parts(3)), malformed)? else {
        return Ok(());
    };
    let all = Extension::all(need(outer.inside(SEQUENCE), malformed)?)?;
    extensions::write(&all, out)
}

/// The version, from 1.
fn version(signed: &mut Reader<'_>) -> Result<i64, Failed> {
    let malformed = "malformed version";
    let Some(mut explicit) = need(signed.optional(parts(0)), malformed)? else {
        return Ok(1);
    };
    let version = explicit.small(INTEGER).filter(|_| explicit.is_empty());
    let known = version.filter(|version| (0..=2).contains(version));
    need(known, malformed).map(|version| version + 1)
}

/// The members of a certificate without extensions.
fn absent() -> Members {
    let mut out = Members::default();
    Alternatives::default().write(&mut out, true);
    out.none(&[
        "AuthorityKeyId",
        "CRLDistributionPoints",
        "ExcludedDNSDomains",
        "ExcludedEmailAddresses",
        "ExcludedIPRanges",
        "ExcludedURIDomains",
        "ExtKeyUsage",
        "Extensions",
        "ExtraExtensions",
        "IssuingCertificateURL",
        "OCSPServer",
        "PermittedDNSDomains",
        "PermittedEmailAddresses",
        "PermittedIPRanges",
        "PermittedURIDomains",
        "Policies",
        "PolicyIdentifiers",
        "PolicyMappings",
        "SubjectKeyId",
        "UnhandledCriticalExtensions",
        "UnknownExtKeyUsage",
    ]);
    out.zero(&[
        "InhibitAnyPolicy",
        "InhibitPolicyMapping",
        "KeyUsage",
        "MaxPathLen",
        "RequireExplicitPolicy",
    ]);
    out.no(&[
        "BasicConstraintsValid",
        "InhibitAnyPolicyZero",
        "InhibitPolicyMappingZero",
        "IsCA",
        "MaxPathLenZero",
        "PermittedDNSDomainsCritical",
        "RequireExplicitPolicyZero",
    ]);
    out
}
