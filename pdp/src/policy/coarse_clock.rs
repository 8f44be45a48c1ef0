//! The time of day as policies see it: `time.now_ns()` is the instant of the question, in steps.
//!
//! A policy that reads the clock itself would decide anew each nanosecond. Given a clock that stands
//! still for a *quantum*, its answer holds until the quantum ends. The instant is given by whoever asks:
//! the one that `context.time` tells, so that a policy never sees two times in one question.
//!
//! What this is not: a clock. It shows what it was set to.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use regorus::{Engine, Value};
use thiserror::Error;

use super::builtin_errors::BuiltinErrors;
use super::builtins;
use super::set::LoadError;

const NANOSECONDS: u64 = 1_000_000_000;

/// How long the clock of a policy stands still: whole seconds, for the instants of questions and
/// premises are; a minute at the most, for what a policy ends at an instant ends as much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantum(NonZeroU64);

/// The duration is no [`Quantum`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "must be whole seconds, `1s` to `60s`, or `0s`: a shorter step than the clock of questions has cannot \
     be told, and a longer one lets what ends at an instant live on; with `0s` answers of policies \
     that read the clock are not remembered"
)]
pub struct QuantumError;

impl Quantum {
    /// A second.
    pub const SECOND: Self = Self(NonZeroU64::MIN);

    /// A quantum of this length; none where it is zero.
    pub fn of(length: Duration) -> Result<Option<Self>, QuantumError> {
        if length.subsec_nanos() != 0 || length > Duration::from_mins(1) {
            return Err(QuantumError);
        }
        Ok(NonZeroU64::new(length.as_secs()).map(Self))
    }

    /// How long it is, in seconds.
    pub fn seconds(self) -> u64 {
        self.0.get()
    }

    /// When the quantum of `now` began: what the policy is told.
    pub fn start(self, now: UnixSeconds) -> UnixSeconds {
        UnixSeconds(now.0 - now.0 % self.0)
    }

    /// When it ends.
    pub fn end(self, now: UnixSeconds) -> UnixSeconds {
        self.start(now).plus(self.0.get())
    }
}

/// The clock of one engine.
#[derive(Clone, Debug)]
pub(super) struct CoarseClock {
    quantum: Quantum,
    nanoseconds: Arc<AtomicU64>,
}

impl CoarseClock {
    /// Puts a clock into `engine`, before its own.
    pub(super) fn install(
        engine: &mut Engine,
        quantum: Quantum,
        errors: BuiltinErrors,
    ) -> Result<Self, LoadError> {
        let nanoseconds = Arc::new(AtomicU64::new(0));
        let shown = nanoseconds.clone();
        engine
            .add_extension(
                "time.now_ns".to_owned(),
                0,
                Box::new(move |_: Vec<Value>| Ok(Value::from(shown.load(Ordering::Relaxed)))),
            )
            .map_err(|error| LoadError::engine(&error))?;
        builtins::install_clock(engine, builtins::Instant::Set(nanoseconds.clone()), errors)?;
        Ok(Self {
            quantum,
            nanoseconds,
        })
    }

    /// What it shows.
    pub(super) fn nanoseconds(&self) -> u64 {
        self.nanoseconds.load(Ordering::Relaxed)
    }

    /// Shows `now` from now on.
    pub(super) fn set(&self, now: UnixSeconds) {
        let start = self.quantum.start(now);
        let nanoseconds = start.0.saturating_mul(NANOSECONDS);
        self.nanoseconds.store(nanoseconds, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{PolicySet, PolicySettings, from_json, on_deep_stack};

    #[test]
    fn a_quantum_is_whole_seconds_up_to_a_minute() {
        let second = Quantum::of(Duration::from_secs(1)).unwrap().unwrap();
        assert_eq!(second, Quantum::SECOND);
        assert_eq!(Quantum::of(Duration::ZERO), Ok(None));
        for refused in [Duration::from_millis(1500), Duration::from_secs(61)] {
            assert_eq!(Quantum::of(refused), Err(QuantumError));
        }
        let ten = Quantum::of(Duration::from_secs(10)).unwrap().unwrap();
        for (now, start) in [(100, 100), (109, 100), (110, 110)] {
            let now = UnixSeconds(now);
            let ends = (ten.start(now), ten.end(now));
            assert_eq!(ends, (UnixSeconds(start), UnixSeconds(start + 10)));
        }
    }

    #[test]
    fn a_policy_sees_the_time_of_the_question_in_steps() {
        let policy = "package edgeward.authz\n\ndecision := {\"allow\": true, \"valid_until\": floor(time.now_ns() / 1000000000)}\n";
        let verdict = |seconds: u64, now: u64| {
            let settings = PolicySettings {
                clock_quantum: Quantum::of(Duration::from_secs(seconds)).unwrap(),
                ..PolicySettings::default()
            };
            let files = super::super::tests::sources(&[("a.rego", policy)]).unwrap();
            let set = PolicySet::build(files, &settings).unwrap();
            assert_eq!(set.caching().is_some(), seconds > 0);
            on_deep_stack(move || {
                let mut worker = set.worker().unwrap();
                // The clock survives what makes the engine start afresh.
                let _ = worker.evaluate(from_json(json!({})), UnixSeconds(7));
                worker.evaluate(from_json(json!({})), UnixSeconds(now))
            })
            .unwrap()
            .unwrap()
            .valid_until
        };
        assert_eq!(verdict(1, 1_800_000_007), Some(UnixSeconds(1_800_000_007)));
        assert_eq!(verdict(10, 1_800_000_007), Some(UnixSeconds(1_800_000_000)));
        // Without a quantum it is the true time.
        assert!(verdict(0, 7).is_none_or(|at| at > UnixSeconds(1_700_000_000)));
    }
}
