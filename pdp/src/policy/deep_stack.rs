//! Threads with the stack that policies may need.
//!
//! What this is not: what keeps a policy within that stack, which is the gate's.

use std::thread;

use super::set::LoadError;

/// Stack a thread needs to evaluate what passes the gate (`gate::MAX_FRAMES`), in a build without optimisation too.
pub const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Runs `work` on a thread whose stack suffices for any policy that passes the gate.
pub fn on_deep_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LoadError> {
    thread::Builder::new()
        .name("policy-build".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map_err(LoadError::Thread)?
        .join()
        .map_err(|_| LoadError::Panicked)
}
