//! The inventory: where it is kept, and that somebody can read it.

use super::Context;
use crate::config::problem::{Field, Findings};
use crate::config::raw_attestation::RawInventory;
use crate::inventory::InventorySettings;

pub(super) fn inventory(
    raw: Option<RawInventory>,
    has_operators: bool,
    root: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<InventorySettings> {
    let raw = raw?;
    if !has_operators {
        let message = "could be read by nobody: `revocations` says who may, by `admin_tokens_sha256` or `operators`";
        findings.refuse(&root.key("inventory"), message);
    }
    Some(InventorySettings {
        directory: context.resolve(&raw.directory),
        secrets: raw.secrets.unwrap_or(true),
    })
}
