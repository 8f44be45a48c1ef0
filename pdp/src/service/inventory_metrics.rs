//! What the inventory counts. Kinds of secrets are ours, so there are few of them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::inventory::Inventory;
use crate::inventory::secrets::SecretKind;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    kind: &'static str,
}

/// Static secrets noticed, by kind, and how much is kept.
#[derive(Debug)]
pub struct InventoryMetrics {
    secrets: Family<Labels, Counter>,
    identities: Gauge,
    dropped: Gauge,
}

impl InventoryMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            secrets: Family::default(),
            identities: Gauge::default(),
            dropped: Gauge::default(),
        };
        let help = "Static secrets noticed in requests, by kind";
        registry.register("inventory_secrets_noticed", help, metrics.secrets.clone());
        let help = "Identities in the inventory";
        registry.register("inventory_identities", help, metrics.identities.clone());
        let help = "Sightings that did not fit into the inventory";
        registry.register("inventory_dropped", help, metrics.dropped.clone());
        metrics
    }

    pub(super) fn noticed(&self, kind: SecretKind) {
        let labels = Labels {
            kind: kind.as_str(),
        };
        self.secrets.get_or_create(&labels).inc();
    }

    /// Tells how much `inventory` holds.
    pub fn tell(&self, inventory: &Inventory) {
        let (identities, _, dropped) = inventory.counts();
        self.identities
            .set(i64::try_from(identities).unwrap_or(i64::MAX));
        self.dropped.set(i64::try_from(dropped).unwrap_or(i64::MAX));
    }
}
