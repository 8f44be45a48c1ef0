//! The variables that a query binds: those that OPA tells what they stand for.
//!
//! Syntax only. Those of comprehensions and of `every` are their own, as are wildcards; what a `not` binds
//! is bound nowhere else.

use std::collections::BTreeSet;

use regorus::unstable::{Expr, Literal, LiteralStmt, Module, Query, Ref, Rule, Span};

use crate::policy::gate::head::parts_of;
use crate::policy::gate::paths::take_apart;
use crate::policy::gate::scope::variables_in;

/// What a query binds.
pub(super) struct Bound<'t> {
    /// Its variables.
    pub(super) variables: BTreeSet<&'t str>,
    /// Where a name stands that nothing in the query can bind, if one does.
    pub(super) unbound: Option<&'t Span>,
    /// Whether it is one expression whose value OPA takes as it is, be it `false`.
    pub(super) is_bare: bool,
}

/// What the query in `tree` binds, of the names that its author wrote; none where `tree` is anything but
/// one rule made of one comprehension.
pub(super) fn bound_by<'t>(tree: &'t Module, written: &BTreeSet<&str>) -> Option<Bound<'t>> {
    let query = query_of(tree)?;
    let mut walk = Walk::default();
    query
        .stmts
        .iter()
        .for_each(|statement| walk.statement(statement));
    let is_bare = match query.stmts.as_slice() {
        [only] => is_value(only) && !walk.loops,
        _ => false,
    };
    let is_own = |name: &str| written.contains(name) && !matches!(name, "_" | "input" | "data");
    let mut used = walk.used.iter().filter(|span| is_own(span.text()));
    let unbound = used.find(|span| !walk.binding.contains(span.text()));
    let variables = walk.binding.iter().copied().filter(|name| is_own(name));
    Some(Bound {
        variables: variables.collect(),
        unbound: unbound.copied(),
        is_bare,
    })
}

fn query_of(tree: &Module) -> Option<&Query> {
    let ([rule], []) = (tree.policy.as_slice(), tree.imports.as_slice()) else {
        return None;
    };
    let Rule::Spec { head, bodies, .. } = rule.as_ref() else {
        return None;
    };
    let head = parts_of(head);
    let value = &head.assign.filter(|_| bodies.is_empty())?.value;
    match value.as_ref() {
        Expr::ArrayCompr { term, query, .. } if is_one(term) => Some(query),
        _ => None,
    }
}

/// The term that `text` gave the comprehension, so that the query did not end it and begin another.
fn is_one(term: &Expr) -> bool {
    matches!(term, Expr::Number { span, .. } if span.text() == "1" && span.line == 3)
}

/// Whether a statement has a value of its own: not one that binds or loops over what is in a collection.
fn is_value(statement: &LiteralStmt) -> bool {
    match &statement.literal {
        Literal::Expr { expr, .. } => !matches!(expr.as_ref(), Expr::AssignExpr { .. }),
        Literal::SomeVars { .. }
        | Literal::SomeIn { .. }
        | Literal::NotExpr { .. }
        | Literal::Every { .. } => false,
    }
}

#[derive(Default)]
struct Walk<'t> {
    /// Where each name stands.
    used: Vec<&'t Span>,
    /// Those that stand where they may be bound.
    binding: BTreeSet<&'t str>,
    /// Whether a reference has a variable for an index, which may stand for several.
    loops: bool,
}

impl<'t> Walk<'t> {
    fn statement(&mut self, statement: &'t LiteralStmt) {
        match &statement.literal {
            Literal::SomeVars { vars, .. } => self.binding.extend(vars.iter().map(Span::text)),
            Literal::SomeIn {
                key,
                value,
                collection,
                ..
            } => {
                self.pattern(key.iter().chain([value]));
                self.expr(collection);
            }
            Literal::Expr { expr, .. } => self.expr(expr),
            Literal::Every { domain, .. } => self.expr(domain),
            // What is an index inside of it is bound outside, or is not at all.
            Literal::NotExpr { expr, .. } => {
                let outside = self.binding.clone();
                self.expr(expr);
                self.binding = outside;
            }
        }
    }

    /// What takes its values apart.
    fn pattern(&mut self, exprs: impl IntoIterator<Item = &'t Ref<Expr>> + Clone) {
        self.binding.extend(variables_in(exprs.clone()));
        self.all(exprs);
    }

    fn all(&mut self, exprs: impl IntoIterator<Item = &'t Ref<Expr>>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &'t Expr) {
        match expr {
            Expr::Var { span, .. } => self.used.push(span),
            Expr::RefDot { refr, .. } => self.expr(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.loops |= matches!(index.as_ref(), Expr::Var { .. });
                self.expr(refr);
                self.pattern([index]);
            }
            Expr::Call { fcn, params, .. } => {
                self.loops |= take_apart(fcn).root == Some("walk");
                // The last may be one too many: what the function gives.
                self.pattern(params);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.all(items),
            Expr::Object { fields, .. } => {
                for (_, name, value) in fields {
                    self.all([name, value]);
                }
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. } => self.all([lhs, rhs]),
            Expr::AssignExpr { lhs, rhs, .. } => self.pattern([lhs, rhs]),
            Expr::Membership {
                key,
                value,
                collection,
                ..
            } => self.all(key.iter().chain([value, collection])),
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::ArrayCompr { .. }
            | Expr::SetCompr { .. }
            | Expr::ObjectCompr { .. } => {}
        }
    }
}
