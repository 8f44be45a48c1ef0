//! Objects as patterns: the engine takes an object with more members for one of those that are written, OPA
//! only one with just those. A pattern that may bind a name is refused.

use std::collections::BTreeSet;

use regorus::unstable::{AssignOp, Expr, Literal, Query, Ref, Span};

use super::Walk;
use crate::policy::gate::Refusal;

impl<'a> Walk<'a> {
    /// Refuses parameters that are such patterns.
    pub(super) fn parameters(&mut self, parameters: &'a [Ref<Expr>]) {
        for parameter in parameters {
            if binds(parameter, &|_| true) {
                self.refuse_pattern(parameter);
            }
        }
    }

    /// Refuses what a statement binds by such patterns.
    pub(super) fn bound_by(&mut self, literal: &'a Literal) {
        match literal {
            Literal::SomeIn { key, value, .. } => {
                for pattern in key.iter().chain([value]) {
                    if binds(pattern, &|_| true) {
                        self.refuse_pattern(pattern);
                    }
                }
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { op, lhs, rhs, .. } = expr.as_ref() {
                    match op {
                        AssignOp::Eq => self.equation(lhs, rhs),
                        AssignOp::ColEq if binds(lhs, &|_| true) => self.refuse_pattern(lhs),
                        AssignOp::ColEq => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn equation(&mut self, left: &'a Expr, right: &'a Expr) {
        // What is written as an object on both sides, the engine compares member by member.
        if let (Expr::Object { fields: left, .. }, Expr::Object { fields: right, .. }) =
            (left, right)
            && left.len() == right.len()
        {
            for ((_, _, left), (_, _, right)) in left.iter().zip(right) {
                self.equation(left, right);
            }
            return;
        }
        for (pattern, other) in [(left, right), (right, left)] {
            // A new name gets the object as its value.
            let is_new = matches!(other, Expr::Var { span, .. } if self.may_be_new(span.text()));
            if !is_new && binds(pattern, &|name| self.may_be_new(name)) {
                self.refuse_pattern(pattern);
            }
        }
    }

    /// Whether `name` may have no value before.
    fn may_be_new(&self, name: &str) -> bool {
        let local = self.scopes.iter().any(|scope| scope.contains(name));
        let declared_only = self.somes.iter().any(|somes| somes.contains(name));
        declared_only || !local && self.elsewhere(name).is_none()
    }

    fn refuse_pattern(&mut self, pattern: &Expr) {
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
