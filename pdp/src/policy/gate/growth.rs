//! How often a policy may put a value into another: `x1 := [x0, x0]; x2 := [x1, x1]; …` doubles it in each
//! step, without taking memory, for what is shared is there once. Whoever then compares it, or writes it
//! down, takes longer than anyone lives, and no timer reaches inside.
//!
//! Counted by reading: how many copies of the largest thing that it is made of a value may hold, each
//! comprehension taken for one turn of its loop. What loops make takes steps, which the timer counts, and
//! built-in functions look at what they are given (`bounded`).

use std::collections::BTreeMap;
use std::rc::Rc;

use regorus::unstable::{ArithOp, Expr, Literal, LiteralStmt, Query, Ref, Rule};

use super::Refusal;
use super::copies::{self, Known};
use super::head::parts_of;
use super::paths::{Names, take_apart};
use super::scope::{declared_in, variables_in};

/// Copies that a value may hold.
const MAX_COPIES: u64 = 1 << 20;

/// A rule or a part of one, where it stands.
pub(super) struct Written<'m> {
    pub(super) rule: &'m Rule,
    pub(super) names: Rc<Names>,
    pub(super) file: String,
}

/// Refuses the first of `rules` whose value may hold too much. They are in an order in which each comes after
/// those that it needs.
pub(super) fn check<'m>(
    rules: impl Iterator<Item = (&'m [String], &'m [Written<'m>])>,
) -> Result<(), Refusal> {
    let mut known = Known::default();
    for (path, parts) in rules {
        let mut copies = 0_u64;
        for part in parts {
            let mut reader = Reader {
                known: &known,
                names: &part.names,
                most: 0,
            };
            copies = copies.saturating_add(reader.rule(part.rule));
            if copies.max(reader.most) > MAX_COPIES {
                return Err(Refusal::Grows {
                    file: part.file.clone(),
                    line: part.rule.span().line,
                    rule: path.join("."),
                });
            }
        }
        known.insert(path, copies);
    }
    Ok(())
}

/// What variables hold.
type Held<'m> = BTreeMap<&'m str, u64>;

struct Reader<'a> {
    known: &'a Known<'a>,
    names: &'a Names,
    /// The most that anything on the way holds.
    most: u64,
}

impl Reader<'_> {
    fn rule<'m>(&mut self, rule: &'m Rule) -> u64 {
        match rule {
            Rule::Default { value, .. } => self.expr(value, &Held::new()),
            Rule::Spec { head, bodies, .. } => {
                let head = parts_of(head);
                let given = variables_in(head.args).into_iter();
                let given: Held<'m> = given.map(|name| (name, 1)).collect();
                let assigned = head.assign.map(|assign| &assign.value);
                if bodies.is_empty() {
                    return self.all(head.key.into_iter().chain(assigned), &given);
                }
                let mut copies = 0_u64;
                for body in bodies {
                    let bound = self.query(&body.query, given.clone());
                    let value = body
                        .assign
                        .as_ref()
                        .map(|assign| &assign.value)
                        .or(assigned);
                    let own = self.all(head.key.into_iter().chain(value), &bound);
                    copies = copies.saturating_add(own);
                }
                copies
            }
        }
    }

    /// What variables hold within `query`, beside those `outside` of it.
    fn query<'m>(&mut self, query: &'m Query, outside: Held<'m>) -> Held<'m> {
        let mut held = outside;
        for name in declared_in(query) {
            held.remove(name);
        }
        // Statements may stand in any order: each turn learns more, until it has all or too much.
        for _ in 0..=query.stmts.len() {
            let before = held.clone();
            for statement in &query.stmts {
                self.statement(statement, &mut held);
            }
            if held == before || self.most > MAX_COPIES {
                break;
            }
        }
        held
    }

    fn statement<'m>(&mut self, statement: &'m LiteralStmt, held: &mut Held<'m>) {
        // What `with` puts in the place of something may be more.
        let others = statement.with_mods.iter();
        let others = others.map(|with| self.expr(&with.r#as, held));
        let others = others.max().unwrap_or(1).max(1);
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn {
                key,
                value,
                collection,
                ..
            } => {
                let copies = self.expr(collection, held).saturating_mul(others);
                learn(variables_in(key.iter().chain([value])), copies, held);
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { lhs, rhs, .. } = expr.as_ref() {
                    let (left, right) = (self.expr(lhs, held), self.expr(rhs, held));
                    learn(variables_in([lhs]), right.saturating_mul(others), held);
                    learn(variables_in([rhs]), left.saturating_mul(others), held);
                } else {
                    let copies = self.expr(expr, held).saturating_mul(others);
                    out_argument(expr, copies, held);
                }
            }
            Literal::NotExpr { expr, .. } => {
                self.expr(expr, held);
            }
            Literal::Every {
                key,
                value,
                domain,
                query,
                ..
            } => {
                let copies = self.expr(domain, held);
                let mut inside = held.clone();
                for name in key.iter().chain([value]) {
                    inside.insert(name.text(), copies);
                }
                self.query(query, inside);
            }
        }
    }

    fn all<'m>(&mut self, parts: impl Iterator<Item = &'m Ref<Expr>>, held: &Held<'m>) -> u64 {
        let copies = parts.map(|part| self.expr(part, held));
        copies.fold(0, u64::saturating_add)
    }

    /// How much an expression holds.
    fn expr<'m>(&mut self, expr: &'m Expr, held: &Held<'m>) -> u64 {
        let copies = self.parts(expr, held);
        self.most = self.most.max(copies);
        copies
    }

    fn parts<'m>(&mut self, expr: &'m Expr, held: &Held<'m>) -> u64 {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => 0,
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(expr, held)
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.all(items.iter(), held),
            Expr::Object { fields, .. } => {
                let parts = fields.iter().flat_map(|(_, name, value)| [name, value]);
                self.all(parts, held)
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                let held = self.query(query, held.clone());
                self.expr(term, &held)
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                let held = self.query(query, held.clone());
                self.all([key, value].into_iter(), &held)
            }
            Expr::Call { fcn, params, .. } => self.call(fcn, params, held),
            Expr::UnaryExpr { expr, .. } => self.expr(expr, held),
            Expr::BinExpr { lhs, rhs, .. } | Expr::AssignExpr { lhs, rhs, .. } => {
                self.all([lhs, rhs].into_iter(), held)
            }
            Expr::ArithExpr { op, lhs, rhs, .. } => {
                let (left, right) = (self.expr(lhs, held), self.expr(rhs, held));
                // A product has the digits of both.
                match op {
                    ArithOp::Mul => left.max(1).saturating_add(right.max(1)),
                    _ => left.max(right),
                }
            }
            Expr::BoolExpr { lhs, rhs, .. } => {
                self.all([lhs, rhs].into_iter(), held);
                0
            }
            Expr::Membership {
                key,
                value,
                collection,
                ..
            } => {
                self.all(key.iter().chain([value, collection]), held);
                0
            }
        }
    }

    fn reference<'m>(&mut self, expr: &'m Expr, held: &Held<'m>) -> u64 {
        let reference = take_apart(expr);
        self.all(reference.indexes.into_iter(), held);
        if let Some(base) = reference.base {
            return self.expr(base, held);
        }
        let Some(root) = reference.root else { return 1 };
        if let Some(copies) = held.get(root) {
            return *copies;
        }
        let path = self.names.resolve(root, &reference.literal);
        path.map_or(1, |path| self.known.document(&path))
    }

    fn call<'m>(&mut self, function: &'m Expr, params: &'m [Ref<Expr>], held: &Held<'m>) -> u64 {
        let name = take_apart(function);
        let most = params.iter().map(|param| self.expr(param, held)).max();
        let most = most.unwrap_or(0);
        let path = name
            .root
            .and_then(|root| self.names.resolve(root, &name.named));
        if let Some(own) = path.and_then(|path| self.known.rule(&path)) {
            return own.saturating_mul(most.max(1));
        }
        if copies::is_holding(name.root, &name.named) {
            return self.all(params.iter(), held);
        }
        1
    }
}

/// `f(x, y)` as a statement may give `y` what `f(x)` is.
fn out_argument<'m>(expr: &'m Expr, copies: u64, held: &mut Held<'m>) {
    if let Expr::Call { params, .. } = expr {
        let unknown = variables_in(params.last()).into_iter();
        let unknown: Vec<&str> = unknown.filter(|name| !held.contains_key(name)).collect();
        learn(unknown, copies, held);
    }
}

fn learn<'m>(names: impl IntoIterator<Item = &'m str>, copies: u64, held: &mut Held<'m>) {
    for name in names {
        let known = held.entry(name).or_insert(1);
        *known = copies.max(*known);
    }
}

#[cfg(test)]
#[path = "growth_tests.rs"]
mod tests;
