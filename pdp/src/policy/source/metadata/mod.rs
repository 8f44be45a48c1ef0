//! `rego.metadata.chain()` and `rego.metadata.rule()` become what they say: the annotations of the rule that
//! calls them, and of what is around it, as OPA's compiler puts them in their place.
//!
//! All modules are read, or none: where one has a block of metadata that is not understood (`block`), or a call
//! stands in a rule with an `else`, in a default, a head or a template string, calls stay, and the gate refuses
//! them by name. Nothing is read unless something calls.

mod block;
mod module;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use serde_json::{Map, Value as Json, json};

use self::block::Block;
use self::module::{Call, Kind, Module, Statement};
use super::Replaced;
use super::token::Token;

/// The texts for calls, of each module.
pub(super) fn rewrite(all: &[&[Token<'_>]]) -> Vec<Replaced> {
    let mut replaced: Vec<Replaced> = vec![Replaced::new(); all.len()];
    if all.iter().any(|tokens| module::may_call(tokens)) {
        let modules: Option<Vec<Module>> = all.iter().map(|tokens| Module::read(tokens)).collect();
        let annotations = modules.as_deref().and_then(Annotations::of);
        for (place, module) in modules.iter().flatten().enumerate() {
            if let (Some(annotations), Some(own)) = (&annotations, replaced.get_mut(place)) {
                write(module, place, annotations, own);
            }
        }
    }
    replaced
}

/// Writes the text of each call. It is a list, or an element of one: such stand wherever a call does, and an
/// object would be a body behind `if`.
fn write(module: &Module, place: usize, annotations: &Annotations, replaced: &mut Replaced) {
    for Call {
        tokens,
        statement,
        chain,
    } in &module.calls
    {
        let Some(rule) = module.statements.get(*statement) else {
            continue;
        };
        let text = if *chain {
            annotations
                .chain(module, place, rule)
                .map(|chain| chain.to_string())
        } else {
            Some(format!("[{}][0]", annotations.rule(place, rule)))
        };
        if let Some(text) = text {
            replaced.extend(tokens.clone().map(|token| (token, String::new())));
            replaced.insert(tokens.start, text);
        }
    }
}

/// One annotation.
struct Annotation {
    /// Number of its module, and its line there.
    place: usize,
    line: usize,
    scope: Scope,
    /// What it is attached to.
    path: Vec<String>,
    /// The line of that.
    target: usize,
    object: Json,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Rule,
    Document,
    Package,
    Subpackages,
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Document => "document",
            Self::Package => "package",
            Self::Subpackages => "subpackages",
        }
    }
}

/// All annotations.
struct Annotations(Vec<Annotation>);

impl Annotations {
    /// Those of all modules; none where OPA would refuse one, or could take it for another's.
    fn of(modules: &[Module]) -> Option<Self> {
        let mut all = Vec::new();
        for (place, module) in modules.iter().enumerate() {
            for (line, block) in &module.blocks {
                all.push(Annotation::of(module, place, *line, block)?);
            }
        }
        let packages: Vec<&[String]> = modules.iter().map(|module| &*module.package).collect();
        let clash = all.iter().enumerate().any(|(number, one)| {
            let others = all.iter().enumerate().filter(|(other, _)| *other != number);
            let twice = |other: &Annotation| match one.scope {
                Scope::Rule => false,
                Scope::Document => {
                    matches!(other.scope, Scope::Document | Scope::Subpackages)
                        && other.path.starts_with(&one.path)
                }
                _ => other.scope == one.scope && other.path == one.path,
            };
            let of_package = || {
                packages
                    .iter()
                    .any(|package| package.starts_with(&one.path))
            };
            others.into_iter().any(|(_, other)| twice(other))
                || (one.scope == Scope::Document && of_package())
        });
        (!clash).then_some(Self(all))
    }

    /// Those of one rule, the nearest first.
    fn of_rule(&self, place: usize, rule: &Statement) -> Vec<&Annotation> {
        let of = |one: &&Annotation| {
            one.scope == Scope::Rule && one.place == place && one.target == rule.line
        };
        let mut own: Vec<&Annotation> = self.0.iter().filter(of).collect();
        own.sort_by_key(|one| Reverse(one.line));
        own
    }

    /// Of several the farthest, which OPA 1.20 takes, though in the chain it comes last.
    fn rule(&self, place: usize, rule: &Statement) -> Json {
        let own = self.of_rule(place, rule);
        own.last()
            .map_or_else(|| json!({}), |one| one.object.clone())
    }

    fn chain(&self, module: &Module, place: usize, rule: &Statement) -> Option<Json> {
        let path = module.path_of(rule)?;
        let mut links: Vec<&Annotation> = self.of_rule(place, rule);
        let alone = links.is_empty();
        let of = |scope, path: &[String]| {
            let found = self
                .0
                .iter()
                .find(|one| one.scope == scope && one.path == path);
            found.into_iter()
        };
        links.extend(of(Scope::Document, &path));
        links.extend(of(Scope::Package, &module.package));
        for length in (1..=module.package.len()).rev() {
            let around = module.package.get(..length).unwrap_or_default();
            links.extend(of(Scope::Subpackages, around));
        }
        let first = alone.then(|| json!({"path": path}));
        let link = |one: &Annotation| json!({"path": one.path, "annotations": one.object});
        let links = links.into_iter().map(link);
        Some(first.into_iter().chain(links).collect())
    }
}

impl Annotation {
    fn of(module: &Module, place: usize, line: usize, block: &Block) -> Option<Self> {
        let target = module.statements.iter().find(|one| one.line > line)?;
        let (usual, path) = match &target.kind {
            Kind::Package => (Scope::Package, module.package.clone()),
            Kind::Rule(_) if block.entrypoint => (Scope::Document, module.path_of(target)?),
            Kind::Rule(_) => (Scope::Rule, module.path_of(target)?),
            Kind::Import => return None,
        };
        let of_rule = matches!(usual, Scope::Rule | Scope::Document);
        let scope = match block.scope.as_deref() {
            None => usual,
            Some("rule") if of_rule => Scope::Rule,
            Some("document") if of_rule => Scope::Document,
            Some("package") if !of_rule => Scope::Package,
            Some("subpackages") if !of_rule => Scope::Subpackages,
            Some(_) => return None,
        };
        if block.entrypoint && !matches!(scope, Scope::Document | Scope::Package) {
            return None;
        }
        let mut object: Map<String, Json> = block.members.clone();
        object.insert("scope".to_owned(), Json::from(scope.name()));
        Some(Self {
            place,
            line,
            scope,
            path,
            target: target.line,
            object: Json::Object(object),
        })
    }
}
