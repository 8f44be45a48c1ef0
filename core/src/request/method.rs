//! The request method: upper-case letters and dashes, so that no back end has a case to fold.

use thiserror::Error;

const MAX_METHOD_BYTES: usize = 32;

/// The method is not one that Edgeward decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("method is not 1 to {MAX_METHOD_BYTES} upper-case letters or dashes, or is CONNECT")]
pub struct MethodRefusal;

/// A method such as `GET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method(String);

impl Method {
    /// Refuses lower case (`get` is another method than `GET`, but not to every back end) and
    /// `CONNECT`, which has no path to decide on.
    pub fn parse(text: &str) -> Result<Self, MethodRefusal> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
        let length = (1..=MAX_METHOD_BYTES).contains(&text.len());
        if !length || !text.bytes().all(allowed) || text == "CONNECT" {
            return Err(MethodRefusal);
        }
        Ok(Self(text.to_owned()))
    }

    /// The method as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
