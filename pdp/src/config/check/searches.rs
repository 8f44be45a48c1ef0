//! `AuthZEN`'s searches: where their candidates are.

use crate::config::Policies;
use crate::config::problem::{Field, Findings};
use crate::config::raw::RawSearches;
use crate::policy::Reference;
use crate::service::Searches;

pub(super) fn searches(
    raw: Option<RawSearches>,
    field: &Field,
    findings: &mut Findings,
) -> Searches {
    let raw = raw.unwrap_or_default();
    let mut document = |name: &str, written: Option<String>| {
        let written = written?;
        if !Policies::is_entrypoint(&written) {
            let message =
                format!("`{written}` is not a document: write one such as `data.directory.{name}`");
            findings.refuse(&field.key(name), message);
            return None;
        }
        Some(Reference::at(&written))
    };
    Searches {
        subjects: document("subjects", raw.subjects),
        resources: document("resources", raw.resources),
        actions: document("actions", raw.actions),
    }
}
