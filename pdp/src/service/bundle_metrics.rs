//! Series of the policy bundles, read when they are asked for.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::clock;
use crate::bundle::{BundleStatus, Bundles};

/// Reads the room at scrape time.
pub(super) struct BundleMetrics(Arc<Bundles>);

impl BundleMetrics {
    pub(super) fn new(bundles: Arc<Bundles>) -> Self {
        Self(bundles)
    }
}

impl fmt::Debug for BundleMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleMetrics").finish_non_exhaustive()
    }
}

impl Collector for BundleMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let statuses = self.0.statuses();
        let help = "1 where a bundle of this name is in force";
        gauges(&mut encoder, "bundle_active", help, &statuses, |status| {
            Some(u64::from(status.active_revision.is_some()))
        })?;
        let help = "1 where the bundle in force would not outlive a restart, though it should";
        gauges(&mut encoder, "bundle_not_kept", help, &statuses, |status| {
            Some(u64::from(status.not_kept.is_some()))
        })?;
        let help = "Seconds since the bundle's source last said that it is the one";
        let now = clock::now();
        gauges(
            &mut encoder,
            "bundle_age_seconds",
            help,
            &statuses,
            |status| {
                let confirmed = status.confirmed_at?;
                Some(now.seconds_since(confirmed))
            },
        )?;

        let help = "Bundles put in force since start";
        let counter = MetricType::Counter;
        let mut activations =
            encoder.encode_descriptor("bundle_activations", help, None, counter)?;
        for status in &statuses {
            let labels = [("bundle", status.name.as_str())];
            let series = activations.encode_family(&labels)?;
            ConstCounter::new(status.activations).encode(series)?;
        }
        let help = "Times a bundle was not to be had or not to be used, by cause";
        let mut refusals = encoder.encode_descriptor("bundle_refusals", help, None, counter)?;
        for status in &statuses {
            for (code, count) in &status.refusals {
                let labels = [("bundle", status.name.as_str()), ("code", *code)];
                let series = refusals.encode_family(&labels)?;
                ConstCounter::new(*count).encode(series)?;
            }
        }
        Ok(())
    }
}

/// One gauge for each bundle that has a value.
fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    statuses: &[BundleStatus],
    value: impl Fn(&BundleStatus) -> Option<u64>,
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for status in statuses {
        if let Some(value) = value(status) {
            let labels = [("bundle", status.name.as_str())];
            let series = family.encode_family(&labels)?;
            ConstGauge::new(value).encode(series)?;
        }
    }
    Ok(())
}
