//! What a token must be like, per issuer or trust domain. Every rule has a safe default but the
//! audience, which only the operator knows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::jose::Algorithm;
use crate::members::{MemberError, Members};

/// The default for [`TokenRules::leeway`], in seconds.
pub const DEFAULT_LEEWAY: u64 = 60;
/// The default for [`TokenRules::max_lifetime`], in seconds: a day.
pub const DEFAULT_MAX_LIFETIME: u64 = 24 * 60 * 60;

/// Why rules cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RulesError {
    /// No audience: every token of that issuer would be ours.
    #[error("must name at least one audience, and none of them empty")]
    NoAudience,
    /// No algorithm: nothing would verify.
    #[error("must name at least one algorithm")]
    NoAlgorithm,
    /// No token type: nothing would verify.
    #[error("must name at least one token type")]
    NoTokenType,
    /// `EdDSA` for a trust domain (JWT-SVID.md section 2.1).
    #[error("EdDSA is not a JWT-SVID algorithm")]
    NotForSvid,
    /// A `typ` for a trust domain other than JWT, JOSE or absent (JWT-SVID.md section 2.3).
    #[error("a JWT-SVID's type is `JWT`, `JOSE` or absent")]
    TypeNotForSvid,
}

/// The names under which we are addressed: never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Audiences(Vec<String>);

impl Audiences {
    /// Whether `name` is one of ours, byte for byte.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|ours| ours == name)
    }
}

impl TryFrom<Vec<String>> for Audiences {
    type Error = RulesError;

    fn try_from(names: Vec<String>) -> Result<Self, RulesError> {
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err(RulesError::NoAudience);
        }
        Ok(Self(names))
    }
}

impl From<Audiences> for Vec<String> {
    fn from(audiences: Audiences) -> Self {
        audiences.0
    }
}

/// A value of the `typ` header as an allow-list has it: lower case, without the `application/`
/// prefix that may be left out (RFC 7515 section 4.1.9); `absent` stands for no `typ` at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct TokenType(String);

impl TokenType {
    const ABSENT: &str = "absent";

    /// The type of a header; `None` is a header without `typ`.
    pub fn of_header(typ: Option<&str>) -> Self {
        let Some(typ) = typ else {
            return Self(Self::ABSENT.to_owned());
        };
        let lower = typ.to_ascii_lowercase();
        match lower.strip_prefix("application/").unwrap_or(&lower) {
            // A header that spells the word out must not pass as a header without `typ`.
            Self::ABSENT => Self(format!("application/{}", Self::ABSENT)),
            // The prefix is only left out where no other slash is in the value.
            short if !short.contains('/') => Self(short.to_owned()),
            _ => Self(lower),
        }
    }

    fn is_for_svid(&self) -> bool {
        matches!(self.0.as_str(), "jwt" | "jose" | Self::ABSENT)
    }
}

impl FromStr for TokenType {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(if name == Self::ABSENT {
            Self(name.to_owned())
        } else {
            Self::of_header(Some(name))
        })
    }
}

impl From<String> for TokenType {
    fn from(name: String) -> Self {
        match name.parse() {
            Ok(parsed) => parsed,
        }
    }
}

impl From<TokenType> for String {
    fn from(token_type: TokenType) -> Self {
        token_type.0
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tokens of one issuer or trust domain must be like. Shapes on the wire (sync feed) are the
/// same as here; durations are whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenRules {
    /// `aud` must name at least one of these.
    pub audiences: Audiences,
    /// Algorithms accepted; the key must fit as well.
    pub algorithms: Vec<Algorithm>,
    /// Values of `typ` accepted.
    pub types: Vec<TokenType>,
    /// How far clocks may disagree, in seconds; zero is allowed.
    pub leeway: u64,
    /// The longest time a token may live, from `iat` (else `nbf`, else now) to `exp`, in seconds.
    pub max_lifetime: u64,
}

impl TokenRules {
    /// Defaults for an OpenID Connect or other JWT issuer.
    pub fn for_issuer(audiences: Audiences) -> Self {
        Self {
            audiences,
            algorithms: Algorithm::ALL.to_vec(),
            types: token_types(["jwt", "at+jwt", TokenType::ABSENT]),
            leeway: DEFAULT_LEEWAY,
            max_lifetime: DEFAULT_MAX_LIFETIME,
        }
    }

    /// Defaults for a SPIFFE trust domain's JWT-SVIDs.
    pub fn for_trust_domain(audiences: Audiences) -> Self {
        Self {
            algorithms: Algorithm::JWT_SVID.to_vec(),
            types: token_types(["jwt", "jose", TokenType::ABSENT]),
            ..Self::for_issuer(audiences)
        }
    }

    /// Reads rules as they are serialised here.
    pub(crate) fn read(mut members: Members) -> Result<Self, MemberError> {
        let audiences: Vec<String> = members.list("audiences")?.unwrap_or_default();
        let rules = Self {
            audiences: audiences
                .try_into()
                .map_err(|error| members.error("audiences", error))?,
            algorithms: members.list("algorithms")?.unwrap_or_default(),
            types: members.list("types")?.unwrap_or_default(),
            leeway: members.required_number("leeway")?,
            max_lifetime: members.required_number("max_lifetime")?,
        };
        members.finish()?;
        Ok(rules)
    }

    /// Refuses rules under which nothing, or anything, would pass.
    pub fn checked(self) -> Result<Self, RulesError> {
        if self.algorithms.is_empty() {
            return Err(RulesError::NoAlgorithm);
        }
        if self.types.is_empty() {
            return Err(RulesError::NoTokenType);
        }
        Ok(self)
    }

    /// As [`Self::checked`], and within what the JWT-SVID standard allows.
    pub fn checked_for_svid(self) -> Result<Self, RulesError> {
        let rules = self.checked()?;
        if rules.algorithms.contains(&Algorithm::EdDsa) {
            return Err(RulesError::NotForSvid);
        }
        if !rules.types.iter().all(TokenType::is_for_svid) {
            return Err(RulesError::TypeNotForSvid);
        }
        Ok(rules)
    }
}

fn token_types<const N: usize>(names: [&str; N]) -> Vec<TokenType> {
    names
        .into_iter()
        .map(|name| TokenType(name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_spells_absent_is_never_one_without_a_type_and_types_survive_writing() {
        let absent = TokenType::of_header(None);
        for typ in [
            "absent",
            "Absent",
            "application/absent",
            "APPLICATION/Absent",
        ] {
            let spelt = TokenType::of_header(Some(typ));
            assert_ne!(spelt, absent, "{typ}");
            assert_eq!(TokenType::from(String::from(spelt.clone())), spelt, "{typ}");
        }
        assert_eq!(TokenType::from(String::from(absent.clone())), absent);
        let access = TokenType::of_header(Some("application/AT+JWT"));
        assert_eq!(access, TokenType::of_header(Some("at+jwt")));
    }
}
