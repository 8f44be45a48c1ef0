//! Heads that lose what they have: the engine's interpreter (regorus 0.14.1) forgets what a rule has
//! gathered so far, or fails, when a loop of its body comes to an element for which the head is
//! undefined. `deny contains rule.reason if some rule in …` then denies nothing, where Rego leaves out
//! that element alone.
//!
//! So such a head is refused where it can be undefined for one element and not for another: it takes
//! something apart, or calls something, by a variable of its body. What is bound in the body
//! (`reason := rule.reason`) is left out as it must be. A variable of the body is whatever name is no
//! parameter and stands for nothing outside: how it gets its values (`some`, `:=`, `=`, `walk`) is all one.

use std::collections::BTreeSet;

use regorus::unstable::{Expr, Literal, Query, Ref, Rule};

use super::Refusal;
use super::head::parts_of;
use super::paths::take_apart;
use super::scope::{declared_in, variables_in};
use crate::policy::source;

/// The functions that are defined whatever they are given, as long as that is.
const ALWAYS_DEFINED: [&str; 3] = ["sprintf", source::MEMBER, source::MEMBER_AT];

/// Refuses `rule` of `file` where its head loses members. `outside` are the rules of its package and the
/// imports of its module.
pub(super) fn check(rule: &Rule, file: &str, outside: &BTreeSet<String>) -> Result<(), Refusal> {
    let Rule::Spec { head, bodies, .. } = rule else {
        return Ok(());
    };
    let head = parts_of(head);
    let parameters = variables_in(head.args);
    for body in bodies {
        let own = Own {
            declared: declared_in(&body.query),
            parameters: &parameters,
            outside,
        };
        let value = body.assign.as_ref().or(head.assign);
        let indexes = take_apart(head.refr).indexes;
        let written = head
            .key
            .into_iter()
            .chain(value.map(|assign| &assign.value));
        let parts = written.chain(indexes);
        let lost = parts.into_iter().find(|part| may_be_lost(part, &own));
        if let Some(lost) = lost
            && loops(&body.query)
        {
            let span = lost.span();
            return Err(Refusal::LosesMembers {
                file: file.to_owned(),
                line: span.line,
                written: span.text().to_owned(),
            });
        }
    }
    Ok(())
}

/// Which names are variables of a body.
struct Own<'a> {
    /// Whatever they stand for outside.
    declared: BTreeSet<&'a str>,
    parameters: &'a BTreeSet<&'a str>,
    outside: &'a BTreeSet<String>,
}

impl Own<'_> {
    fn has(&self, name: &str) -> bool {
        let is_known = || {
            matches!(name, "input" | "data")
                || self.parameters.contains(name)
                || self.outside.contains(name)
        };
        self.declared.contains(name) || !is_known()
    }
}

/// Whether `expr` may be undefined for one element of a loop and not for another.
fn may_be_lost(expr: &Expr, own: &Own<'_>) -> bool {
    let any = |parts: &[&Ref<Expr>]| parts.iter().any(|part| may_be_lost(part, own));
    match expr {
        Expr::RefDot { .. } | Expr::RefBrack { .. } => {
            let reference = take_apart(expr);
            reference.base.is_some()
                || reference.root.is_some_and(|root| own.has(root))
                || reference.indexes.iter().any(|index| !is_literal(index))
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().any(|item| may_be_lost(item, own))
        }
        Expr::Object { fields, .. } => fields.iter().any(|(_, name, value)| any(&[name, value])),
        Expr::Call { fcn, params, .. } if ALWAYS_DEFINED.contains(&fcn.span().text()) => {
            params.iter().any(|param| may_be_lost(param, own))
        }
        Expr::Call { params, .. } => params.iter().any(|param| names_one(param, own)),
        Expr::UnaryExpr { expr, .. } => names_one(expr, own),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => names_one(lhs, own) || names_one(rhs, own),
        Expr::Membership {
            value, collection, ..
        } => any(&[value, collection]),
        // Literals, variables (a loop gives each a value), and comprehensions, which are never
        // undefined.
        _ => false,
    }
}

/// Whether `expr` names a variable of the body at all, or may be lost by itself.
fn names_one(expr: &Expr, own: &Own<'_>) -> bool {
    match expr {
        Expr::Var { span, .. } => own.has(span.text()),
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().any(|item| names_one(item, own))
        }
        Expr::Object { fields, .. } => fields
            .iter()
            .any(|(_, name, value)| names_one(name, own) || names_one(value, own)),
        other => may_be_lost(other, own),
    }
}

/// Whether `expr` is what it is written as.
pub(in crate::policy) fn is_literal(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
    )
}

/// Whether the engine may go through `query` more than once: an element at a time. Wrongly so of an
/// index that has its value already, which refuses no more than what is easily written otherwise.
fn loops(query: &Query) -> bool {
    query
        .stmts
        .iter()
        .any(|statement| match &statement.literal {
            Literal::SomeIn { .. } | Literal::SomeVars { .. } => true,
            Literal::Expr { expr, .. } => may_loop(expr),
            Literal::NotExpr { .. } | Literal::Every { .. } => false,
        })
}

fn may_loop(expr: &Expr) -> bool {
    let any = |parts: &[&Ref<Expr>]| parts.iter().any(|part| may_loop(part));
    match expr {
        Expr::RefDot { .. } | Expr::RefBrack { .. } => {
            let reference = take_apart(expr);
            reference.base.is_some_and(may_loop)
                || reference.indexes.iter().any(|index| !is_literal(index))
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().any(|item| may_loop(item))
        }
        Expr::Object { fields, .. } => fields.iter().any(|(_, name, value)| any(&[name, value])),
        Expr::Call { fcn, params, .. } => {
            fcn.span().text() == "walk" || params.iter().any(|param| may_loop(param))
        }
        Expr::UnaryExpr { expr, .. } => may_loop(expr),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => any(&[lhs, rhs]),
        Expr::Membership {
            value, collection, ..
        } => any(&[value, collection]),
        _ => false,
    }
}

#[cfg(test)]
#[path = "lost_tests.rs"]
mod tests;
