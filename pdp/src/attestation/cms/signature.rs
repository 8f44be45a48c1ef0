//! Which digests and signatures are taken, and the arithmetic.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use der::asn1::ObjectIdentifier;

use super::CmsRefusal;
use super::certificate::SignerKey;

/// Digests (RFC 5754 section 2).
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// RSA with PKCS #1 v1.5 (RFC 3370 section 3.2, RFC 5754 section 3.2).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
/// ECDSA (RFC 5754 section 3.3).
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// How one message was signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scheme {
    digest: Digest,
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Debug, Clone, Copy)]
enum Family {
    Rsa,
    Ecdsa,
}

impl Scheme {
    /// What the two names mean together; the signature's must not contradict the digest's.
    pub(super) fn of(
        digest: ObjectIdentifier,
        signature: ObjectIdentifier,
    ) -> Result<Self, CmsRefusal> {
        let digest = match digest {
            // Azure names the digest by the signature that is made of it.
            SHA256 | RSA_SHA256 => Digest::Sha256,
            SHA384 | RSA_SHA384 => Digest::Sha384,
            SHA512 | RSA_SHA512 => Digest::Sha512,
            _ => return Err(CmsRefusal::Algorithm),
        };
        let (family, of_signature) = match signature {
            RSA => (Family::Rsa, digest),
            RSA_SHA256 => (Family::Rsa, Digest::Sha256),
            RSA_SHA384 => (Family::Rsa, Digest::Sha384),
            RSA_SHA512 => (Family::Rsa, Digest::Sha512),
            ECDSA_SHA256 => (Family::Ecdsa, Digest::Sha256),
            ECDSA_SHA384 => (Family::Ecdsa, Digest::Sha384),
            _ => return Err(CmsRefusal::Algorithm),
        };
        if digest != of_signature {
            return Err(CmsRefusal::Algorithm);
        }
        Ok(Self { digest, family })
    }

    /// The digest of the content.
    pub(super) fn digest(self) -> &'static digest::Algorithm {
        match self.digest {
            Digest::Sha256 => &digest::SHA256,
            Digest::Sha384 => &digest::SHA384,
            Digest::Sha512 => &digest::SHA512,
        }
    }

    /// Checks `signature` over `signed`.
    pub(super) fn check(
        self,
        key: &SignerKey,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), CmsRefusal> {
        let (algorithm, key): (&'static dyn VerificationAlgorithm, &[u8]) =
            match (self.family, self.digest, key) {
                (Family::Rsa, Digest::Sha256, SignerKey::Rsa(key)) => {
                    (&RSA_PKCS1_2048_8192_SHA256, key)
                }
                (Family::Rsa, Digest::Sha384, SignerKey::Rsa(key)) => {
                    (&RSA_PKCS1_2048_8192_SHA384, key)
                }
                (Family::Rsa, Digest::Sha512, SignerKey::Rsa(key)) => {
                    (&RSA_PKCS1_2048_8192_SHA512, key)
                }
                (Family::Ecdsa, Digest::Sha256, SignerKey::P256(key)) => {
                    (&ECDSA_P256_SHA256_ASN1, key)
                }
                (Family::Ecdsa, Digest::Sha384, SignerKey::P384(key)) => {
                    (&ECDSA_P384_SHA384_ASN1, key)
                }
                _ => return Err(CmsRefusal::Algorithm),
            };
        UnparsedPublicKey::new(algorithm, key)
            .verify(signed, signature)
            .map_err(|_| CmsRefusal::Signature)
    }
}
