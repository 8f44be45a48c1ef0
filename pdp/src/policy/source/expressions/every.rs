//! Names that `every` binds, where they are a side of an equation: to the engine such a name has no value yet,
//! so that `every x in xs { x = 1 }` holds whatever is in `xs`. Names bound by `:=` have one:
//! `every x1 in xs { x := x1; x = 1 }`.

use std::fmt::Write as _;

use regorus::unstable::{AssignOp, Expr, Query, Span};

use super::Walk;
use super::spans::range;
use crate::policy::gate::scope::variables_in;

impl<'a> Walk<'a> {
    /// Walks the body of an `every` that binds `names`, and binds them by `:=` where one of them is a side of an
    /// equation there, or part of a pattern that is one.
    pub(super) fn body_of_every(&mut self, names: &[&'a Span], query: &'a Query) {
        let outer = std::mem::take(&mut self.equated);
        let outer_names = self.every.len();
        self.every.extend(names.iter().map(|name| name.text()));
        self.scopes
            .push(names.iter().map(|name| name.text()).collect());
        self.query(query);
        self.scopes.pop();
        self.every.truncate(outer_names);
        if names.iter().any(|name| self.equated.contains(name.text())) {
            self.bound_by_every(names, query);
        }
        self.equated.extend(outer);
    }

    /// Remembers the names that are a side of `expr`, if it is an equation, or part of one.
    pub(super) fn equates(&mut self, expr: &'a Expr) {
        if let Expr::AssignExpr {
            op: AssignOp::Eq,
            lhs,
            rhs,
            ..
        } = expr
        {
            self.equated.extend(variables_in([lhs, rhs]));
        }
    }

    fn bound_by_every(&mut self, names: &[&'a Span], query: &'a Query) {
        let (start, _) = range(&query.span);
        // The body's own bracket: the engine's span of it begins there, or behind it.
        let before = self.source.get(..=start).unwrap_or_default();
        let Some(bracket) = before.rfind('{') else {
            self.too_deep = true;
            return;
        };
        let mut bindings = String::from("{ ");
        for name in names.iter().filter(|name| name.text() != "_") {
            let fresh = self.next_name();
            let (start, end) = range(name);
            self.edits.insert(start, (end, fresh.clone()));
            let _ = write!(bindings, "{} := {fresh}; ", name.text());
        }
        self.edits.insert(bracket, (bracket + 1, bindings));
    }
}
