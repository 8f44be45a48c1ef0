//! Names that `every` binds, where they are a side of an equation: to the engine such a name has no value yet,
//! so that `every x in xs { x = 1 }` holds whatever is in `xs`. Names bound by `:=` have one:
//! `every x1 in xs { x := x1; x = 1 }`.

use std::fmt::Write as _;

use regorus::unstable::{AssignOp, Expr, Literal, Query, Span};

use super::Walk;
use super::spans::{parts, range};
use crate::policy::gate::scope::variables_in;

impl<'a> Walk<'a> {
    /// Binds `names`, which `every` binds in `query`, by `:=`, where an equation has one of them as a side.
    pub(super) fn bound_by_every(&mut self, names: &[&'a Span], query: &'a Query) {
        let texts: Vec<&str> = names.iter().map(|name| name.text()).collect();
        if !is_in_an_equation(&texts, query) {
            return;
        }
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

/// Whether one of `names` is a side of an equation in `query`, or part of a pattern that is one.
fn is_in_an_equation(names: &[&str], query: &Query) -> bool {
    let mut queries = vec![query];
    let mut pending: Vec<&Expr> = Vec::new();
    loop {
        if let Some(expr) = pending.pop() {
            match expr {
                Expr::AssignExpr {
                    op: AssignOp::Eq,
                    lhs,
                    rhs,
                    ..
                } if variables_in([lhs, rhs])
                    .iter()
                    .any(|name| names.contains(name)) =>
                {
                    return true;
                }
                Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                    queries.push(query);
                    pending.push(term);
                }
                Expr::ObjectCompr {
                    key, value, query, ..
                } => {
                    queries.push(query);
                    pending.extend([key.as_ref(), value.as_ref()]);
                }
                other => pending.extend(parts(other).into_iter().map(AsRef::as_ref)),
            }
            continue;
        }
        let Some(query) = queries.pop() else {
            return false;
        };
        for statement in &query.stmts {
            pending.extend(statement.with_mods.iter().map(|with| with.r#as.as_ref()));
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { collection, .. } => pending.push(collection),
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => pending.push(expr),
                Literal::Every { domain, query, .. } => {
                    pending.push(domain);
                    queries.push(query);
                }
            }
        }
    }
}
