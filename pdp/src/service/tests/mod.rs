//! The service over real sockets: real policies, a real client that writes bytes.

mod atoms;
mod decisions;
mod evaluations;
mod ext_authz;
mod faults;
mod feed;
mod fixtures;
mod harness;
mod listeners;
mod opa;
mod operators;
mod pki;
mod projected;
mod reload;
mod revocations;
mod search;
mod throttle;
mod unknown_keys;
