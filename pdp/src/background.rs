//! Threads for work that takes long, such as making policies ready: they give way to those that answer.
//!
//! What this is not: a pool. What has to be quick, or on the disk before somebody is answered, is no work
//! for here.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// How much they give way: of a core that is wanted, they get about a tenth.
const NICENESS: i32 = 10;

/// Does `work` on a thread called `name`, which gives way; what it gives arrives, unless it panics.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            give_way();
            let _ = sender.send(work());
        })?;
    Ok(receiver)
}

/// Makes this thread, and those that it starts from now on, give way to others.
pub(crate) fn give_way() {
    // Of the calling thread alone: so Linux has it. Where it cannot be, all work is as urgent.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "a thread cannot give way");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn niceness() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    #[test]
    fn a_thread_gives_way_with_those_it_starts_and_no_other_does() {
        let before = niceness();
        let inside = || (niceness(), thread::spawn(niceness).join().unwrap());
        let seen = spawn("test", inside).unwrap().blocking_recv().unwrap();
        assert_eq!(seen, (NICENESS.max(before), NICENESS.max(before)));
        assert_eq!(niceness(), before);
        assert!(
            spawn("test", || panic!("expected"))
                .unwrap()
                .blocking_recv()
                .is_err()
        );
    }
}
