//! Edgeward's proxy-wasm filter: verifies which workload sends a request, asks the PDP what it may
//! do, and forwards or refuses.
//!
//! Read it in this order: [`config`] and [`routes`] (what the operator wrote), [`exchange`] (one
//! request: events in, steps out), [`identify`] (who asks), [`memory`] (tokens seen), [`revoked`]
//! (what is taken back), [`caching`] and [`cache`] (decisions remembered), [`flight`], [`batch`] and [`waiting`] (who
//! waits for another's answer, and what is asked together), [`outcome`] (what becomes of it), [`feed`] (whom to believe), [`wanted`] (which
//! keys it lacks), [`reply`] (what a refused caller gets). None of these does I/O. `host` is the only
//! file that names a host call; `root` and `http` carry callbacks to the machine and steps back.
//!
//! INVARIANT: a request is only continued by [`step::Step::Forward`], and that step is only
//! made from a decision that allows or from a route that asks for none.

mod asked;
pub mod batch;
pub mod cache;
pub mod caching;
pub mod caller;
pub mod config;
pub mod exchange;
pub mod feed;
pub mod flight;
mod hashed;
mod host;
mod http;
pub mod identify;
pub mod intake;
pub mod memory;
pub mod outcome;
mod question;
pub mod reply;
pub mod revoked;
mod root;
pub mod routes;
pub mod signature;
pub mod stats;
pub mod step;
pub mod waiting;
pub mod wanted;
pub mod worker;

/// The entry point of the module: what Envoy calls first in every VM.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(crate::root::Root::default()));
    }}
}
