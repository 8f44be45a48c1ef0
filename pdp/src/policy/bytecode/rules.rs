//! The rules that an entry point needs, written anew for the bytecode compiler: all in one package,
//! under numbers, so that no import, package or document can be taken for another.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regorus::Value;
use regorus::unstable::{Module, Ref, Rule, Span};

use super::super::footprint::Place;
use super::super::footprint::rules::Rules;
use super::super::gate::paths::{Names, Path};
use super::Obstacle;
use super::body::Body;
use super::definition::{agree, definition_of};
use super::index;

/// The package of the lowered rules. Data is below another name (`builtins::DATA`).
pub(super) const PACKAGE: &str = "lowered";

/// A policy set as the bytecode compiler gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Lowered {
    /// Rego; its rule `r0` is the entry point.
    pub text: String,
    /// How many loops the program must have, and no more.
    pub loops: usize,
    /// How many comprehensions.
    pub comprehensions: usize,
    /// How many calls of functions of its own.
    pub calls: usize,
}

/// The rules written so far, and those to write.
pub(super) struct Lowering<'p> {
    pub rules: &'p Rules<'p>,
    data: &'p Value,
    packages: Vec<&'p [String]>,
    numbers: BTreeMap<Path, usize>,
    pending: Vec<Path>,
    pub loops: usize,
    pub comprehensions: usize,
    pub calls: usize,
    /// Rules that are nodes of `index`.
    nodes: usize,
}

/// Writes what `entry_point` needs of `modules`, or says what stands in the way.
pub(in crate::policy) fn lower(
    modules: &[Ref<Module>],
    entry_point: &str,
    data: &Value,
) -> Result<Lowered, Obstacle> {
    let rules = Rules::of(modules);
    let mut lowering = Lowering {
        packages: rules.names.iter().map(Names::package).collect(),
        rules: &rules,
        data,
        numbers: BTreeMap::new(),
        pending: Vec::new(),
        loops: 0,
        comprehensions: 0,
        calls: 0,
        nodes: 0,
    };
    let entry: Path = entry_point.split('.').map(str::to_owned).collect();
    lowering.number(&entry, &Place::default())?;
    let mut text = format!("package {PACKAGE}\n");
    while let Some(path) = lowering.pending.pop() {
        lowering.group(&path, &mut text)?;
    }
    Ok(Lowered {
        text,
        loops: lowering.loops,
        comprehensions: lowering.comprehensions,
        calls: lowering.calls,
    })
}

/// An obstacle at `span`.
pub(super) fn obstacle(span: &Span, construct: impl Into<String>) -> Obstacle {
    Obstacle::Construct {
        place: Place::of(span),
        construct: construct.into(),
    }
}

impl Lowering<'_> {
    /// The number of the rule at `path`, which will be written.
    pub(super) fn number(&mut self, path: &[String], place: &Place) -> Result<usize, Obstacle> {
        if let Some(number) = self.numbers.get(path) {
            return Ok(*number);
        }
        let at = |construct: String| Obstacle::Construct {
            place: place.clone(),
            construct,
        };
        let name = path.join(".");
        let Some(group) = self.rules.get(path) else {
            return Err(at(format!("`{name}` is not a rule")));
        };
        if path.len() != group.package + 1 {
            return Err(at(format!("the rule `{name}` has a name of several parts")));
        }
        let overlaps = |other: &[String]| other.len() > path.len() && other.starts_with(path);
        if self.rules.at_or_below(path).count() > 1 || self.packages.iter().any(|p| overlaps(p)) {
            return Err(at(format!("`{name}` is a rule and a package")));
        }
        if self.is_data(path) {
            return Err(at(format!("`{name}` is a rule and a document of data")));
        }
        let number = self.numbers.len();
        self.numbers.insert(path.to_owned(), number);
        self.pending.push(path.to_owned());
        Ok(number)
    }

    /// Whether a data file gives `path` or something above it a value that is no object.
    fn is_data(&self, path: &[String]) -> bool {
        let mut at = self.data;
        for name in path.iter().skip(1) {
            match at {
                Value::Object(_) => at = &at[name.as_str()],
                Value::Undefined => return false,
                _ => return true,
            }
        }
        *at != Value::Undefined
    }

    fn group(&mut self, path: &[String], text: &mut String) -> Result<(), Obstacle> {
        let rules = self.rules;
        let number = self.numbers.get(path).copied().unwrap_or_default();
        let mut defaults = 0;
        let mut definitions = Vec::new();
        for definition in rules.get(path).map_or(&[][..], |group| group.definitions()) {
            let Some(names) = rules.names.get(definition.module) else {
                continue;
            };
            match definition.rule {
                Rule::Default {
                    value, args, span, ..
                } => {
                    defaults += 1;
                    let value = Body::new(self, names).term(value)?;
                    if !args.is_empty() {
                        return Err(obstacle(span, "a function with a default"));
                    }
                    if defaults > 1 || !value.constant {
                        return Err(obstacle(span, "a default that is not one constant"));
                    }
                    let _ = writeln!(text, "default r{number} := {}", value.text);
                }
                Rule::Spec { head, bodies, span } => {
                    let mut body = Body::new(self, names);
                    let definition = definition_of(&mut body, number, head, bodies, span)?;
                    definitions.push(definition);
                }
            }
        }
        agree(&definitions, defaults > 0)?;
        index::write(&definitions, &mut self.nodes, text);
        Ok(())
    }
}
