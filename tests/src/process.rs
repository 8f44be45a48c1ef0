//! Child processes that never outlive the test run, however it ends.
//!
//! Two hazards meet here. Envoy asks the kernel to be ended when the *thread* that spawned it
//! ends (`PR_SET_PDEATHSIG`), so every child is spawned by one thread that lives as long as the
//! process. Other children make no such request, so each gets a guardian: a shell that waits on a
//! pipe from us and kills the child when that pipe closes without a word.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

type Order = (Command, mpsc::Sender<io::Result<Child>>);

static KEEPER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
    let (orders, received) = mpsc::channel::<Order>();
    std::thread::Builder::new()
        .name("spawner".into())
        .spawn(move || {
            for (mut command, answer) in received {
                let _ = answer.send(command.spawn());
            }
        })
        .expect("a thread starts");
    orders
});

/// A running child, its log and its guardian. Dropping it kills the child.
#[derive(Debug)]
pub struct Process {
    child: Child,
    guardian: Child,
    leash: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with both output streams in the file `log`.
    ///
    /// # Errors
    /// What the system says when the program cannot be started.
    pub fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        let out = File::create(log)?;
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out);
        let child = spawn(command)?;
        let mut guard = Command::new("sh");
        guard
            .args([
                "-c",
                r#"read -r word || kill -9 "$1" 2>/dev/null"#,
                "guardian",
            ])
            .arg(child.id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut guardian = spawn(guard)?;
        let leash = guardian.stdin.take();
        Ok(Self {
            child,
            guardian,
            leash,
            log: log.to_owned(),
        })
    }

    /// The child's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that the child has written so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether the child still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends `signal` (a name such as `TERM` or `STOP`).
    pub fn signal(&self, signal: &str) {
        let _ = Command::new("sh")
            .args(["-c", r#"kill -s "$1" "$2""#, "signal", signal])
            .arg(self.id().to_string())
            .status();
    }

    /// Whether every thread of the child stands still. A `STOP` that was sent has not yet arrived
    /// at threads that run on another core.
    pub fn is_stopped(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id()));
        let stands = |task: io::Result<std::fs::DirEntry>| {
            let status = task.and_then(|task| std::fs::read_to_string(task.path().join("status")));
            status.is_ok_and(|status| status.contains("\nState:\tT"))
        };
        tasks.is_ok_and(|mut tasks| tasks.all(stands))
    }

    /// Waits until the child has ended by itself; `false` when `patience` ran out first.
    pub fn ended_within(&mut self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while self.is_running() {
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// Kills the child and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(mut leash) = self.leash.take() {
            let _ = leash.write_all(b"released\n");
        }
        let _ = self.guardian.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(command: Command) -> io::Result<Child> {
    let (answer, answered) = mpsc::channel();
    KEEPER
        .send((command, answer))
        .map_err(|_| io::Error::other("the spawning thread is gone"))?;
    answered
        .recv()
        .map_err(|_| io::Error::other("the spawning thread is gone"))?
}

/// Calls `probe` every 20 ms until it gives a value, for at most `patience`.
pub fn wait_for<T>(patience: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
