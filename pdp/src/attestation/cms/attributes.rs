//! What a signature is over: the content, or signed attributes that have its digest (RFC 5652
//! section 5.4).

use std::borrow::Cow;

use aws_lc_rs::digest::{self, digest};
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Header, Reader as _, SliceReader, Tag};

use super::CmsRefusal;

/// RFC 5652 sections 11.1 and 11.2, and `id-data`.
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// The tag of a set, under which attributes are signed, whatever they have in the message.
const SET: u8 = 0x31;

/// The bytes that the signature must be over, when `content` is what was signed.
pub(super) fn signed_bytes<'b>(
    content: &'b [u8],
    attributes: Option<&[u8]>,
    algorithm: &'static digest::Algorithm,
) -> Result<Cow<'b, [u8]>, CmsRefusal> {
    let Some(attributes) = attributes else {
        // Else the signed attributes of one message would be the signed content of another.
        if content.first() == Some(&SET) {
            return Err(CmsRefusal::Attributes);
        }
        return Ok(Cow::Borrowed(content));
    };
    let mut signed = attributes.to_vec();
    *signed.first_mut().ok_or(CmsRefusal::Unreadable)? = SET;
    let found = Required::read(&signed)?;
    if ObjectIdentifier::from_der(found.content_type)? != DATA {
        return Err(CmsRefusal::Attributes);
    }
    let mut reader = SliceReader::new(found.digest)?;
    let header = Header::decode(&mut reader)?;
    let is_octets = header.tag() == Tag::OctetString;
    let told = reader.read_slice(header.length())?;
    if !is_octets || !reader.is_finished() {
        return Err(CmsRefusal::Attributes);
    }
    // Both are public: nothing is learnt from how long this takes.
    if told != digest(algorithm, content).as_ref() {
        return Err(CmsRefusal::Digest);
    }
    Ok(Cow::Owned(signed))
}

/// The one value of each attribute that must be there.
struct Required<'s> {
    content_type: &'s [u8],
    digest: &'s [u8],
}

impl<'s> Required<'s> {
    fn read(set: &'s [u8]) -> Result<Self, CmsRefusal> {
        let mut reader = SliceReader::new(set)?;
        let header = Header::decode(&mut reader)?;
        let mut reader = SliceReader::new(reader.read_slice(header.length())?)?;
        let (mut content_type, mut digest) = (None, None);
        while !reader.is_finished() {
            let (name, value) = reader.sequence(attribute)?;
            let place = match name {
                CONTENT_TYPE => &mut content_type,
                MESSAGE_DIGEST => &mut digest,
                _ => continue,
            };
            let value = value.ok_or(CmsRefusal::Attributes)?;
            if place.replace(value).is_some() {
                return Err(CmsRefusal::Attributes);
            }
        }
        Ok(Self {
            content_type: content_type.ok_or(CmsRefusal::Attributes)?,
            digest: digest.ok_or(CmsRefusal::Attributes)?,
        })
    }
}

/// Its name, and its value where it has exactly one.
fn attribute<'s>(
    reader: &mut SliceReader<'s>,
) -> Result<(ObjectIdentifier, Option<&'s [u8]>), CmsRefusal> {
    let name = ObjectIdentifier::decode(reader)?;
    let header = Header::decode(reader)?;
    header.tag().assert_eq(Tag::Set)?;
    let mut values = SliceReader::new(reader.read_slice(header.length())?)?;
    let value = values.tlv_bytes()?;
    Ok((name, values.is_finished().then_some(value)))
}
