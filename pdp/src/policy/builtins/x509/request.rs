//! A certificate request (RFC 2986), as Go reads it and writes it in JSON.
//!
//! Go reads requests by another of its libraries than certificates, which knows tags of several bytes and
//! passes over attributes that it cannot read. Errors here, where Go has an answer: such tags, attributes
//! that are malformed, and values of names and attributes of which no text, no bytes and no boolean comes.

use regorus::Value;

use super::super::Failed;
use super::alternatives::Alternatives;
use super::der::{BOOLEAN, Element, INTEGER, OCTET_STRING, Reader, SEQUENCE, SET, parts};
use super::extensions::Extension;
use super::keys::{Algorithm, public_key};
use super::names::{attribute_value, name, string};
use super::values::{Members, bytes, list, oid};
use super::{malformed, need};

const EXTENSION_REQUEST: &[u32] = &[1, 2, 840, 113_549, 1, 9, 14];
const ALTERNATIVE_NAMES: &[u32] = &[2, 5, 29, 17];
const MALFORMED: &str = "malformed certificate request";

pub(super) fn request(der: &[u8]) -> Result<Value, Failed> {
    let mut rest = Reader(der);
    let whole = need(rest.element(SEQUENCE), MALFORMED)?;
    if !rest.is_empty() {
        return Err(malformed("trailing data"));
    }
    let mut inside = Reader(whole.body);
    let signed = need(inside.element(SEQUENCE), MALFORMED)?;
    let algorithm = need(inside.inside(SEQUENCE), MALFORMED)?;
    let signature = need(inside.bits(), MALFORMED)?;
    let mut out = Members::default();
    out.set("Raw", bytes(whole.whole));
    out.set("RawTBSCertificateRequest", bytes(signed.whole));
    let algorithm = Algorithm::read(algorithm)?;
    out.set("SignatureAlgorithm", algorithm.of_signature()?);
    out.set("Signature", bytes(&signature.right_aligned()));
    fields(Reader(signed.body), &mut out)?;
    Ok(out.value())
}

fn fields(mut signed: Reader<'_>, out: &mut Members) -> Result<(), Failed> {
    out.set("Version", need(signed.small(INTEGER), MALFORMED)?);
    let subject = need(signed.element(SEQUENCE), MALFORMED)?;
    out.set("RawSubject", bytes(subject.whole));
    out.set("Subject", name(subject.whole)?);
    let info = need(signed.element(SEQUENCE), MALFORMED)?;
    out.set("RawSubjectPublicKeyInfo", bytes(info.whole));
    let (number, key) = public_key(Reader(info.body))?;
    out.set("PublicKeyAlgorithm", number);
    out.set("PublicKey", key);
    let attributes = need(signed.inside(parts(0)), MALFORMED)?;
    attributes_of(attributes, out)
}

fn attributes_of(mut attributes: Reader<'_>, out: &mut Members) -> Result<(), Failed> {
    let (mut written, mut requested) = (Vec::new(), Vec::new());
    while !attributes.is_empty() {
        let (id, values) = need(attributes.inside(SEQUENCE).and_then(attribute), MALFORMED)?;
        if let Some(sets) = sets(&values)? {
            let mut attribute = Members::default();
            attribute.set("Type", oid(&id));
            attribute.set("Value", sets);
            written.push(attribute.value());
        }
        if id == EXTENSION_REQUEST
            && let Some(first) = values.first()
        {
            let list = Reader(first.whole).inside(SEQUENCE);
            requested.extend(Extension::all(need(list, MALFORMED)?)?);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    if !requested.iter().all(|extension| seen.insert(&extension.id)) {
        return Err(malformed("duplicate requested extensions"));
    }
    let names = (requested.iter()).find(|extension| extension.id == ALTERNATIVE_NAMES);
    let names = names.map(|extension| Alternatives::read(extension.value));
    names.transpose()?.unwrap_or_default().write(out, false);
    out.set("Attributes", list(written));
    let requested = requested.iter().map(Extension::value).collect();
    out.set("Extensions", list(requested));
    out.set("ExtraExtensions", Value::Null);
    Ok(())
}

/// What an attribute is of, and its values.
fn attribute(mut inside: Reader<'_>) -> Option<(Vec<u32>, Vec<Element<'_>>)> {
    let id = inside.oid()?;
    let mut set = inside.inside(SET)?;
    let mut values = Vec::new();
    while !set.is_empty() {
        values.push(set.any()?);
    }
    inside.is_empty().then_some((id, values))
}

/// The values, where they all are lists of what is named: Go leaves other attributes out.
fn sets(values: &[Element<'_>]) -> Result<Option<Value>, Failed> {
    let mut sets = Vec::new();
    for value in values {
        let mut named = Vec::new();
        let mut inside = Reader(value.body);
        if value.tag != SEQUENCE {
            return Ok(None);
        }
        while !inside.is_empty() {
            let pair = need(inside.any(), MALFORMED)?;
            let mut parts = Reader(pair.body);
            if pair.tag != SEQUENCE {
                return Ok(None);
            }
            let (Some(id), false) = (parts.oid(), parts.is_empty()) else {
                return Ok(None);
            };
            let value = need(parts.any(), MALFORMED)?;
            named.push(attribute_value(&id, any(&value)?));
        }
        sets.push(Value::from(named));
    }
    Ok(Some(Value::from(sets)))
}

fn any(value: &Element<'_>) -> Result<Value, Failed> {
    match value.tag {
        OCTET_STRING => Ok(bytes(value.body)),
        BOOLEAN => need(Reader(value.whole).boolean().map(Value::from), MALFORMED),
        tag => need(string(tag, value.body).map(Value::from), MALFORMED),
    }
}
