//! The policy engine's room: a folder of Rego and data becomes an immutable [`PolicySet`], a
//! thread makes itself a [`Worker`] from it, and a worker turns one input into one [`Verdict`] or
//! a [`Failure`], which denies.
//!
//! Order of reading: `set` (how a set comes to be), `gate` (what is refused by name), `worker`
//! (one evaluation; `bytecode` where that is faster and safe, `wasm` where OPA has compiled the policy), `verdict` (what counts as an answer), `store` (watching the folder). `documents` is beside that way: any document, for the
//! Data API; and `queries`: what callers write themselves, for whom that is allowed.
//!
//! What this is not: it opens no socket and knows nothing of HTTP. It reads the clock only to stop
//! a policy that runs too long.

mod bounded;
mod builtin_errors;
mod builtins;
mod bytecode;
pub mod capability;
mod coarse_clock;
mod corrected;
mod data;
mod deep_stack;
mod differences;
mod documents;
mod embedded;
mod engine_builtin;
mod engine_error;
mod evaluator;
pub mod footprint;
mod gate;
mod own_tests;
mod parse;
mod parts;
mod patch;
mod program;
mod queries;
mod reuse;
mod roots;
mod set;
mod settings;
mod shared;
mod source;
mod sources;
mod store;
mod time_limit;
mod value;
mod verdict;
mod wasm;
mod withheld;
mod worker;

#[cfg(test)]
mod loading_tests;
#[cfg(test)]
mod tests;

pub use builtin_errors::BuiltinErrors;
pub use bytecode::{EngineChoice, Interpreted, Obstacle};
pub use coarse_clock::{Quantum, QuantumError};
pub use deep_stack::{STACK_BYTES, on_deep_stack};
pub use differences::{disagreements, doubts};
pub use documents::{NoDocument, Reference};
pub use gate::{MAX_FRAMES, Refusal};
pub use own_tests::{Outcome, TestReport, TestResult, test_folder};
pub use parts::{Content, Part};
pub use patch::{Patch, PatchError};
pub use program::Numbers;
pub use queries::{Answered, Fault, MAX_QUERY_BYTES, NoAnswer, Queries};
/// The engine's value: what a policy is asked about, and what it answers.
pub use regorus::Value;
pub use roots::{Roots, RootsError};
pub use set::{LoadError, PolicySet};
pub use settings::PolicySettings;
pub use sources::{Module, ReadError, Sources};
pub use store::{PolicyState, PolicyStore, WatchError};
pub use value::{from_json, from_key};
pub use verdict::{Failure, Verdict};
pub use wasm::{CompiledPolicy, EntryPoint, EntryPointError, Unusable};
pub use withheld::Withheld;
pub use worker::Worker;
