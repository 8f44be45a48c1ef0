//! What the inventory is told: who got a token, and who has good evidence and is nobody that is configured.

use std::sync::Arc;

use edgeward_core::time::UnixSeconds;

use super::TokenService;
use super::mint::Draft;
use super::party::Party;
use crate::attestation::{Attributes, ProviderName};
use crate::inventory::{Outcome, Who};
use crate::workloads::{ClientWorkload, NotAdmitted};

/// The attributes by which platforms name a workload, the first that is there.
const NAMES: [&str; 6] = [
    "subject",
    "arn",
    "instance_id",
    "vm_id",
    "client_id",
    "spiffe_id",
];

impl TokenService {
    /// The workload of these attributes; whom there is none of is noted.
    pub(super) fn workload_of(
        &self,
        provider: &ProviderName,
        attributes: &Attributes,
        now: UnixSeconds,
    ) -> Result<&Arc<ClientWorkload>, NotAdmitted> {
        let found = self.workloads.find(provider, attributes);
        if let (Err(refusal), Some(inventory)) = (&found, &self.inventory) {
            let named = NAMES.iter().find_map(|name| attributes.single(name));
            let who = Who::new(named.unwrap_or("(unnamed)"), Some(provider.as_str()));
            let outcome = Outcome::Refused(refusal.code());
            inventory.asked_for_token(who, (provider.as_str(), None), outcome, now);
        }
        found
    }

    /// Notes that `subject` got a token.
    pub(super) fn note_issued(&self, subject: &Party, draft: &Draft<'_>) {
        if let Some(inventory) = &self.inventory {
            let workload = &subject.workload;
            let outcome = Outcome::Issued {
                lifetime: draft.expires_at.seconds_since(draft.now),
                audiences: draft.audiences,
            };
            let by = (workload.provider.as_str(), Some(workload.name.as_str()));
            let who = Who::new(workload.spiffe_id.as_str(), None);
            inventory.asked_for_token(who, by, outcome, draft.now);
        }
    }
}
