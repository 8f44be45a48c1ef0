//! From a bearer token to a verified workload.
//!
//! - [`Trust`]: whom we believe, with which keys, under which [`TokenRules`].
//! - [`verify`]: token, trust, time and a signature check in; [`VerifiedToken`] or
//!   [`TokenRefusal`] out. The same code in the filter and in the PDP.
//!
//! What this is not: key fetching (the PDP's) or memory of tokens seen (the filter's).

mod claims;
mod rules;
mod trust;
mod verify;

#[cfg(test)]
mod tests;

pub use claims::{Binding, Claims, ClaimsError};
pub use rules::{
    Audiences, DEFAULT_LEEWAY, DEFAULT_MAX_LIFETIME, RulesError, TokenRules, TokenType,
};
pub use trust::{Issuer, IssuerError, IssuerTrust, KeyOwner, MissingKey, Trust, TrustDomainTrust};
pub use verify::{Profile, Subject, TokenRefusal, VerifiedToken, verify};
