//! One rule, statement by statement: what its expressions read and what its names may be.
//!
//! Scopes are not told apart: two variables of one name in one definition are one, and a name that a
//! rule has too may be either. References and calls are in `reference`.

use std::collections::BTreeSet;

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref, Rule};

use super::super::gate::head::{Head, parts_of};
use super::super::gate::paths::{Names, take_apart};
use super::super::gate::scope::variables_in;
use super::analysis::{Place, Why};
use super::flow::Flow;
use super::origin::Origins;
use super::rules::Group;

/// The definition of a rule that is being walked.
pub(super) struct Walk<'w, 'p> {
    pub flow: &'w mut Flow<'p>,
    pub names: &'p Names,
    /// The rule it belongs to.
    pub path: &'w [String],
    /// Which of the definitions of that rule.
    pub definition: usize,
    /// Names of arguments: these hide rules of the same name from beginning to end.
    pub arguments: BTreeSet<&'p str>,
}

/// Walks all definitions of the rule at `path`.
pub(super) fn rule(flow: &mut Flow<'_>, path: &[String]) {
    let rules = flow.rules;
    let definitions = rules.get(path).map(Group::definitions).unwrap_or_default();
    for (number, definition) in definitions.iter().enumerate() {
        let Some(names) = rules.names.get(definition.module) else {
            continue;
        };
        let walk = Walk {
            flow: &mut *flow,
            names,
            path,
            definition: number,
            arguments: BTreeSet::new(),
        };
        walk.definition(definition.rule);
    }
}

impl<'p> Walk<'_, 'p> {
    fn definition(mut self, rule: &'p Rule) {
        match rule {
            Rule::Default { value, args, .. } => {
                self.declare(args);
                self.gives(value);
            }
            Rule::Spec { head, bodies, .. } => {
                let head = parts_of(head);
                self.declare(head.args);
                for body in bodies {
                    self.query(&body.query);
                    if let Some(assign) = &body.assign {
                        self.head_value(&head, &assign.value);
                    }
                }
                self.head(&head);
            }
        }
    }

    /// Arguments that are plain names may be what calls hand over; a pattern looks into it.
    fn declare(&mut self, patterns: &'p [Ref<Expr>]) {
        self.arguments = variables_in(patterns);
        let plain = |pattern: &Ref<Expr>| matches!(pattern.as_ref(), Expr::Var { .. });
        // One name twice is a comparison.
        let plain = patterns.iter().all(plain) && self.arguments.len() == patterns.len();
        for (position, pattern) in patterns.iter().enumerate() {
            let origins = self.flow.argument(self.path, position);
            let place = Place::of(pattern.span());
            match pattern.as_ref() {
                Expr::Var { span, .. } if plain => self.bind(span.text(), origins, &place),
                _ => {
                    self.flow.whole(&origins, &place, &Why::Compared);
                    self.read(pattern, &Why::Compared);
                }
            }
        }
    }

    fn head(&mut self, head: &Head<'p>) {
        for index in take_apart(head.refr).indexes {
            self.read(index, &Why::Collected);
        }
        if let Some(key) = head.key {
            self.read(key, &Why::Collected);
        }
        if let Some(assign) = head.assign {
            self.head_value(head, &assign.value);
        }
    }

    fn head_value(&mut self, head: &Head<'p>, value: &'p Ref<Expr>) {
        if take_apart(head.refr).indexes.is_empty() {
            self.gives(value);
        } else {
            self.read(value, &Why::Collected);
        }
    }

    /// The rule may be `value`.
    fn gives(&mut self, value: &'p Ref<Expr>) {
        let origins = self.value(value);
        let place = Place::of(value.span());
        self.flow.gives(self.path, origins, &place);
    }

    fn query(&mut self, query: &'p Query) {
        for statement in &query.stmts {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'p LiteralStmt) {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn {
                key,
                value,
                collection,
                ..
            } => {
                for pattern in key.iter().chain([value]) {
                    self.read(pattern, &Why::Compared);
                }
                self.read(collection, &Why::Loop);
            }
            // Whether it is there and is not `false`.
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
                self.value(expr);
            }
            Literal::Every { domain, query, .. } => {
                self.read(domain, &Why::Loop);
                self.query(query);
            }
        }
        if !statement.with_mods.is_empty() {
            let place = Place::of(&statement.span);
            self.flow.everything(&place, &Why::With);
        }
        for with in &statement.with_mods {
            self.read(&with.r#as, &Why::With);
            for side in [&with.r#as, &with.refr] {
                self.put_in_place(side);
            }
        }
    }

    /// All of `expr` is read.
    pub(super) fn read(&mut self, expr: &'p Expr, why: &Why) {
        let origins = self.value(expr);
        self.flow.whole(&origins, &Place::of(expr.span()), why);
    }

    /// Where `expr` may come from. Records what finding that out reads, which is less than all of it.
    pub(super) fn value(&mut self, expr: &'p Expr) -> Origins {
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                return self.reference(expr);
            }
            Expr::Call { fcn, params, .. } => return self.call(expr, fcn, params),
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                self.read_all(items, &Why::Collected);
            }
            Expr::Object { fields, .. } => {
                for (_, name, value) in fields {
                    self.read(name, &Why::Collected);
                    self.read(value, &Why::Collected);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.query(query);
                self.read(term, &Why::Collected);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                self.query(query);
                self.read(key, &Why::Collected);
                self.read(value, &Why::Collected);
            }
            Expr::UnaryExpr { expr, .. } => self.read(expr, &Why::Compared),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. } => {
                self.read(lhs, &Why::Compared);
                self.read(rhs, &Why::Compared);
            }
            Expr::AssignExpr { op, lhs, rhs, .. } => self.assign(op, lhs, rhs),
            Expr::Membership {
                key,
                value,
                collection,
                ..
            } => {
                for part in key.iter().chain([value]) {
                    self.read(part, &Why::Compared);
                }
                self.read(collection, &Why::Loop);
            }
        }
        Origins::new()
    }

    fn read_all(&mut self, exprs: &'p [Ref<Expr>], why: &Why) {
        for expr in exprs {
            self.read(expr, why);
        }
    }

    /// `name := value` names a value; anything else compares.
    fn assign(&mut self, op: &AssignOp, left: &'p Expr, right: &'p Expr) {
        if let (AssignOp::ColEq, Expr::Var { span, .. }) = (op, left) {
            let origins = self.value(right);
            self.bind(span.text(), origins, &Place::of(span));
        } else {
            self.read(left, &Why::Compared);
            self.read(right, &Why::Compared);
        }
    }

    fn bind(&mut self, name: &str, origins: Origins, place: &Place) {
        let definition = self.definition;
        self.flow.bind(self.path, definition, name, origins, place);
    }
}
