//! The workload's side of attestation: finds the platform that vouches for this process, fetches its
//! evidence, exchanges it at a token service for a token, and keeps that fresh.
//!
//! Order of reading: [`platform`] (which there are, and in which order they are tried), a file for each
//! (`github`, `aws` …), [`exchange`] (evidence → token), [`attestor`] (all of it, again and again),
//! [`keep`] (when), [`token_file`] and [`socket`] (where it is to be had).
//!
//! INVARIANT: evidence, keys and tokens are in no log, no error and no `Debug` output.
//!
//! What this is not: a judge of evidence; that is the server's (`crate::attestation`).

pub(crate) mod attestor;
mod aws;
mod azure;
mod ci_tokens;
pub(crate) mod evidence;
pub(crate) mod exchange;
mod gcp;
mod github;
pub(crate) mod keep;
mod kubernetes;
mod metadata;
pub(crate) mod platform;
pub(crate) mod probe;
pub(crate) mod socket;
mod spiffe;
pub(crate) mod token_file;
pub(crate) mod variables;

#[cfg(test)]
mod tests;
