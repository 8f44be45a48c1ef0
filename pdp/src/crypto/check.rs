//! Checks one signature with one key. ECDSA signatures are the fixed-length `r || s` of RFC 7518
//! section 3.4, never DER; PSS salts are as long as the digest (section 3.5).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use edgeward_core::jose::{Algorithm, BadSignature, KeyMaterial, PublicKey, SignatureCheck};

/// The signature check of the PDP. Points off the curve, `r` or `s` of zero or beyond the order and
/// keys outside 2048 to 8192 bits do not verify.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsLc;

impl SignatureCheck for AwsLc {
    fn check(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        // The trait promises that the algorithm fits; a caller who breaks that gets a refusal.
        if !key.may_verify(algorithm) {
            return Err(BadSignature);
        }
        match (key.material(), scheme(algorithm)) {
            (KeyMaterial::Rsa { modulus, exponent }, Scheme::Rsa(parameters)) => {
                RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                }
                .verify(parameters, signed, signature)
                .map_err(|_| BadSignature)
            }
            (KeyMaterial::Ec { point, .. }, Scheme::Other(check)) => {
                verify(check, point, signed, signature)
            }
            (KeyMaterial::Ed25519(key), Scheme::Other(check)) => {
                verify(check, key, signed, signature)
            }
            _ => Err(BadSignature),
        }
    }
}

enum Scheme {
    Rsa(&'static RsaParameters),
    Other(&'static dyn VerificationAlgorithm),
}

fn scheme(algorithm: Algorithm) -> Scheme {
    match algorithm {
        Algorithm::Rs256 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Scheme::Rsa(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => Scheme::Other(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Scheme::Other(&ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Scheme::Other(&ECDSA_P521_SHA512_FIXED),
        Algorithm::EdDsa => Scheme::Other(&ED25519),
    }
}

fn verify(
    check: &'static dyn VerificationAlgorithm,
    key: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Result<(), BadSignature> {
    UnparsedPublicKey::new(check, key)
        .verify(signed, signature)
        .map_err(|_| BadSignature)
}
