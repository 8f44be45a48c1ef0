//! Base64url without padding (RFC 7515 section 2): one spelling per value.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use thiserror::Error;

/// Refuses padding, other alphabets, white space and trailing bits that are not zero, so that a
/// token has no second spelling with the same meaning.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// The text is not canonical unpadded base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not canonical unpadded base64url")]
pub struct Base64UrlError;

/// Decodes canonical unpadded base64url.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    STRICT.decode(text).map_err(|_| Base64UrlError)
}

/// Encodes as unpadded base64url.
pub fn encode(bytes: &[u8]) -> String {
    STRICT.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_spelling() {
        assert_eq!(decode("AQ"), Ok(vec![1]));
        for text in ["AQ==", "AR", "A Q", "AQ\n", "A", "+/", "AQ."] {
            assert_eq!(decode(text), Err(Base64UrlError), "{text:?}");
        }
    }
}
