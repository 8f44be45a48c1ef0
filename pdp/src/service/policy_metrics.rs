//! Series of the policies and keys, read when they are asked for: each is kept where it belongs.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use tokio::sync::watch;

use crate::keys::{Keyring, Outcome, Refetch};
use crate::policy::{PolicyState, disagreements, doubts};

/// Reads the rooms at scrape time.
pub(super) struct PolicyMetrics {
    policies: watch::Receiver<PolicyState>,
    keys: Arc<Keyring>,
}

impl PolicyMetrics {
    pub(super) fn new(policies: watch::Receiver<PolicyState>, keys: Arc<Keyring>) -> Self {
        Self { policies, keys }
    }
}

impl fmt::Debug for PolicyMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyMetrics").finish_non_exhaustive()
    }
}

impl Collector for PolicyMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let policies = self.policies.borrow().clone();
        // One series at a time: the label follows the revision in force.
        let info = Info::new([("revision", policies.set.revision().to_owned())]);
        one(&mut encoder, "policy", "The policy in force", &info)?;
        let info = Info::new([("engine", policies.set.engine())]);
        one(&mut encoder, "policy_engine", "What evaluates it", &info)?;
        let help = "Evaluations in bytecode that differed from the interpreter's; should be 0";
        let differed = ConstCounter::new(disagreements());
        one(&mut encoder, "policy_engine_disagreements", help, &differed)?;
        let help = "Evaluations that bytecode left to the interpreter, because something failed";
        let doubts = ConstCounter::new(doubts());
        one(&mut encoder, "policy_engine_doubts", help, &doubts)?;
        let stale = ConstGauge::new(i64::from(policies.last_error.is_some()));
        let help = "1 while newer policies are refused and the old ones stay in force";
        one(&mut encoder, "policy_stale", help, &stale)?;
        let help = "Policy sets swapped in since start";
        one(
            &mut encoder,
            "policy_reloads",
            help,
            &ConstCounter::new(policies.reloads),
        )?;
        let help = "Policy sets refused since start";
        one(
            &mut encoder,
            "policy_reloads_refused",
            help,
            &ConstCounter::new(policies.refused),
        )?;

        let help = "Attempts to get keys, by outcome";
        let counters = self.keys.counters();
        let counter_type = ConstCounter::new(0_u64).metric_type();
        let mut fetches = encoder.encode_descriptor("key_fetches", help, None, counter_type)?;
        for outcome in Outcome::ALL {
            let labels = [("outcome", outcome.as_str())];
            let series = fetches.encode_family(&labels)?;
            ConstCounter::new(counters.attempts(outcome)).encode(series)?;
        }
        let help =
            "Keys that filters' tokens name and nobody has, by what became of the wish for them";
        let mut wishes = encoder.encode_descriptor("unknown_keys", help, None, counter_type)?;
        for outcome in Refetch::ALL {
            let labels = [("outcome", outcome.as_str())];
            let series = wishes.encode_family(&labels)?;
            ConstCounter::new(counters.wishes(outcome)).encode(series)?;
        }
        let help = "Key documents whose keys are too old to verify";
        one(
            &mut encoder,
            "key_expirations",
            help,
            &ConstCounter::new(counters.expirations()),
        )
    }
}

fn one(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
