//! Takes a message apart. The outside may be BER, as AWS writes it (lengths that are told at the
//! end, content in pieces); what is signed, and certificates, must be DER.

use der::asn1::{ContextSpecific, ObjectIdentifier, OctetString};
use der::{
    Decode as _, DecodeValue, EncodingRules, ErrorKind, FixedTag, Header, Reader, SliceReader, Tag,
    TagMode, TagNumber,
};

use super::certificate::SignerCertificate;
use super::{CmsRefusal, MAX_CERTIFICATES, MAX_MESSAGE_BYTES, attributes, signature};

/// `id-signedData` and `id-data` (RFC 5652 sections 5.1 and 4).
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// The most members of any set that is only stepped over.
const MAX_ITEMS: usize = 16;

/// A message that nobody has verified. Its content cannot be had without.
#[derive(Debug)]
pub(in crate::attestation) struct Message<'m> {
    content: Vec<u8>,
    certificates: Vec<&'m [u8]>,
    signer: Signer<'m>,
}

/// What the signer says of itself (RFC 5652 section 5.3).
#[derive(Debug)]
struct Signer<'m> {
    name: SignerName<'m>,
    digest: ObjectIdentifier,
    /// The signed attributes as they stand in the message, with their tag.
    attributes: Option<&'m [u8]>,
    algorithm: ObjectIdentifier,
    signature: &'m [u8],
}

/// By what the signer's certificate is found.
#[derive(Debug, Clone, Copy)]
pub(super) enum SignerName<'m> {
    /// The issuer's name in DER, and the content of the serial number.
    Issued { issuer: &'m [u8], serial: &'m [u8] },
    /// The subject key identifier.
    Key(&'m [u8]),
}

/// Content that was signed, and by whom.
#[derive(Debug)]
pub(in crate::attestation) struct Verified<'c> {
    /// The whole content.
    pub(in crate::attestation) content: Vec<u8>,
    /// The certificate whose key signed it: one of those that were given.
    pub(in crate::attestation) signer: &'c SignerCertificate,
}

impl<'m> Message<'m> {
    /// Takes `bytes` apart, all of them.
    pub(in crate::attestation) fn read(bytes: &'m [u8]) -> Result<Self, CmsRefusal> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(CmsRefusal::TooLong);
        }
        let mut reader = SliceReader::new_with_encoding_rules(bytes, EncodingRules::Ber)?;
        let data: SignedData<'m> = reader.sequence(|reader| {
            if ObjectIdentifier::decode(reader)? != SIGNED_DATA {
                return Err(CmsRefusal::Type);
            }
            ContextSpecific::decode_explicit(reader, TagNumber(0))?
                .map(|field| field.value)
                .ok_or(CmsRefusal::Unreadable)
        })?;
        reader.finish()?;
        let [signer] = data.signers.as_slice() else {
            return Err(CmsRefusal::Signers(data.signers.len()));
        };
        if data.content_type != DATA {
            return Err(CmsRefusal::Type);
        }
        if data.certificates.len() > MAX_CERTIFICATES {
            return Err(CmsRefusal::Unreadable);
        }
        Ok(Self {
            content: data.content.ok_or(CmsRefusal::ContentMissing)?,
            certificates: data.certificates,
            signer: Signer::read(signer)?,
        })
    }

    /// The certificates that came along, in DER: no more than hints.
    pub(in crate::attestation) fn certificates(&self) -> &[&'m [u8]] {
        &self.certificates
    }

    /// The content, when one of `candidates` signed it: the one that the signer is named by.
    pub(in crate::attestation) fn verify<'c>(
        self,
        candidates: impl IntoIterator<Item = &'c SignerCertificate>,
    ) -> Result<Verified<'c>, CmsRefusal> {
        let mut named = candidates
            .into_iter()
            .filter(|certificate| certificate.is_named(self.signer.name));
        let signer = named.next().ok_or(CmsRefusal::SignerUnknown)?;
        if named.any(|other| other.der() != signer.der()) {
            return Err(CmsRefusal::SignerAmbiguous);
        }
        let scheme = signature::Scheme::of(self.signer.digest, self.signer.algorithm)?;
        let bytes =
            attributes::signed_bytes(&self.content, self.signer.attributes, scheme.digest())?;
        scheme.check(signer.key(), &bytes, self.signer.signature)?;
        Ok(Verified {
            content: self.content,
            signer,
        })
    }
}

impl<'m> Signer<'m> {
    fn read(bytes: &'m [u8]) -> Result<Self, CmsRefusal> {
        let mut reader = SliceReader::new(bytes)?;
        let signer = reader.sequence(|reader| {
            reader.tlv_bytes()?; // version: says nothing that the name does not
            let name = SignerName::read(reader)?;
            let digest = algorithm(reader)?;
            let attributes = (reader.peek_byte() == Some(0xa0))
                .then(|| reader.tlv_bytes())
                .transpose()?;
            let algorithm = algorithm(reader)?;
            let signature = value(reader, Tag::OctetString)?;
            if !reader.is_finished() {
                ContextSpecific::<Items<'_>>::decode_implicit(reader, TagNumber(1))?
                    .ok_or(CmsRefusal::Unreadable)?;
            }
            Ok::<_, CmsRefusal>(Self {
                name,
                digest,
                attributes,
                algorithm,
                signature,
            })
        })?;
        reader.finish()?;
        Ok(signer)
    }
}

impl<'m> SignerName<'m> {
    fn read(reader: &mut SliceReader<'m>) -> Result<Self, CmsRefusal> {
        if reader.peek_byte() == Some(0x80) {
            let header = Header::decode(reader)?;
            return Ok(Self::Key(reader.read_slice(header.length())?));
        }
        reader.sequence(|reader| {
            Ok(Self::Issued {
                issuer: reader.tlv_bytes()?,
                serial: value(reader, Tag::Integer)?,
            })
        })
    }
}

/// The value of the next element, which must have this tag.
fn value<'m>(reader: &mut SliceReader<'m>, tag: Tag) -> Result<&'m [u8], CmsRefusal> {
    let header = Header::decode(reader)?;
    header.tag().assert_eq(tag)?;
    Ok(reader.read_slice(header.length())?)
}

/// An algorithm without its parameters: those that are taken have none that matter.
fn algorithm(reader: &mut SliceReader<'_>) -> Result<ObjectIdentifier, CmsRefusal> {
    reader.sequence(|reader| {
        let name = ObjectIdentifier::decode(reader)?;
        if !reader.is_finished() {
            reader.tlv_bytes()?;
        }
        Ok(name)
    })
}

struct SignedData<'m> {
    content_type: ObjectIdentifier,
    content: Option<Vec<u8>>,
    certificates: Vec<&'m [u8]>,
    signers: Vec<&'m [u8]>,
}

impl FixedTag for SignedData<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl<'m> DecodeValue<'m> for SignedData<'m> {
    type Error = der::Error;

    fn decode_value<R: Reader<'m>>(reader: &mut R, _header: Header) -> Result<Self, der::Error> {
        u8::decode(reader)?; // version
        Items::decode(reader)?; // digests of the signers, who name theirs again
        let (content_type, content) = reader.sequence(|reader| {
            let content_type = ObjectIdentifier::decode(reader)?;
            let content = ContextSpecific::<OctetString>::decode_explicit(reader, TagNumber(0))?;
            Ok::<_, der::Error>((content_type, content))
        })?;
        let certificates = reader.context_specific::<Items<'m>>(TagNumber(0), TagMode::Implicit)?;
        reader.context_specific::<Items<'m>>(TagNumber(1), TagMode::Implicit)?; // CRLs
        Ok(Self {
            content_type,
            content: content.map(|field| field.value.as_bytes().to_vec()),
            certificates: certificates.map(|items| items.0).unwrap_or_default(),
            signers: Items::decode(reader)?.0,
        })
    }
}

/// The members of a set, each as it stands there.
struct Items<'m>(Vec<&'m [u8]>);

impl FixedTag for Items<'_> {
    const TAG: Tag = Tag::Set;
}

impl<'m> DecodeValue<'m> for Items<'m> {
    type Error = der::Error;

    fn decode_value<R: Reader<'m>>(reader: &mut R, header: Header) -> Result<Self, der::Error> {
        let mut items = Vec::new();
        while !reader.is_finished() {
            if items.len() >= MAX_ITEMS {
                return Err(reader.error(ErrorKind::Length { tag: header.tag() }));
            }
            items.push(reader.tlv_bytes()?);
        }
        Ok(Self(items))
    }
}
