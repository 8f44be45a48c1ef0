//! How old a bundle in force may be: without its source's word for longer than that, everything is denied.

use edgeward_core::time::UnixSeconds;

use super::activation::{Bundles, locked};
use super::settings::{BundleName, BundleSettings};
use crate::policy::Withheld;

impl Bundles {
    /// Denies everything once a bundle in force is older than it may be.
    pub(super) fn enforce_age(&self, now: UnixSeconds) {
        if self.store.why_withheld().is_some() {
            return;
        }
        let Some(name) = self.too_old(now) else {
            return;
        };
        tracing::error!(bundle = %name, "bundle older than `max_age`: its source has not confirmed it");
        if let Err(error) = self.store.withhold(Withheld::TooOld) {
            tracing::error!(%error, "policies cannot be withheld");
        }
    }

    pub(super) fn too_old(&self, now: UnixSeconds) -> Option<BundleName> {
        let statuses = locked(&self.statuses);
        let mut all = self.settings.bundles.iter();
        let is_too_old = |(name, bundle): &(&BundleName, &BundleSettings)| {
            let confirmed = statuses.get(*name).and_then(|status| status.confirmed_at);
            let age = now.seconds_since(confirmed.unwrap_or(UnixSeconds(0)));
            age > bundle.max_age.as_secs()
        };
        all.find(is_too_old).map(|(name, _)| name.clone())
    }
}
