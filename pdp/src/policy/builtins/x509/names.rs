//! Distinguished names, and the strings of ASN.1 that are in them.

use std::collections::BTreeMap;

use regorus::Value;

use super::super::Failed;
use super::der::{Reader, SEQUENCE, SET};
use super::values::{Members, list, oid};
use super::{malformed, need};

/// The attributes that have a member of their own (2.5.4.…), and may be there more than once.
const LISTED: [(u32, &str); 7] = [
    (6, "Country"),
    (7, "Locality"),
    (8, "Province"),
    (9, "StreetAddress"),
    (10, "Organization"),
    (11, "OrganizationalUnit"),
    (17, "PostalCode"),
];
const COMMON_NAME: u32 = 3;
const SERIAL_NUMBER: u32 = 5;

/// The name that the whole element `der` is.
pub(super) fn name(der: &[u8]) -> Result<Value, Failed> {
    let invalid = || malformed("invalid RDNSequence");
    let mut sets = Reader(der).inside(SEQUENCE).ok_or_else(invalid)?;
    let (mut common, mut serial) = (String::new(), String::new());
    let mut listed: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    let mut all = Vec::new();
    while !sets.is_empty() {
        let mut set = sets.inside(SET).ok_or_else(invalid)?;
        while !set.is_empty() {
            let mut attribute = set.inside(SEQUENCE).ok_or_else(invalid)?;
            let kind = attribute.oid().ok_or_else(invalid)?;
            let value = attribute.any().ok_or_else(invalid)?;
            let value = need(string(value.tag, value.body), "invalid attribute value")?;
            match *kind.as_slice() {
                [2, 5, 4, COMMON_NAME] => common.clone_from(&value),
                [2, 5, 4, SERIAL_NUMBER] => serial.clone_from(&value),
                [2, 5, 4, number] => {
                    let value = Value::from(value.as_str());
                    listed.entry(number).or_default().push(value);
                }
                _ => {}
            }
            all.push(attribute_value(&kind, Value::from(value)));
        }
    }
    let mut name = Members::default();
    name.set("CommonName", common);
    name.set("SerialNumber", serial);
    name.set("Names", list(all));
    name.set("ExtraNames", Value::Null);
    for (number, member) in LISTED {
        name.set(member, list(listed.remove(&number).unwrap_or_default()));
    }
    Ok(name.value())
}

/// Go's `AttributeTypeAndValue`.
pub(super) fn attribute_value(kind: &[u32], value: Value) -> Value {
    let mut attribute = Members::default();
    attribute.set("Type", oid(kind));
    attribute.set("Value", value);
    attribute.value()
}

/// A string of one of the types that names may have.
pub(super) fn string(tag: u8, body: &[u8]) -> Option<String> {
    let text = |allowed: fn(u8) -> bool| {
        let all = body.iter().all(|byte| allowed(*byte));
        all.then(|| body.iter().copied().map(char::from).collect())
    };
    match tag {
        // UTF8String, NumericString, PrintableString, T61String (as Latin-1), IA5String, BMPString.
        12 => std::str::from_utf8(body).ok().map(str::to_owned),
        18 => text(|byte| byte.is_ascii_digit() || byte == b' '),
        19 => text(is_printable),
        20 => text(|_| true),
        22 => text(|byte| byte.is_ascii()),
        30 => wide(body),
        _ => None,
    }
}

/// Go takes `*` and `&` too, which certificates have.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()*+,-./:=?&".contains(&byte)
}

fn wide(body: &[u8]) -> Option<String> {
    let (mut pairs, []) = body.as_chunks::<2>() else {
        return None;
    };
    if let Some((&[0, 0], before)) = pairs.split_last() {
        pairs = before;
    }
    let mut out = String::with_capacity(pairs.len());
    for pair in pairs {
        let unit = u16::from_be_bytes(*pair);
        // Never a character, or half of one.
        if matches!(unit, 0xfffe | 0xffff | 0xfdd0..=0xfdef) {
            return None;
        }
        out.push(char::from_u32(u32::from(unit))?);
    }
    Some(out)
}
