//! All rules of some modules, with what each uses: the checks of each by itself, and of all together.
//!
//! Syntax only.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use regorus::unstable::{Module, Ref, Rule};

use super::graph::Graph;
use super::growth::{self, Written};
use super::head::parts_of;
use super::paths::{Names, Path};
use super::uses::{Manner, Use, uses_of};
use super::{Refusal, bodies, compiled, lost, parameters};
use crate::policy::capability;

/// The name of a query's rule: no path begins so, for no rule can need it.
const QUERY: &str = "the query";

/// Where a rule is declared.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) function: bool,
    pub(super) frames: usize,
}

/// The rules, and what they use.
#[derive(Default)]
pub(super) struct Survey<'m> {
    pub(super) rules: BTreeMap<Path, Place>,
    uses: Vec<(Path, String, Vec<Use>)>,
    /// First names of the rules of each package.
    called: BTreeMap<Path, BTreeSet<String>>,
    written: BTreeMap<Path, Vec<Written<'m>>>,
}

impl<'m> Survey<'m> {
    /// Of `modules`; refuses what is wrong with one rule alone.
    pub(super) fn of(modules: &'m [Ref<Module>]) -> Result<Self, Refusal> {
        let mut survey = Self::default();
        for module in modules {
            survey.declare(module);
        }
        for module in modules {
            survey.add(module, None)?;
        }
        Ok(survey)
    }

    /// Notes what the rules of `module` are called in their package.
    fn declare(&mut self, module: &Module) {
        let names = Names::of(module);
        let depth = names.package().len();
        let called = module.policy.iter().filter_map(|rule| {
            let (path, _, _) = declaration(rule, &names);
            path.get(depth).cloned()
        });
        let package = self.called.entry(names.package().to_vec());
        package.or_default().extend(called);
    }

    /// Adds the rules of `module`, under the name `as_name` where there is one.
    fn add(&mut self, module: &'m Module, as_name: Option<&str>) -> Result<(), Refusal> {
        let names = Rc::new(Names::of(module));
        let file = module.package.span.source.file().clone();
        let mut outside = self
            .called
            .get(names.package())
            .cloned()
            .unwrap_or_default();
        outside.extend(names.imported().map(str::to_owned));
        for rule in &module.policy {
            lost::check(rule, &file, &outside)?;
            bodies::check(rule, &file)?;
            parameters::check(rule, &file)?;
            let (declared, line, function) = declaration(rule, &names);
            let path = as_name.map_or(declared, |name| vec![name.to_owned()]);
            let (in_rule, frames) = uses_of(rule, &names);
            let place = self.rules.entry(path.clone()).or_insert_with(|| Place {
                file: file.clone(),
                line,
                function,
                frames,
            });
            place.function |= function;
            place.frames = place.frames.max(frames);
            self.written.entry(path.clone()).or_default().push(Written {
                rule,
                names: names.clone(),
                file: file.clone(),
            });
            self.uses.push((path, file.clone(), in_rule));
        }
        Ok(())
    }

    /// Refuses what is wrong with what the rules use, beside a compiled policy that says what stands at the
    /// paths `compiled`; tells whether one prints.
    pub(super) fn check(&self, compiled: &[Path]) -> Result<bool, Refusal> {
        let mut prints = false;
        for (_, file, uses) in &self.uses {
            for used in uses {
                prints |= used.written == ["print"];
                check_function(used, file, &self.rules)?;
            }
        }
        let edges: Vec<(&[String], &[Use])> = self
            .uses
            .iter()
            .map(|(path, _, uses)| (path.as_slice(), uses.as_slice()))
            .collect();
        let order = Graph::build(&self.rules, &edges).check(&self.rules)?;
        growth::check(order.into_iter().filter_map(|path| {
            let parts = self.written.get(path)?;
            Some((path, parts.as_slice()))
        }))?;
        compiled::check(compiled, &self.rules, &self.uses)?;
        Ok(prints)
    }
}

/// Checks `query`, whose one rule no rule of `modules` can read, as if it were one of them.
pub(in crate::policy) fn pass_query(
    query: &Module,
    modules: &[Ref<Module>],
    compiled: &[Path],
) -> Result<(), Refusal> {
    let mut survey = Survey::of(modules)?;
    survey.declare(query);
    survey.add(query, Some(QUERY))?;
    survey.check(compiled).map(|_| ())
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
