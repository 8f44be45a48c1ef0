//! Which rules and packages the policies have, by path: what is to be evaluated for a document.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use regorus::Value;
use regorus::unstable::{Expr, Module, Ref, Rule, RuleHead};

use super::{NoDocument, Reference, reference};
use crate::policy::gate::head::parts_of;
use crate::policy::gate::paths::{Names, take_apart};

/// A rule by its path below `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleName {
    parts: Vec<String>,
    asked: String,
}

impl RuleName {
    fn of(parts: &[String]) -> Self {
        let mut asked = "data".to_owned();
        for part in parts {
            // Writing to a text does not fail.
            let _ = reference::write_part(&mut asked, part);
        }
        Self {
            parts: parts.to_vec(),
            asked,
        }
    }

    /// The path below `data`.
    pub(super) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The name that the engine knows it by.
    pub(super) fn asked(&self) -> &str {
        &self.asked
    }
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Rule(RuleName),
    Function,
    /// A rule whose head goes on after a variable: the engine has no name for it.
    Unnamed,
}

/// What has to be asked for a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// No rule: the data files say all.
    Base,
    /// It is, or is a part of, what this rule says.
    Inside(&'a RuleName),
    /// It holds what these rules say, and these packages, whatever the data files say beside.
    Above {
        rules: Vec<&'a RuleName>,
        packages: Vec<&'a [String]>,
    },
}

/// All rules and packages of a policy set, by their path below `data`.
#[derive(Debug, Default)]
pub(in crate::policy) struct Index {
    rules: BTreeMap<Vec<String>, Kind>,
    packages: BTreeSet<Vec<String>>,
    /// Names in the longest path of a rule.
    longest: usize,
}

impl Index {
    /// Of parsed modules.
    pub(in crate::policy) fn of(modules: &[Ref<Module>]) -> Self {
        let mut index = Self::default();
        for module in modules {
            let names = Names::of(module);
            let package = names.package().get(1..).unwrap_or_default().to_vec();
            for rule in &module.policy {
                let (head, is_function) = head_of(rule);
                let (below, is_whole) = parts_below(head);
                let path = [package.clone(), below].concat();
                let kind = match (is_function, is_whole) {
                    (true, _) => Kind::Function,
                    (false, true) => Kind::Rule(RuleName::of(&path)),
                    (false, false) => Kind::Unnamed,
                };
                index.longest = index.longest.max(path.len());
                let known = index.rules.entry(path).or_insert_with(|| kind.clone());
                // What cannot be asked for by name must not be left out in silence.
                if kind == Kind::Unnamed {
                    *known = kind;
                }
            }
            index.packages.insert(package);
        }
        index
    }

    /// A rule in whose place, or on the way to it, the data files say something as well: where it is
    /// undefined the engine would take that for its value.
    pub(in crate::policy) fn overlap(&self, base: &Value) -> Option<String> {
        let said = |path: &&Vec<String>| says(base, path);
        self.rules.keys().find(said).map(|path| written(path))
    }

    /// What to ask for the document at `path`.
    pub(super) fn find(&self, path: &[String]) -> Result<Found<'_>, NoDocument> {
        // The shortest: the engine knows the rules that are named below it as its members.
        for length in 1..=path.len().min(self.longest) {
            let start = path.get(..length).unwrap_or_default();
            match self.rules.get(start) {
                None => {}
                Some(Kind::Rule(rule)) => {
                    self.refuse_unnamed(start)?;
                    return Ok(Found::Inside(rule));
                }
                Some(Kind::Unnamed) => return Err(NoDocument::Head(written(start))),
                Some(Kind::Function) => return Err(NoDocument::Function(written(path))),
            }
        }
        self.refuse_unnamed(path)?;
        let mut rules: Vec<&RuleName> = Vec::new();
        for (_, kind) in below(&self.rules, path) {
            let Kind::Rule(rule) = kind else { continue };
            // In order of paths whatever lies below a rule follows it at once.
            if !rules
                .last()
                .is_some_and(|last| rule.parts.starts_with(&last.parts))
            {
                rules.push(rule);
            }
        }
        let start = (Bound::Included(path), Bound::Unbounded);
        let packages = self.packages.range::<[String], _>(start);
        let packages: Vec<&[String]> = packages
            .take_while(|package| package.starts_with(path))
            .map(Vec::as_slice)
            .collect();
        if rules.is_empty() && packages.is_empty() {
            return Ok(Found::Base);
        }
        Ok(Found::Above { rules, packages })
    }

    fn refuse_unnamed(&self, path: &[String]) -> Result<(), NoDocument> {
        let mut below = below(&self.rules, path);
        match below.find(|(_, kind)| **kind == Kind::Unnamed) {
            Some((path, _)) => Err(NoDocument::Head(written(path))),
            None => Ok(()),
        }
    }
}

/// Whether data files say something at `path` below `data`, or on the way to it.
pub(in crate::policy) fn says(base: &Value, path: &[String]) -> bool {
    let mut at = base;
    for name in path {
        let Value::Object(members) = at else {
            return true;
        };
        match members.get(&Value::from(name.as_str())) {
            Some(member) => at = member,
            None => return false,
        }
    }
    true
}

/// Everything at `path` and below.
fn below<'a, 'p, T>(
    all: &'a BTreeMap<Vec<String>, T>,
    path: &'p [String],
) -> impl Iterator<Item = (&'a Vec<String>, &'a T)> + use<'a, 'p, T> {
    all.range::<[String], _>((Bound::Included(path), Bound::Unbounded))
        .take_while(move |(found, _)| found.starts_with(path))
}

fn written(path: &[String]) -> String {
    Reference::of(path.iter().cloned()).to_string()
}

fn head_of(rule: &Rule) -> (&Expr, bool) {
    match rule {
        Rule::Default { refr, args, .. } => (refr, !args.is_empty()),
        Rule::Spec { head, .. } => {
            let is_function = matches!(head, RuleHead::Func { .. });
            (parts_of(head).refr, is_function)
        }
    }
}

/// The path below the package by which the engine knows the rule, and whether it knows it by that.
/// As the engine does it: the last bracket goes, unless it has a text in it, or a text's default.
fn parts_below(head: &Expr) -> (Vec<String>, bool) {
    let named = match head {
        Expr::RefBrack { index, refr, .. } if !matches!(index.as_ref(), Expr::String { .. }) => {
            refr.as_ref()
        }
        _ => head,
    };
    let reference = take_apart(named);
    let is_whole = reference.root.is_some()
        && reference.literal.len() == steps(named)
        && reference
            .indexes
            .iter()
            .all(|index| matches!(index.as_ref(), Expr::String { .. }));
    let root = reference.root.map(str::to_owned);
    (
        root.into_iter().chain(reference.literal).collect(),
        is_whole,
    )
}

fn steps(mut expr: &Expr) -> usize {
    let mut steps = 0;
    while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = expr {
        steps += 1;
        expr = refr;
    }
    steps
}
