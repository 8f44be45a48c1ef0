//! Header field values: text that a policy can read, or a refusal.

use thiserror::Error;

/// A header field that has no text form: the policy would see something else than the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a header value is not UTF-8 or has a control character")]
pub struct FieldRefusal;

/// Reads a field value as text. Tabs are allowed (RFC 9110 section 5.5), other controls are not.
pub fn field_value(bytes: &[u8]) -> Result<&str, FieldRefusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| FieldRefusal)?;
    if text
        .bytes()
        .any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f)
    {
        return Err(FieldRefusal);
    }
    Ok(text)
}
