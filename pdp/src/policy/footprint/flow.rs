//! The fixpoint: what flows into arguments and out of rules, until a round over all rules that can be
//! reached finds nothing new.
//!
//! Neither the order of bodies nor of statements matters: every name of a rule stands for all values
//! it may ever have. How one rule is walked is in `walk`.

use std::collections::BTreeMap;

use regorus::Value;
use regorus::unstable::{Module, Ref};

use super::super::gate::paths::Path;
use super::analysis::{Analysis, Place, Why};
use super::origin::{Document, Origin, Origins, join};
use super::reads::Reads;
use super::rules::Rules;
use super::walk;

/// Rounds before the analysis gives up: a chain of that many rules, in the worst order there is.
const MAX_ROUNDS: usize = 1024;

/// What is known of one rule.
#[derive(Default)]
struct State {
    /// By position of the argument.
    arguments: Vec<Origins>,
    result: Origins,
    /// By definition, then by name.
    variables: BTreeMap<(usize, String), Origins>,
}

/// What is known of all rules.
pub(super) struct Flow<'p> {
    pub rules: &'p Rules<'p>,
    pub reads: Reads,
    data: &'p Value,
    states: BTreeMap<Path, State>,
    changed: bool,
}

/// Runs the analysis.
pub(super) fn run(modules: &[Ref<Module>], entry_point: &str, data: &Value) -> Analysis {
    let rules = Rules::of(modules);
    let mut flow = Flow {
        rules: &rules,
        reads: Reads::new(),
        data,
        states: BTreeMap::new(),
        changed: true,
    };
    let entry: Path = entry_point.split('.').map(str::to_owned).collect();
    let place = flow.place_of(&entry);
    for _ in 0..MAX_ROUNDS {
        if !flow.changed {
            return flow.reads.analysis();
        }
        flow.changed = false;
        let decision = flow.document(&entry, &place);
        flow.whole(&decision, &place, &Why::Returned);
        let reached: Vec<Path> = flow.states.keys().cloned().collect();
        for rule in reached {
            walk::rule(&mut flow, &rule);
        }
    }
    flow.everything(&place, &Why::Unbounded);
    flow.reads.analysis()
}

impl Flow<'_> {
    /// What the document at `path` is, `data` being its first name: evaluates what the engine would.
    pub(super) fn document(&mut self, path: &[String], place: &Place) -> Origins {
        let rules = self.rules;
        for sibling in rules.siblings(path) {
            self.reach(sibling);
        }
        let mut origins = Origins::new();
        let mut is_rule = false;
        let mut in_files = false;
        for (declared, rest) in rules.at_or_above(path) {
            is_rule = true;
            in_files |= self.is_in_files(declared);
            for origin in self.result(declared) {
                self.extend(&mut origins, origin, rest, place);
            }
        }
        // A package, or a rule that has parts: an object made of them.
        for (declared, group) in rules.at_or_below(path) {
            is_rule |= group.package < path.len();
            in_files |= self.is_in_files(path);
            if declared.len() > path.len() && !group.function {
                let parts = self.result(declared);
                self.whole(&parts, place, &Why::Collected);
            }
        }
        if (in_files || !is_rule)
            && let Some(origin) = Origin::named(path)
        {
            self.reads.touch(&origin);
            origins.insert(origin);
        }
        origins
    }

    /// The engine evaluates the rule at `path`.
    pub(super) fn reach(&mut self, path: &[String]) {
        let known = self.states.contains_key(path);
        if !known && self.rules.get(path).is_some_and(|group| !group.function) {
            self.states.insert(path.to_vec(), State::default());
            self.changed = true;
        }
    }

    /// The engine calls the function at `path` with `arguments`.
    pub(super) fn call(&mut self, path: &[String], arguments: &[Origins], place: &Place) {
        let mut left_over = Vec::new();
        if !self.states.contains_key(path) {
            self.states.insert(path.to_vec(), State::default());
            self.changed = true;
        }
        if let Some(state) = self.states.get_mut(path) {
            if state.arguments.len() < arguments.len() {
                state.arguments.resize(arguments.len(), Origins::new());
            }
            for (known, more) in state.arguments.iter_mut().zip(arguments) {
                let (changed, rest) = join(known, more.clone());
                self.changed |= changed;
                left_over.extend(rest);
            }
        }
        self.whole(&left_over, place, &Why::Unbounded);
    }

    /// What the rule at `path` is.
    pub(super) fn result(&mut self, path: &[String]) -> Origins {
        self.reach(path);
        let state = self.states.get(path);
        state.map(|state| state.result.clone()).unwrap_or_default()
    }

    /// The rule at `path` may be `origins`.
    pub(super) fn gives(&mut self, path: &[String], origins: Origins, place: &Place) {
        let several = self.rules.get(path).is_some_and(|group| group.many_bodies);
        if several {
            return self.whole(&origins, place, &Why::SeveralBodies);
        }
        let Some(state) = self.states.get_mut(path) else {
            return;
        };
        let (changed, rest) = join(&mut state.result, origins);
        self.changed |= changed;
        self.whole(&rest, place, &Why::Unbounded);
    }

    /// What may be the argument at `position` of the function at `path`.
    pub(super) fn argument(&self, path: &[String], position: usize) -> Origins {
        let state = self.states.get(path);
        let argument = state.and_then(|state| state.arguments.get(position));
        argument.cloned().unwrap_or_default()
    }

    /// What may be the variable `name` in the given definition of the rule at `path`.
    pub(super) fn variable(&self, path: &[String], definition: usize, name: &str) -> Origins {
        let key = (definition, name.to_owned());
        let state = self.states.get(path);
        let variable = state.and_then(|state| state.variables.get(&key));
        variable.cloned().unwrap_or_default()
    }

    /// That variable may be `origins`.
    pub(super) fn bind(
        &mut self,
        path: &[String],
        definition: usize,
        name: &str,
        origins: Origins,
        place: &Place,
    ) {
        let Some(state) = self.states.get_mut(path) else {
            return;
        };
        let known = state.variables.entry((definition, name.to_owned()));
        let (changed, rest) = join(known.or_default(), origins);
        self.changed |= changed;
        self.whole(&rest, place, &Why::Unbounded);
    }

    /// Adds to `into` the place `names` below `origin`.
    pub(super) fn extend(
        &mut self,
        into: &mut Origins,
        origin: Origin,
        names: &[String],
        place: &Place,
    ) {
        let mut at = origin;
        for name in names {
            let Some(member) = at.member(name) else {
                return self.reads.whole(&at, place, &Why::Unbounded);
            };
            at = member;
        }
        self.reads.touch(&at);
        into.insert(at);
    }

    /// All of `origins` is read.
    pub(super) fn whole<'o>(
        &mut self,
        origins: impl IntoIterator<Item = &'o Origin>,
        place: &Place,
        why: &Why,
    ) {
        for origin in origins {
            self.reads.whole(origin, place, why);
        }
    }

    /// All there is may be read.
    pub(super) fn everything(&mut self, place: &Place, why: &Why) {
        for document in [Document::Input, Document::Data] {
            self.reads.whole(&Origin::whole(document), place, why);
        }
    }

    /// Where the rule at `path` is first declared.
    fn place_of(&self, path: &[String]) -> Place {
        let group = self.rules.get(path);
        let definition = group.and_then(|group| group.definitions().first());
        definition.map_or_else(Place::default, |definition| {
            Place::of(definition.rule.span())
        })
    }

    /// Whether data files have something where a rule is declared: the engine prefers that.
    fn is_in_files(&self, path: &[String]) -> bool {
        let names = path.iter().skip(1);
        let found = names.fold(self.data, |value, name| &value[name.as_str()]);
        *found != Value::Undefined
    }
}
