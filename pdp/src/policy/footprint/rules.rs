//! The rules of a policy set by absolute path: which of them a reference makes the engine evaluate.
//!
//! Syntax only. It follows the engine (regorus 0.14.1, `lookup_var`, `ensure_rule_evaluated`,
//! `ensure_module_evaluated`), which evaluates more than the value needs: an error in any of that is
//! a different decision.

use std::collections::BTreeMap;

use regorus::unstable::{Module, Ref, Rule};

use super::super::gate::head::parts_of;
use super::super::gate::paths::{Names, Path};

/// One rule as written: a module may define the same rule many times.
pub(in crate::policy) struct Definition<'p> {
    pub rule: &'p Rule,
    pub module: usize,
}

/// All definitions of one rule.
pub(in crate::policy) struct Group<'p> {
    definitions: Vec<Definition<'p>>,
    /// How many names its package has, `data` included.
    pub package: usize,
    /// Whether it takes arguments.
    pub function: bool,
    /// How many, at least.
    pub takes: usize,
    /// Whether more than one body can give it a value, so that the engine may compare two.
    pub many_bodies: bool,
}

impl<'p> Group<'p> {
    pub(in crate::policy) fn definitions(&self) -> &[Definition<'p>] {
        &self.definitions
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Leads {
    /// Documents of data files alone.
    ToDocuments,
    /// The value of a rule, or what lies in it.
    IntoRules,
    /// What rules and documents are both below of.
    AboveRules,
}

/// The rules of all modules.
pub(in crate::policy) struct Rules<'p> {
    pub names: Vec<Names>,
    groups: BTreeMap<Path, Group<'p>>,
}

impl<'p> Rules<'p> {
    pub(in crate::policy) fn of(modules: &'p [Ref<Module>]) -> Self {
        let names: Vec<Names> = modules.iter().map(|module| Names::of(module)).collect();
        let mut groups: BTreeMap<Path, Group<'p>> = BTreeMap::new();
        for (module, (names, syntax)) in names.iter().zip(modules).enumerate() {
            for rule in &syntax.policy {
                let (path, takes) = declaration(rule, names);
                let group = groups.entry(path).or_insert_with(|| Group {
                    definitions: Vec::new(),
                    package: names.package().len(),
                    function: false,
                    takes,
                    many_bodies: false,
                });
                group.function |= takes > 0;
                group.takes = group.takes.min(takes);
                group.package = group.package.min(names.package().len());
                group.definitions.push(Definition { rule, module });
            }
        }
        for group in groups.values_mut() {
            group.many_bodies = bodies(group) > 1;
        }
        Self { names, groups }
    }

    pub(in crate::policy) fn get(&self, path: &[String]) -> Option<&Group<'p>> {
        self.groups.get(path)
    }

    /// Rules declared at `path` or above it.
    pub(in crate::policy) fn at_or_above<'s>(
        &'s self,
        path: &'s [String],
    ) -> impl Iterator<Item = (&'s [String], &'s [String])> {
        (1..=path.len()).filter_map(move |length| {
            let (declared, rest) = path.split_at_checked(length)?;
            let (declared, _) = self.groups.get_key_value(declared)?;
            Some((declared.as_slice(), rest))
        })
    }

    /// Rules declared at `path` or below it.
    pub(in crate::policy) fn at_or_below<'s>(
        &'s self,
        path: &'s [String],
    ) -> impl Iterator<Item = (&'s Path, &'s Group<'p>)> {
        self.groups
            .range(path.to_vec()..)
            .take_while(move |(declared, _)| declared.starts_with(path))
    }

    /// Whether `path` is the start of any rule's path.
    pub(in crate::policy) fn any_below(&self, path: &[String]) -> bool {
        self.at_or_below(path).next().is_some()
    }

    /// Whether what lies at `path` and below it is of data files alone.
    pub(in crate::policy) fn is_only_data(&self, path: &[String]) -> bool {
        let path: Vec<Option<String>> = path.iter().cloned().map(Some).collect();
        matches!(self.lead(&path), Leads::ToDocuments)
    }

    /// Where `path` leads, some of whose parts may be computed: none in their place.
    pub(in crate::policy) fn lead(&self, path: &[Option<String>]) -> Leads {
        let along = |other: &[String]| {
            let mut parts = path.iter().zip(other);
            parts.all(|(part, name)| part.as_ref().is_none_or(|part| part == name))
        };
        let literal: Path = path.iter().cloned().map_while(|part| part).collect();
        if self.at_or_above(&literal).next().is_some() {
            return Leads::IntoRules;
        }
        let mut is_above = path.len() < 2;
        for (rule, _) in self.at_or_below(&literal) {
            if along(rule) && rule.len() <= path.len() {
                return Leads::IntoRules;
            }
            is_above |= along(rule);
        }
        let is_package =
            |names: &Names| names.package().len() >= path.len() && along(names.package());
        if is_above || self.names.iter().any(is_package) {
            Leads::AboveRules
        } else {
            Leads::ToDocuments
        }
    }

    /// Rules that share the longest start of `path` below a package: the engine evaluates them all.
    pub(in crate::policy) fn siblings<'s>(&'s self, path: &'s [String]) -> Vec<&'s Path> {
        (1..=path.len())
            .rev()
            .filter_map(|length| path.get(..length))
            .map(|start| {
                self.at_or_below(start)
                    .filter(|(_, group)| group.package < start.len())
                    .map(|(declared, _)| declared)
                    .collect::<Vec<_>>()
            })
            .find(|siblings| !siblings.is_empty())
            .unwrap_or_default()
    }
}

fn declaration(rule: &Rule, names: &Names) -> (Path, usize) {
    match rule {
        Rule::Default { refr, args, .. } => (names.declared(refr), args.len()),
        Rule::Spec { head, .. } => {
            let head = parts_of(head);
            (names.declared(head.refr), head.args.len())
        }
    }
}

/// How many bodies may give a value. A rule's default is only asked when no body did, but that of a
/// function stands beside its bodies from one call to the next.
fn bodies(group: &Group<'_>) -> usize {
    let count = |definition: &Definition<'_>| match definition.rule {
        Rule::Default { .. } => usize::from(group.function),
        Rule::Spec { bodies, .. } => bodies.len().max(1),
    };
    group.definitions.iter().map(count).sum()
}
