//! Which variables a query or a pattern declares: a name declared there is no rule.
//!
//! Syntax only.

use std::collections::BTreeSet;

use regorus::unstable::{AssignOp, Expr, Literal, Query, Ref, Span};

/// Variables a query declares: `some x`, `some x in …`, `x := …`.
pub(in crate::policy) fn declared_in(query: &Query) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(Span::text)),
            Literal::SomeIn { key, value, .. } => {
                names.extend(variables_in(key.iter().chain([value])));
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr {
                    op: AssignOp::ColEq,
                    lhs,
                    ..
                } = expr.as_ref()
                {
                    names.extend(variables_in([lhs]));
                }
            }
            Literal::NotExpr { .. } | Literal::Every { .. } => {}
        }
    }
    names
}

/// Variables of destructuring patterns.
pub(in crate::policy) fn variables_in<'a>(
    patterns: impl IntoIterator<Item = &'a Ref<Expr>>,
) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    let mut pending: Vec<&Ref<Expr>> = patterns.into_iter().collect();
    while let Some(pattern) = pending.pop() {
        match pattern.as_ref() {
            Expr::Var { span, .. } => {
                names.insert(span.text());
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => pending.extend(items),
            Expr::Object { fields, .. } => {
                pending.extend(fields.iter().map(|(_, _, value)| value));
            }
            _ => {}
        }
    }
    names
}
