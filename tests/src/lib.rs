//! The harness of the end-to-end tests and of the demo: real Envoy, the real filter, the real
//! PDP, an upstream that reports the bytes it was sent, and raw clients.
//!
//! It is not a test itself (those are in `tests/`), and it stands in for nothing of ours: the one
//! go-between, [`tap`], passes the filter's questions on to the PDP and keeps a copy.

pub mod built;
pub mod bundle_server;
pub mod ca;
pub mod demo;
pub mod envoy;
pub mod h2_raw;
pub mod https;
pub mod issuer;
pub mod keys;
pub mod kubernetes;
pub mod mint;
pub mod opa;
pub mod pdp;
pub mod policy_bundle;
pub mod process;
pub mod raw;
pub mod registry;
pub mod reply;
pub mod same;
pub mod setup;
pub mod small_disk;
pub mod stage;
pub mod store;
pub mod sts;
pub mod tap;
pub mod trust;
pub mod upstream;
pub mod wasm;

use std::sync::LazyLock;

/// The runtime that the upstream, the tap and the concurrent clients share. It lives as long as
/// the test process, so nothing started by one test ends with that test's thread.
pub fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a tokio runtime starts")
    });
    &RUNTIME
}
