//! The ticks by which a compiled policy is interrupted: at each of them it looks at the time.
//!
//! One thread for all engines, which ends with the last of them.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How much longer than its limit an evaluation may run.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// The engines that are ticked; a thread does so as long as there is one.
static TICKED: Mutex<Vec<EngineWeak>> = Mutex::new(Vec::new());

/// Ticks for as long as `engine` is used.
pub(super) fn tick(engine: &Engine) -> io::Result<()> {
    let mut ticked = TICKED.lock().unwrap_or_else(PoisonError::into_inner);
    if ticked.is_empty() {
        thread::Builder::new()
            .name("policy-epochs".to_owned())
            .spawn(tick_all)?;
    }
    ticked.push(engine.weak());
    Ok(())
}

fn tick_all() {
    loop {
        {
            let mut ticked = TICKED.lock().unwrap_or_else(PoisonError::into_inner);
            ticked.retain(|engine| match engine.upgrade() {
                Some(engine) => {
                    engine.increment_epoch();
                    true
                }
                None => false,
            });
            if ticked.is_empty() {
                return;
            }
        }
        thread::sleep(TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tickers() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim() == "policy-epochs").count()
    }

    #[test]
    fn many_engines_are_ticked_by_one_thread() {
        let engines: Vec<Engine> = (0..20).map(|_| Engine::default()).collect();
        for engine in &engines {
            tick(engine).unwrap();
        }
        thread::sleep(TICK * 4);
        assert_eq!(tickers(), 1);
    }
}
