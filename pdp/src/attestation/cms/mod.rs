//! Signed messages of platforms: CMS `SignedData` (RFC 5652), also called PKCS #7.
//!
//! `Message::read` takes the message apart, `Message::verify` gives its content, and there is no
//! other way to that: what was not signed cannot be read. One signer exactly, whose certificate is
//! found by the name that the signer gives itself, never by its place in the message.
//!
//! Order of reading: `read` (bytes), `certificate` (who may have signed), `attributes` (what a
//! signature is over), `signature` (arithmetic), `chain` (who vouches for a certificate).
//!
//! What this is not: a reader of encrypted, detached or nested messages, of CRLs or of unsigned
//! attributes, which are stepped over; or a judge of what the content says.

mod attributes;
mod certificate;
mod chain;
mod read;
mod signature;

#[cfg(test)]
pub(super) mod test_messages;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

pub use self::certificate::{SignerCertificate, SignerCertificateError};
pub use self::chain::{Authorities, AuthoritiesError, ChainRefusal};
pub(super) use self::read::Message;

/// The longest message, in bytes. Azure's, with a certificate in it, has three thousand.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;
/// The most certificates in one message.
pub const MAX_CERTIFICATES: usize = 8;

/// Why a signed message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CmsRefusal {
    /// Longer than [`MAX_MESSAGE_BYTES`].
    #[error("signed message is longer than {MAX_MESSAGE_BYTES} bytes")]
    TooLong,
    /// Not base64 of one BER value with the shape of RFC 5652 section 5.1, or more certificates than
    /// [`MAX_CERTIFICATES`].
    #[error("signed message cannot be read as CMS in base64")]
    Unreadable,
    /// Not signed data, or signed data around something else than plain bytes.
    #[error("message is not signed data around plain bytes")]
    Type,
    /// The signature is over something that is not in the message.
    #[error("signed message has no content")]
    ContentMissing,
    /// No signer, or more than one.
    #[error("message has {0} signers, not one")]
    Signers(usize),
    /// No certificate that may have signed has the signer's issuer and serial number, or key identifier.
    #[error("the signer's certificate is not among those that may have signed")]
    SignerUnknown,
    /// Two different certificates are named as the signer names itself.
    #[error("more than one certificate is named as the signer's")]
    SignerAmbiguous,
    /// A digest or signature that is not taken: SHA-1 and DSA are not, nor keys below 2048 bits.
    #[error("digest, signature or key of the signer is of a kind that is not taken")]
    Algorithm,
    /// Signed attributes without content type or digest, with one of them twice or of a wrong form.
    #[error("signed attributes are not as they must be")]
    Attributes,
    /// What was signed is the digest of another content.
    #[error("content is not the one whose digest was signed")]
    Digest,
    /// The signature does not verify.
    #[error("signature does not verify")]
    Signature,
}

impl CmsRefusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "evidence-message-too-long",
            Self::Unreadable => "evidence-message-unreadable",
            Self::Type => "evidence-message-type",
            Self::ContentMissing => "evidence-message-content-missing",
            Self::Signers(_) => "evidence-message-signers",
            Self::SignerUnknown => "evidence-signer-unknown",
            Self::SignerAmbiguous => "evidence-signer-ambiguous",
            Self::Algorithm => "evidence-algorithm-unsupported",
            Self::Attributes => "evidence-message-attributes",
            Self::Digest => "evidence-digest-mismatch",
            Self::Signature => "evidence-signature-invalid",
        }
    }
}

impl From<der::Error> for CmsRefusal {
    fn from(_: der::Error) -> Self {
        Self::Unreadable
    }
}

/// The bytes of a message in base64, as metadata services give it: in lines, or in one.
pub(super) fn bytes_of(text: &str) -> Result<Vec<u8>, CmsRefusal> {
    // A quarter is lost in base64, and a little in line breaks.
    if text.len() > MAX_MESSAGE_BYTES * 3 / 2 {
        return Err(CmsRefusal::TooLong);
    }
    let one_line: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    STANDARD
        .decode(one_line)
        .map_err(|_| CmsRefusal::Unreadable)
}
