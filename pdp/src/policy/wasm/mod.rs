//! Policies that OPA compiled to WebAssembly (`policy.wasm` in a bundle): the second engine, for the entry
//! points that a bundle's manifest gives it.
//!
//! A module is a sandbox of its own: it is translated once (`module`), each worker has an instance
//! (`instance`) with the data files in its memory, and what it may ask of us is a short list (`imports`,
//! `host`). It is bounded in time (`epochs`) and memory (`state`). What it can read cannot be found by looking at
//! it: that is all of the input, or what the manifest declares (`entry_point`). A declaration that leaves
//! something out is no danger: the policy sees no more than what is declared.
//!
//! Order of reading: `abi`, `module`, `instance`, `compiled` (the modules of a policy set), `workers` (those of
//! a worker).
//!
//! What this is not: a compiler. `opa build -t wasm` is; what becomes of failing built-ins that it compiled
//! in is OPA's to say (undefined), only for those of the host is it ours (`host`).

mod abi;
mod compiled;
mod entry_point;
mod epochs;
mod host;
mod imports;
mod instance;
mod memory;
mod module;
mod seat;
mod state;
mod text;
mod unusable;
mod workers;

#[cfg(test)]
mod tests;

pub use entry_point::{CompiledPolicy, EntryPoint, EntryPointError};
pub use unusable::Unusable;

pub(super) use compiled::{Compiled, Found};
#[cfg(test)]
pub(super) use host::HostBuiltin;
pub(super) use instance::Asked;
pub(super) use workers::{Instances, Usual};
