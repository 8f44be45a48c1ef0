//! Rules beside a compiled policy: neither may speak for what the other does.
//!
//! A rule below an entry point that is a whole package is what `opa build` leaves of that package: the
//! compiled policy has it too, and answers for it.

use std::collections::BTreeMap;

use super::paths::Path;
use super::uses::{Manner, Use};
use super::{Place, Refusal};
use crate::policy::capability;

/// Refuses a rule in the place of one of the entry points `compiled`, and one that reads what is there.
pub(super) fn check(
    compiled: &[Path],
    rules: &BTreeMap<Path, Place>,
    uses: &[(Path, String, Vec<Use>)],
) -> Result<(), Refusal> {
    for (path, place) in rules {
        if let Some(entry_point) = compiled.iter().find(|at| at.starts_with(path)) {
            return Err(Refusal::AlsoCompiled {
                file: place.file.clone(),
                line: place.line,
                rule: path.join("."),
                entry_point: entry_point.join("."),
            });
        }
    }
    for (_, file, uses) in uses {
        for used in uses {
            if let Some(entry_point) = compiled.iter().find(|at| reads(used, at, rules)) {
                return Err(Refusal::ReadsCompiled {
                    file: file.clone(),
                    line: used.line,
                    entry_point: entry_point.join("."),
                });
            }
        }
    }
    Ok(())
}

/// Whether a name may lead to what the entry point `at` says.
fn reads(used: &Use, at: &Path, rules: &BTreeMap<Path, Place>) -> bool {
    // An entry point takes no arguments.
    if used.manner == Manner::Call || capability::is_callable(&used.written.join(".")) {
        return false;
    }
    let paths = [&used.absolute, &used.replacement];
    paths.into_iter().flatten().any(|path| {
        let is_rule = || rules.keys().any(|rule| path.starts_with(rule));
        at.starts_with(path) || (path.starts_with(at) && !is_rule())
    })
}
