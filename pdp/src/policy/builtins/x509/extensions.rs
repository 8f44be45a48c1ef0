//! The extensions of a certificate (RFC 5280 section 4.2) that Go reads, written over what stands where they
//! are absent.

use std::collections::BTreeSet;

use regorus::Value;

use super::super::Failed;
use super::alternatives::Alternatives;
use super::constraints;
use super::der::{
    BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, context, parts,
};
use super::values::{Members, bytes, list, oid, text};
use super::{der, malformed, need};

const AUTHORITY_INFORMATION: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const OCSP: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1];
const ISSUERS: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 2];

/// Uses of a key, by Go's numbers.
const KEY_USES: [&[u32]; 14] = [
    &[2, 5, 29, 37, 0],
    &[1, 3, 6, 1, 5, 5, 7, 3, 1],
    &[1, 3, 6, 1, 5, 5, 7, 3, 2],
    &[1, 3, 6, 1, 5, 5, 7, 3, 3],
    &[1, 3, 6, 1, 5, 5, 7, 3, 4],
    &[1, 3, 6, 1, 5, 5, 7, 3, 5],
    &[1, 3, 6, 1, 5, 5, 7, 3, 6],
    &[1, 3, 6, 1, 5, 5, 7, 3, 7],
    &[1, 3, 6, 1, 5, 5, 7, 3, 8],
    &[1, 3, 6, 1, 5, 5, 7, 3, 9],
    &[1, 3, 6, 1, 4, 1, 311, 10, 3, 3],
    &[2, 16, 840, 1, 113_730, 4, 1],
    &[1, 3, 6, 1, 4, 1, 311, 2, 1, 22],
    &[1, 3, 6, 1, 4, 1, 311, 61, 1, 1],
];

/// One extension.
pub(super) struct Extension<'d> {
    pub(super) id: Vec<u32>,
    critical: bool,
    pub(super) value: &'d [u8],
}

impl<'d> Extension<'d> {
    pub(super) fn read(mut inside: Reader<'d>) -> Option<Self> {
        let id = inside.oid()?;
        let critical = inside.is_next(BOOLEAN) && inside.boolean()?;
        let value = inside.element(OCTET_STRING)?.body;
        Some(Self {
            id,
            critical,
            value,
        })
    }

    /// All extensions, each of which is there once.
    pub(super) fn all(mut list: Reader<'d>) -> Result<Vec<Self>, Failed> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        while !list.is_empty() {
            let one = list.inside(SEQUENCE).and_then(Self::read);
            let one = need(one, "malformed extension")?;
            if !seen.insert(one.id.clone()) {
                return Err(malformed("duplicate extension"));
            }
            all.push(one);
        }
        Ok(all)
    }

    pub(super) fn value(&self) -> Value {
        let mut members = Members::default();
        members.set("Id", oid(&self.id));
        members.set("Critical", self.critical);
        members.set("Value", bytes(self.value));
        members.value()
    }
}

/// Writes what the extensions say.
pub(super) fn write(extensions: &[Extension<'_>], out: &mut Members) -> Result<(), Failed> {
    let mut unhandled = Vec::new();
    for extension in extensions {
        let handled = match *extension.id.as_slice() {
            [2, 5, 29, number] => standard(number, extension, out)?,
            _ if extension.id == AUTHORITY_INFORMATION => {
                need(
                    authority_information(extension, out),
                    "invalid authority info access",
                )?;
                true
            }
            _ => false,
        };
        if extension.critical && !handled {
            unhandled.push(oid(&extension.id));
        }
    }
    let all = extensions.iter().map(Extension::value).collect();
    out.set("Extensions", list(all));
    out.set("UnhandledCriticalExtensions", list(unhandled));
    Ok(())
}

/// Writes an extension of X.509 itself, and says whether it was one that Go knows.
fn standard(number: u32, extension: &Extension<'_>, out: &mut Members) -> Result<bool, Failed> {
    let value = Reader(extension.value);
    let read = match number {
        // What must not be critical.
        14 | 35 if extension.critical => None,
        14 => subject_key(value, out),
        15 => key_usage(value, out),
        17 => {
            let names = Alternatives::read(extension.value)?;
            let any = !names.is_empty();
            names.write(out, true);
            return Ok(any);
        }
        19 => basic(value, out),
        30 => return constraints::write(extension.value, extension.critical, out).map(|odd| !odd),
        31 => revocation_lists(value, out),
        32 => policies(value, out),
        33 => return policy_mappings(value, out).map(|()| true),
        35 => authority_key(value, out),
        36 => policy_constraints(value, out),
        37 => key_uses(value, out),
        54 => inhibit_any_policy(value, out),
        _ => return Ok(false),
    };
    need(read, "invalid extension")?;
    Ok(true)
}

fn subject_key(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    out.set("SubjectKeyId", bytes(value.element(OCTET_STRING)?.body));
    Some(())
}

fn key_usage(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    let bits = value.bits()?;
    let set = (0..9).filter(|number| bits.is_set(*number));
    out.set("KeyUsage", set.fold(0_u64, |sum, number| sum | 1 << number));
    Some(())
}

fn basic(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    let mut inside = value.inside(SEQUENCE)?;
    let authority = inside.is_next(BOOLEAN) && inside.boolean()?;
    let length = if inside.is_next(INTEGER) {
        inside.small(INTEGER).filter(|length| *length >= 0)?
    } else {
        -1
    };
    out.set("BasicConstraintsValid", true);
    out.set("IsCA", authority);
    out.set("MaxPathLen", length);
    out.set("MaxPathLenZero", length == 0);
    Some(())
}

fn revocation_lists(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    const URI: u8 = context(6);
    let mut points = value.inside(SEQUENCE)?;
    let mut uris = Vec::new();
    while !points.is_empty() {
        let mut point = points.inside(SEQUENCE)?;
        let Some(mut name) = point.optional(parts(0))? else {
            continue;
        };
        let mut names = name.inside(parts(0))?;
        while names.is_next(URI) {
            uris.push(text(names.element(URI)?.body));
        }
    }
    out.set("CRLDistributionPoints", list(uris));
    Some(())
}

fn policies(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    let mut inside = value.inside(SEQUENCE)?;
    let (mut seen, mut texts, mut short) = (BTreeSet::new(), Vec::new(), Vec::new());
    while !inside.is_empty() {
        let id = inside.inside(SEQUENCE)?.element(OBJECT_IDENTIFIER)?.body;
        let ends = id.last()? & 0x80 == 0;
        // No part starts with zeros.
        let before = std::iter::once(&0).chain(id);
        let padded = before
            .zip(id)
            .any(|(before, byte)| before & 0x80 == 0 && *byte == 0x80);
        if !seen.insert(id) || !ends || padded {
            return None;
        }
        texts.push(Value::from(der::dotted(id)?));
        short.extend(der::oid(id).map(|parts| oid(&parts)));
    }
    out.set("Policies", list(texts));
    out.set("PolicyIdentifiers", Value::from(short));
    Some(())
}

/// Identifiers are written as they come, even where they are none.
fn policy_mappings(mut value: Reader<'_>, out: &mut Members) -> Result<(), Failed> {
    let invalid = "invalid policy mappings extension";
    let mut inside = need(value.inside(SEQUENCE), invalid)?;
    let mut mappings = Vec::new();
    while !inside.is_empty() {
        let mut pair = need(inside.inside(SEQUENCE), invalid)?;
        let mut mapping = Members::default();
        for name in ["IssuerDomainPolicy", "SubjectDomainPolicy"] {
            let id = need(pair.element(OBJECT_IDENTIFIER), invalid)?;
            mapping.set(name, need(der::dotted(id.body), invalid)?);
        }
        mappings.push(mapping.value());
    }
    out.set("PolicyMappings", list(mappings));
    Ok(())
}

fn authority_key(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    const KEY: u8 = context(0);
    let mut inside = value.inside(SEQUENCE)?;
    if inside.is_next(KEY) {
        out.set("AuthorityKeyId", bytes(inside.element(KEY)?.body));
    }
    Some(())
}

fn policy_constraints(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    let mut inside = value.inside(SEQUENCE)?;
    for (number, name, zero) in [
        (0, "RequireExplicitPolicy", "RequireExplicitPolicyZero"),
        (1, "InhibitPolicyMapping", "InhibitPolicyMappingZero"),
    ] {
        if inside.is_next(context(number)) {
            let skipped = inside.small(context(number))?;
            out.set(name, skipped);
            out.set(zero, skipped == 0);
        }
    }
    Some(())
}

fn key_uses(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    let mut inside = value.inside(SEQUENCE)?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    while !inside.is_empty() {
        let id = inside.oid()?;
        match KEY_USES.iter().position(|own| *own == id) {
            Some(number) => known.push(Value::from(number)),
            None => unknown.push(oid(&id)),
        }
    }
    out.set("ExtKeyUsage", list(known));
    out.set("UnknownExtKeyUsage", list(unknown));
    Some(())
}

fn inhibit_any_policy(mut value: Reader<'_>, out: &mut Members) -> Option<()> {
    let skipped = value.small(INTEGER)?;
    out.set("InhibitAnyPolicy", skipped);
    out.set("InhibitAnyPolicyZero", skipped == 0);
    Some(())
}

fn authority_information(extension: &Extension<'_>, out: &mut Members) -> Option<()> {
    const URI: u8 = context(6);
    let mut inside = Reader(extension.value)
        .inside(SEQUENCE)
        .filter(|_| !extension.critical)?;
    let (mut servers, mut issuers) = (Vec::new(), Vec::new());
    while !inside.is_empty() {
        let mut description = inside.inside(SEQUENCE)?;
        let method = description.oid()?;
        if !description.is_next(URI) {
            continue;
        }
        let uri = text(description.element(URI)?.body);
        match &*method {
            OCSP => servers.push(uri),
            ISSUERS => issuers.push(uri),
            _ => {}
        }
    }
    out.set("OCSPServer", list(servers));
    out.set("IssuingCertificateURL", list(issuers));
    Some(())
}
