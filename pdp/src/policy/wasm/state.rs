//! What the host knows of one instance: what it may use, what it is doing, and what went wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regorus::Value;
use wasmtime::{Memory, ResourceLimiter};

use super::abi::Exports;
use super::host::HostBuiltin;
use super::module::MAX_TABLE;
use crate::policy::builtin_errors::BuiltinErrors;

/// Built-ins by the numbers that a module gives them.
pub(super) type Table = BTreeMap<i32, HostBuiltin>;

/// One instance, to its host.
pub(super) struct State {
    pub(super) table: Arc<Table>,
    /// None until it is made.
    pub(super) memory: Option<Memory>,
    /// None until it has been started.
    pub(super) exports: Option<Exports>,
    /// Bytes of memory it may have.
    pub(super) max_memory: usize,
    /// Until when it may run.
    pub(super) deadline: Instant,
    /// What time it is to the policy, in nanoseconds since 1970.
    pub(super) now: u64,
    pub(super) errors: BuiltinErrors,
    /// What it said when it gave up.
    pub(super) aborted: Option<String>,
    /// The first built-in that failed.
    pub(super) failed: Option<String>,
    pub(super) ran_out_of: Option<RanOut>,
    /// What built-ins said that are to say the same again.
    pub(super) kept: BTreeMap<(i32, Vec<Value>), Value>,
}

/// Of what there was not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RanOut {
    Time,
    Memory,
}

impl State {
    /// Of an instance that may take so much memory, and must be made until `deadline`.
    pub(super) fn new(table: Arc<Table>, max_memory: usize, deadline: Instant) -> Self {
        Self {
            table,
            memory: None,
            exports: None,
            max_memory,
            deadline,
            now: 0,
            errors: BuiltinErrors::Fail,
            aborted: None,
            failed: None,
            ran_out_of: None,
            kept: BTreeMap::new(),
        }
    }

    /// Begins an evaluation.
    pub(super) fn begin(&mut self, time: Duration, now: u64, errors: BuiltinErrors) {
        self.deadline = Instant::now() + time;
        self.now = now;
        self.errors = errors;
        self.aborted = None;
        self.failed = None;
        self.ran_out_of = None;
        self.kept.clear();
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        let may = desired <= self.max_memory;
        if !may {
            self.ran_out_of = Some(RanOut::Memory);
        }
        Ok(may)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        let may = desired <= MAX_TABLE;
        if !may {
            self.ran_out_of = Some(RanOut::Memory);
        }
        Ok(may)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        4
    }

    fn memories(&self) -> usize {
        1
    }
}
