//! Measures Edgeward beside its rivals, in one run of one real Envoy. The driver is `bin/edge.rs`;
//! here are its parts, in the order in which it uses them.
//!
//! This is not a test: what a variant answers is checked before it is measured (a filter that
//! refuses everything would be fast), but what must hold is in `tests/`. Only loopback is loaded.

pub mod config;
pub mod documents;
pub mod edgeward;
pub mod envoy;
pub mod lines;
pub mod load;
pub mod machine;
pub mod memory;
pub mod options;
pub mod ready;
pub mod report;
pub mod rivals;
pub mod rounds;
pub mod servers;
pub mod standing;
pub mod statistics;
pub mod tokens;
pub mod variant;

/// What every step of the driver returns: it runs by hand, so an error is a text for its reader.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
