//! Time that the scheduler gave this thread, for criterion: what it took away does not count.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter};
use edgeward_benches::machine;

/// Nanoseconds of this thread on a processor.
pub(crate) struct CpuTime {
    process: u32,
    thread: u32,
}

impl CpuTime {
    /// Of the thread that calls.
    pub(crate) fn new() -> Self {
        let thread = std::fs::read_link("/proc/thread-self").ok();
        let number = thread.and_then(|path| path.file_name()?.to_str()?.parse().ok());
        Self {
            process: std::process::id(),
            thread: number.unwrap_or_default(),
        }
    }

    /// How long this thread has run.
    pub(crate) fn now(&self) -> u64 {
        // A time that cannot be read shows as no time at all.
        machine::thread_run_time(self.process, self.thread).unwrap_or_default()
    }
}

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = u64;

    fn start(&self) -> u64 {
        self.now()
    }

    fn end(&self, started: u64) -> u64 {
        self.now() - started
    }

    fn add(&self, one: &u64, other: &u64) -> u64 {
        one + other
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, value: &u64) -> f64 {
        edgeward_benches::load::as_f64(*value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Nanoseconds
    }
}

struct Nanoseconds;

impl ValueFormatter for Nanoseconds {
    fn scale_values(&self, _: f64, _: &mut [f64]) -> &'static str {
        "ns of processor time"
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, _: &mut [f64]) -> &'static str {
        "ns of processor time"
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "ns"
    }
}
