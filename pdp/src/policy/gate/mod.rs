//! The load-time gate: what a policy may not do is refused by name before the engine analyses it.
//!
//! Refused: a call of a function the engine lacks or only pretends to have, rules that depend on
//! themselves (the engine would overflow its stack and take the process along), chains of rules
//! deeper than a worker's stack, heads by which the engine loses members, and an entry point that no
//! module declares.
//!
//! The gate reads syntax. It never evaluates and does not judge what a policy decides.

mod graph;
pub(super) mod head;
pub(in crate::policy) mod lost;
pub(super) mod nesting;
mod parameters;
pub(super) mod paths;
pub(super) mod scope;
mod uses;

use std::collections::BTreeMap;

use regorus::unstable::{Module, Ref, Rule};
use thiserror::Error;

use self::graph::Graph;
use self::head::parts_of;
use self::paths::{Names, Path};
use self::uses::{Manner, Use, uses_of};
use super::capability;

/// Frames of the engine that a policy may have open at once, counted along the deepest way through
/// its rules: a frame takes up to 20 kB in a build without optimisation, and a worker has 256 MB.
pub const MAX_FRAMES: usize = 4096;

/// Why a policy was refused at the gate.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// A function that does not exist here.
    #[error("{file}:{line}: calls `{function}`, which is {why}: {fix}")]
    Function {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The name as written.
        function: String,
        /// What is wrong with it.
        why: &'static str,
        /// What to do instead.
        fix: &'static str,
    },
    /// A head by which the engine loses what it has gathered.
    #[error(
        "{file}:{line}: the engine loses members where `{written}` of a rule's head is undefined for one element of a loop: bind it in the body, as in `member := {written}`"
    )]
    LosesMembers {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The part of the head.
        written: String,
    },
    /// A parameter that the engine cannot match.
    #[error(
        "{file}:{line}: a parameter of a function must not be a call or a template string: name it, and compare in the body"
    )]
    CallInParameter {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A call of `walk` of which the engine makes nothing.
    #[error(
        "{file}:{line}: the engine finds nothing by `walk` as a value here: write `walk(x, [path, value])` as a statement of its own"
    )]
    WalkAsValue {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A pattern that the engine takes for more than it says.
    #[error(
        "{file}:{line}: an object as a pattern: the engine would take objects with more members for it: bind the object, and read its members"
    )]
    ObjectPattern {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// An index that OPA looks up in a document otherwise than in a rule, where it may be in either.
    #[error(
        "{file}:{line}: something computed as an index of what may be a rule or a document of data, where a number and its text are one: give what is indexed a name first (`found := …`)"
    )]
    RuleOrDocument {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A wildcard where it could mean "for one" or "for all".
    #[error(
        "{file}:{line}: `_` must not be inside of `not`: loop with `some … in`, or give the set or the rule that is negated a name"
    )]
    WildcardNegated {
        /// File below the policy folder.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// Rules that need each other.
    #[error("{file}:{line}: `{rule}` depends on itself: {cycle}: break the cycle")]
    Recursion {
        /// File of the first rule of the cycle.
        file: String,
        /// Its line.
        line: u32,
        /// The rule.
        rule: String,
        /// The way round, `a -> b -> a`.
        cycle: String,
    },
    /// Rules that would need more stack than a worker has.
    #[error(
        "{file}:{line}: `{rule}` needs {depth} steps inside each other, more than {MAX_FRAMES}: split its body, shorten its expressions or the chain of rules below it"
    )]
    TooDeep {
        /// File of the rule.
        file: String,
        /// Its line.
        line: u32,
        /// The rule.
        rule: String,
        /// How deep.
        depth: usize,
    },
    /// Text that the engine's parser would take for ever to read.
    #[error(
        "{file}:{line}: nests brackets more than {} levels deep: name the inner parts",
        nesting::MAX_NESTING
    )]
    Nesting {
        /// File of the bracket.
        file: String,
        /// Its line.
        line: u32,
    },
    /// Nothing to ask.
    #[error(
        "no policy file declares the entry point `{entry_point}`: declare it or set `policies.entrypoint`"
    )]
    NoEntryPoint {
        /// As configured.
        entry_point: String,
    },
    /// A function cannot be asked without arguments.
    #[error(
        "{file}:{line}: the entry point `{entry_point}` is a function: make it a rule without arguments"
    )]
    EntryPointIsFunction {
        /// File of the function.
        file: String,
        /// Its line.
        line: u32,
        /// As configured.
        entry_point: String,
    },
}

/// What the gate learnt on the way.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Absolute paths of the rules whose name starts with `test_`, with their files, sorted.
    pub tests: Vec<(String, String)>,
    /// Whether a module calls `print`, whose output has to be collected.
    pub prints: bool,
}

/// Where a rule is declared.
#[derive(Clone, Debug)]
struct Place {
    file: String,
    line: u32,
    function: bool,
    frames: usize,
}

/// Checks parsed modules.
pub(super) fn pass(modules: &[Ref<Module>], entry_point: &str) -> Result<Passed, Refusal> {
    let mut rules: BTreeMap<Path, Place> = BTreeMap::new();
    let mut uses: Vec<(Path, String, Vec<Use>)> = Vec::new();
    for module in modules {
        let names = Names::of(module);
        let file = module.package.span.source.file().clone();
        for rule in &module.policy {
            lost::check(rule, &file)?;
            parameters::check(rule, &file)?;
            let (path, line, function) = declaration(rule, &names);
            let (in_rule, frames) = uses_of(rule, &names);
            let place = rules.entry(path.clone()).or_insert_with(|| Place {
                file: file.clone(),
                line,
                function,
                frames,
            });
            place.function |= function;
            place.frames = place.frames.max(frames);
            uses.push((path, file.clone(), in_rule));
        }
    }
    let mut passed = Passed::default();
    for (_, file, uses) in &uses {
        for used in uses {
            passed.prints |= used.written == ["print"];
            check_function(used, file, &rules)?;
        }
    }
    let edges: Vec<(&[String], &[Use])> = uses
        .iter()
        .map(|(path, _, uses)| (path.as_slice(), uses.as_slice()))
        .collect();
    Graph::build(&rules, &edges).check(&rules)?;
    check_entry_point(entry_point, &rules)?;
    passed.tests = rules
        .iter()
        .filter(|(path, place)| {
            !place.function && path.last().is_some_and(|name| name.starts_with("test_"))
        })
        .map(|(path, place)| (path.join("."), place.file.clone()))
        .collect();
    Ok(passed)
}

fn declaration(rule: &Rule, names: &Names) -> (Path, u32, bool) {
    let (refr, function) = match rule {
        Rule::Default { refr, args, .. } => (refr, !args.is_empty()),
        Rule::Spec { head, .. } => {
            let head = parts_of(head);
            (head.refr, !head.args.is_empty())
        }
    };
    (names.declared(refr), rule.span().line, function)
}

/// A call must lead to a function of the policies or to a built-in the engine really has. A name
/// in `with` may be a document, a function or a built-in; only the last can be wrong.
fn check_function(used: &Use, file: &str, rules: &BTreeMap<Path, Place>) -> Result<(), Refusal> {
    let own = used
        .absolute
        .as_ref()
        .is_some_and(|path| rules.contains_key(path));
    let function = used.written.join(".");
    // What could be rewritten has been (`source::walk`).
    if used.manner == Manner::Call && !own && function == "walk" && used.arguments == 1 {
        return Err(Refusal::WalkAsValue {
            file: file.to_owned(),
            line: used.line,
        });
    }
    let suspect = match used.manner {
        Manner::Read => false,
        Manner::Call => !own && !capability::is_callable(&function),
        Manner::With => !own && capability::is_stub(&function),
    };
    if !suspect {
        return Ok(());
    }
    let (why, fix) = capability::refusal(&function);
    Err(Refusal::Function {
        file: file.to_owned(),
        line: used.line,
        function,
        why,
        fix,
    })
}

fn check_entry_point(entry_point: &str, rules: &BTreeMap<Path, Place>) -> Result<(), Refusal> {
    let path: Path = entry_point.split('.').map(str::to_owned).collect();
    let place = rules.get(&path).ok_or_else(|| Refusal::NoEntryPoint {
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
