//! Objects as patterns: the engine takes an object with more members for one of those that are written, OPA
//! only one with just those. A pattern that may bind a name gets a guard (`exact`), or is refused.

use std::collections::BTreeSet;

use regorus::unstable::{AssignOp, Expr, Literal, Query, Ref, RuleBody, Span};

use super::Walk;
use crate::policy::gate::Refusal;
use crate::policy::gate::scope::variables_in;

impl<'a> Walk<'a> {
    /// Gives parameters that are such patterns a name. What must hold of them, in front of each body.
    pub(super) fn parameters(
        &mut self,
        parameters: &'a [Ref<Expr>],
        bodies: &'a [RuleBody],
    ) -> String {
        let mut guards = String::new();
        self.refuse_shared(parameters.iter());
        for parameter in parameters {
            if !binds(parameter, &|_| true) {
                continue;
            }
            let has_bodies = bodies.iter().all(|body| !body.query.stmts.is_empty());
            match self.named(parameter) {
                Some(guard) if has_bodies && !bodies.is_empty() => guards.push_str(&guard),
                _ => self.refuse_pattern(parameter),
            }
        }
        guards
    }

    /// Refuses what a statement binds by such patterns, but for one that can be given a guard: that
    /// pattern, and what it is compared with.
    pub(super) fn bound_by(&mut self, literal: &'a Literal) -> Option<(&'a Expr, &'a Expr)> {
        match literal {
            Literal::SomeIn { key, value, .. } => {
                self.refuse_shared(key.iter().chain([value]));
                for pattern in key.iter().chain([value]) {
                    if binds(pattern, &|_| true) {
                        self.refuse_pattern(pattern);
                    }
                }
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { op, lhs, rhs, .. } = expr.as_ref() {
                    match op {
                        AssignOp::Eq => return self.equation(lhs, rhs, true),
                        AssignOp::ColEq if binds(lhs, &|_| true) => self.refuse_pattern(lhs),
                        AssignOp::ColEq => {}
                    }
                }
            }
            _ => {}
        }
        None
    }

    fn equation(
        &mut self,
        left: &'a Expr,
        right: &'a Expr,
        is_whole: bool,
    ) -> Option<(&'a Expr, &'a Expr)> {
        // What is written as an object on both sides, the engine compares member by member.
        if let (Expr::Object { fields: left, .. }, Expr::Object { fields: right, .. }) =
            (left, right)
            && left.len() == right.len()
        {
            for ((_, _, left), (_, _, right)) in left.iter().zip(right) {
                self.equation(left, right, false);
            }
            return None;
        }
        for (pattern, other) in [(left, right), (right, left)] {
            // A new name gets the object as its value.
            let is_new = matches!(other, Expr::Var { span, .. } if self.may_be_new(span.text()));
            if !is_new && binds(pattern, &|name| self.may_be_new(name)) {
                let has_value = matches!(
                    other,
                    Expr::Var { .. }
                        | Expr::RefDot { .. }
                        | Expr::RefBrack { .. }
                        | Expr::Call { .. }
                );
                if is_whole && has_value && self.can_be_exact(pattern) {
                    return Some((pattern, other));
                }
                self.refuse_pattern(pattern);
            }
        }
        None
    }

    /// Whether `name` may have no value before.
    fn may_be_new(&self, name: &str) -> bool {
        let local = self.scopes.iter().any(|scope| scope.contains(name));
        let declared_only = self.somes.iter().any(|somes| somes.contains(name));
        declared_only || !local && self.elsewhere(name).is_none()
    }

    /// Refuses patterns that share a name: the engine keeps the last value, OPA wants them to be the same.
    fn refuse_shared<'p>(&mut self, patterns: impl Iterator<Item = &'p Ref<Expr>>) {
        let mut seen = BTreeSet::new();
        for pattern in patterns {
            let mut names = variables_in([pattern]);
            names.remove("_");
            if let Some(name) = names.intersection(&seen).next() {
                let span = pattern.span();
                self.refused.get_or_insert(Refusal::NamedTwice {
                    file: span.source.file().clone(),
                    line: span.line,
                    name: (*name).to_owned(),
                });
            }
            seen.extend(names);
        }
    }

    pub(super) fn refuse_pattern(&mut self, pattern: &Expr) {
        let span = pattern.span();
        self.refused.get_or_insert(Refusal::ObjectPattern {
            file: span.source.file().clone(),
            line: span.line,
        });
    }
}

/// Names that `some x` declares in `query`, without a value.
pub(super) fn declared_only(query: &Query) -> BTreeSet<&str> {
    let vars = query
        .stmts
        .iter()
        .filter_map(|statement| match &statement.literal {
            Literal::SomeVars { vars, .. } => Some(vars),
            _ => None,
        });
    vars.flatten().map(Span::text).collect()
}

/// Whether an object in `pattern` has a name of that kind in it. `_` is one.
fn binds(pattern: &Expr, is_new: &impl Fn(&str) -> bool) -> bool {
    let mut pending = vec![(pattern, false)];
    while let Some((part, in_object)) = pending.pop() {
        match part {
            Expr::Var { span, .. } if in_object && is_new(span.text()) => return true,
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                pending.extend(items.iter().map(|item| (item.as_ref(), in_object)));
            }
            Expr::Object { fields, .. } => {
                pending.extend(fields.iter().map(|(_, _, value)| (value.as_ref(), true)));
            }
            _ => {}
        }
    }
    false
}
