//! The ticks by which a compiled policy is interrupted: at each of them it looks at the time.
//!
//! One thread for each engine, which ends with it.

use std::io;
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// How much longer than its limit an evaluation may run.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Ticks for as long as `engine` is used.
pub(super) fn tick(engine: &Engine) -> io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("policy-epochs".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .map(drop)
}
