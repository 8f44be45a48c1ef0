//! Signature arithmetic of the PDP, on aws-lc-rs, and what certificates say.
//!
//! - [`PeerCertificate`]: what a client's certificate says of it.
//! - [`AwsLc`]: checks signatures of all ten algorithms; passed to `edgeward_core::token::verify`.
//! - [`jwk_of_pem`]: a public key or certificate in PEM as a JWK.
//! - `AwsScope`: signs requests to AWS and its like.
//! - [`X509Svid`]: what a certificate must be to name a workload.
//! - [`Signer`]: makes development keys and tokens for `edgeward token mint`, the demo and tests.
//!
//! What this is not: a judge of tokens. Which key and algorithm may be used is decided in
//! `edgeward_core` before anything here is called.

mod aws_request;
mod check;
mod peer_certificate;
mod pkcs8;
mod public_pem;
mod sign;
mod x509_svid;

#[cfg(test)]
mod tests;

pub(crate) use aws_request::AwsScope;
pub use check::AwsLc;
pub use peer_certificate::PeerCertificate;
pub use public_pem::{PemKeyError, jwk_of_pem};
pub(crate) use sign::sign_rsa;
pub use sign::{KeyPurpose, Signer, SignerError};
pub use x509_svid::{SvidError, X509Svid, check_x509_svid};
