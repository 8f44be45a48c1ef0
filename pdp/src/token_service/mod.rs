//! The token service: evidence of who a workload is in, a short-lived token of our own out.
//!
//! - [`keys`]: the keys that sign those tokens.
//!
//! What this is not: who a workload is (`crate::attestation`, `crate::workloads`), or the door where it
//! asks (`crate::service`).

pub mod keys;
