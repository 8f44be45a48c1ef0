//! The load-time gate: what a policy may not do is refused by name before the engine analyses it.
//!
//! Refused: a call of a function the engine lacks or only pretends to have, rules that depend on
//! themselves (the engine would overflow its stack and take the process along), chains of rules
//! deeper than a worker's stack, heads by which the engine loses members, bodies that OPA reads otherwise,
//! and an entry point that no module declares.
//!
//! The gate reads syntax. It never evaluates and does not judge what a policy decides.

mod bodies;
mod compiled;
mod copies;
mod graph;
mod growth;
pub(super) mod head;
pub(in crate::policy) mod lost;
pub(super) mod nesting;
mod parameters;
pub(super) mod paths;
mod refusal;
pub(super) mod scope;
mod survey;
mod uses;

use std::collections::BTreeMap;

use regorus::unstable::{Module, Ref};

use self::paths::Path;
pub use self::refusal::Refusal;
pub(super) use self::survey::pass_query;
use self::survey::{Place, Survey};

/// Frames of the engine that a policy may have open at once, counted along the deepest way through
/// its rules: a frame takes up to 20 kB in a build without optimisation, and a worker has 256 MB.
pub const MAX_FRAMES: usize = 4096;

/// What the gate learnt on the way.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Absolute paths of the rules whose name starts with `test_`, with their files, sorted.
    pub tests: Vec<(String, String)>,
    /// Whether a module calls `print`, whose output has to be collected.
    pub prints: bool,
}

/// Checks parsed modules, beside which a compiled policy says what stands at the paths `compiled`.
pub(super) fn pass(
    modules: &[Ref<Module>],
    entry_point: &str,
    compiled: &[Path],
) -> Result<Passed, Refusal> {
    let survey = Survey::of(modules)?;
    let prints = survey.check(compiled)?;
    let rules = &survey.rules;
    if !compiled.contains(&path_of(entry_point)) {
        check_entry_point(entry_point, rules)?;
    }
    let tests = rules
        .iter()
        .filter(|(path, place)| {
            !place.function && path.last().is_some_and(|name| name.starts_with("test_"))
        })
        .map(|(path, place)| (path.join("."), place.file.clone()))
        .collect();
    Ok(Passed { tests, prints })
}

/// A dotted path, taken apart.
fn path_of(dotted: &str) -> Path {
    dotted.split('.').map(str::to_owned).collect()
}

fn check_entry_point(entry_point: &str, rules: &BTreeMap<Path, Place>) -> Result<(), Refusal> {
    let place = rules
        .get(&path_of(entry_point))
        .ok_or_else(|| Refusal::NoEntryPoint {
            entry_point: entry_point.to_owned(),
        })?;
    if place.function {
        return Err(Refusal::EntryPointIsFunction {
            file: place.file.clone(),
            line: place.line,
            entry_point: entry_point.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
