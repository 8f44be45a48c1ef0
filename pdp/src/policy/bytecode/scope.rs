//! Which names are variables here. A name that could be two things is an obstacle.

use regorus::unstable::Span;

use super::Obstacle;
use super::body::Body;
use super::rules::obstacle;
use super::terms::Sort;

impl<'p> Body<'_, 'p> {
    /// Declares a name of the policy and gives the one it has here.
    pub(super) fn declare(&mut self, span: &'p Span, sort: Sort) -> Result<String, Obstacle> {
        let name = span.text();
        if name == "_" {
            self.unused += 1;
            return Ok(format!("unused{}", self.unused));
        }
        let mut rule = self.names.package().to_vec();
        rule.push(name.to_owned());
        let hides = self.is_local(name)
            || matches!(name, "input" | "data")
            || self.names.import(name).is_some()
            || self.lowering.rules.any_below(&rule);
        if hides {
            return Err(obstacle(span, format!("`{name}` hides another `{name}`")));
        }
        if self.outside.contains(name) {
            return Err(obstacle(
                span,
                format!("`{name}` is used before it is declared"),
            ));
        }
        self.declared.insert(name);
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, sort);
        }
        Ok(format!("v_{name}"))
    }

    /// What the name declared here may be.
    pub(super) fn local(&self, name: &str) -> Option<Sort> {
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| scope.get(name))
            .copied()
    }

    pub(super) fn is_local(&self, name: &str) -> bool {
        self.local(name).is_some()
    }

    /// Whether the name was declared somewhere it is no longer known.
    pub(super) fn was_declared(&self, name: &str) -> bool {
        self.declared.contains(name)
    }
}
