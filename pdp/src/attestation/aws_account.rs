//! The number of an AWS account.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Twelve digits. Names of roles and instances mean something only within one account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AwsAccount(String);

/// The text is no account number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "an AWS account is twelve digits, as text (YAML reads `012345678901` as a number: quote it)"
)]
pub struct AwsAccountError;

impl AwsAccount {
    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AwsAccount {
    type Err = AwsAccountError;

    fn from_str(text: &str) -> Result<Self, AwsAccountError> {
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AwsAccountError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for AwsAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
