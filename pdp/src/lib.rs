//! Edgeward's policy decision point: the service and the command line.

pub mod cli;
pub mod config;
pub mod crypto;
pub mod keys;
pub mod policy;
