//! The machine under the run: what it is, which core a thread may use, and how much processor time
//! went to whom. Linux only: everything is read from /proc, and pinning is left to `taskset`.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;

/// The core of Envoy's worker, and of nothing else.
pub const WORKER_CORE: &str = "0";
/// The core of everything else: load, servers, Envoy's other threads.
pub const OTHER_CORE: &str = "1";

/// /proc counts in ticks of this length on every Linux we know (`getconf CLK_TCK` is 100).
const TICK: Duration = Duration::from_millis(10);

/// Allows the thread `tid` to run on `core` only.
pub fn pin(tid: u32, core: &str) -> Outcome<()> {
    let status = Command::new("taskset")
        .args(["-p", "-c", core, &tid.to_string()])
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("taskset cannot pin thread {tid}").into())
    }
}

/// Time that the scheduler gave a thread so far, in nanoseconds.
pub fn thread_run_time(pid: u32, tid: u32) -> Outcome<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat"))?;
    let first = text.split_whitespace().next().ok_or("an empty schedstat")?;
    Ok(first.parse()?)
}

/// How often this thread gave its processor away, to wait for a lock or for anything else: not when
/// another was put in its place. None where that cannot be read.
pub fn sleeps_of_this_thread() -> Option<u64> {
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

/// Memory of a process that is resident now, in bytes.
pub fn resident_bytes(pid: u32) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .ok_or("no VmRSS")?;
    let kibibytes: u64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
    Ok(kibibytes * 1024)
}

/// Processor time of the whole machine so far, interrupts left out.
pub fn machine_busy() -> Outcome<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let user_nice_system = stat.split_whitespace().skip(1).take(3);
    let ticks: u64 = user_nice_system
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Ok(TICK * u32::try_from(ticks).unwrap_or(u32::MAX))
}

/// Processor time of a process and of its children that ended.
pub fn process_busy(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold spaces: count from behind it.
    let after_name = stat.rsplit_once(')').ok_or("an unreadable stat")?.1;
    let own_and_children = after_name.split_whitespace().skip(11).take(4);
    let ticks: u64 = own_and_children
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Ok(TICK * u32::try_from(ticks).unwrap_or(u32::MAX))
}

/// What a reader needs to judge the numbers: processor, cores, kernel.
pub fn describe() -> Value {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    json!({
        "processor": model,
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "memory": fs::read_to_string("/proc/meminfo").unwrap_or_default().lines().next()
            .map(|line| line.trim_start_matches("MemTotal:").trim()),
    })
}

/// The first line that a command prints, or `unknown`: for version numbers.
pub fn first_line_of(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let text = output.map_or(Vec::new(), |out| [out.stdout, out.stderr].concat());
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("unknown")
        .to_owned()
}
