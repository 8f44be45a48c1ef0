//! Edgeward's policy decision point: the service and the command line.
//!
//! The rooms, in the order in which a start-up meets them:
//! - [`cli`]: arguments in, exit code out;
//! - [`config`]: one YAML file → checked values;
//! - [`fetch`]: a document over https, trusting nothing;
//! - [`keys`]: the keys of issuers and trust domains, fetched and kept fresh;
//! - [`bundle`]: policy bundles, fetched, checked and put in force;
//! - [`policy`]: Rego and data → a decision;
//! - [`atoms`]: the small values that policies are told in place of large ones;
//! - [`cache`]: decisions remembered;
//! - [`revocation`]: what is taken back before its time, kept on disk;
//! - [`workloads`]: attested attributes → a client workload;
//! - [`service`]: sockets in, decisions out;
//! - `client`, `attest`: what subcommands use on the other side: a call to a running PDP, and a workload's
//!   evidence for a token of its own;
//! - [`crypto`]: the signature arithmetic.
//!
//! What this is not: the rules of identity, requests and decisions; those are `edgeward_core`'s,
//! shared with the filter. Nothing here knows proxy-wasm.

pub mod atoms;
mod attest;
pub mod attestation;
mod background;
pub mod bundle;
pub mod cache;
pub mod cli;
mod client;
pub mod config;
pub mod crypto;
pub mod fetch;
pub mod inventory;
pub mod keys;
#[cfg(test)]
mod opa_program;
pub mod policy;
pub mod revocation;
pub mod service;
pub mod token_service;
mod whole_file;
pub mod workloads;
