//! Bodies and comprehensions, statement by statement, with the guards that the bytecode compiler leaves
//! out.
//!
//! Statements stay in their order. Both engines sort them, but leave an order in which every name is
//! declared before it is used, as long as no statement binds a name to another name of the same query:
//! such orders, and no others, are let through.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref, Span};

use super::super::gate::paths::Names;
use super::Obstacle;
use super::builtins::{COLLECTION, DEFINED};
use super::index::Key;
use super::rules::{Lowering, obstacle};
use super::terms::{Sort, Term};

/// One definition of a rule, being written.
pub(super) struct Body<'l, 'p> {
    pub lowering: &'l mut Lowering<'p>,
    pub names: &'p Names,
    /// What is declared here, innermost last.
    pub scopes: Vec<BTreeMap<&'p str, Sort>>,
    /// Every name declared so far, in scope or not.
    pub declared: BTreeSet<&'p str>,
    /// Names used that were not declared.
    pub outside: BTreeSet<&'p str>,
    /// Loops around this place.
    loops: usize,
    /// Comprehensions and `every` around this place: what they load is not there when they never run.
    pub nested: usize,
    /// Documents that are read inside one.
    pub loads: BTreeSet<&'static str>,
    /// Whether something was indexed by a name that `every` binds. The interpreter takes that for a loop
    /// around the whole statement, which then does not hold where there is no such member.
    pub every_index: bool,
    /// Whether this is a rule's head or a comprehension's term, where the interpreter does not always find
    /// what a name indexes.
    pub in_output: bool,
    pub unused: usize,
}

/// One body with its value, written.
pub(super) struct Clause {
    pub statements: Vec<String>,
    pub value: Term,
    /// Whether a loop is around the value.
    pub loops: bool,
    /// The comparisons that stand before anything else.
    pub keys: Vec<Key>,
}

impl<'l, 'p> Body<'l, 'p> {
    pub(super) fn new(lowering: &'l mut Lowering<'p>, names: &'p Names) -> Self {
        Self {
            lowering,
            names,
            scopes: Vec::new(),
            declared: BTreeSet::new(),
            outside: BTreeSet::new(),
            loops: 0,
            nested: 0,
            loads: BTreeSet::new(),
            every_index: false,
            in_output: false,
            unused: 0,
        }
    }

    /// The parameters of a function. A name is bound to what is defined; `_` would not ask.
    pub(super) fn parameters(&mut self, args: &'p [Ref<Expr>]) -> Result<Vec<String>, Obstacle> {
        self.scopes.push(BTreeMap::new());
        let mut parameters = Vec::new();
        for arg in args {
            parameters.push(match arg.as_ref() {
                Expr::Var { span, .. } => self.declare(span, Sort::Any)?,
                Expr::String { .. } | Expr::Number { .. } | Expr::Bool { .. } => {
                    self.term(arg)?.text
                }
                other => return Err(obstacle(other.span(), "a pattern as a parameter")),
            });
        }
        Ok(parameters)
    }

    /// A body, or none, and the value it gives; none is `true`.
    pub(super) fn clause(
        &mut self,
        query: Option<&'p Query>,
        value: Option<&'p Ref<Expr>>,
    ) -> Result<Clause, Obstacle> {
        self.loops = 0;
        self.loads.clear();
        self.scopes.push(BTreeMap::new());
        let written = query.map_or(&[][..], |query| &query.stmts);
        let keys = written.iter().map_while(|first| self.key(first)).collect();
        let mut statements = Vec::new();
        for statement in written {
            statements.push(self.statement(statement)?);
        }
        let value = match value {
            Some(value) => self.output(value)?,
            None => Term::constant("true"),
        };
        self.scopes.pop();
        // Loaded at the start, whatever runs after it.
        for document in &self.loads {
            statements.insert(0, format!("{DEFINED}({document})"));
        }
        Ok(Clause {
            statements,
            value,
            loops: self.loops > 0,
            keys,
        })
    }

    fn output(&mut self, expr: &'p Expr) -> Result<Term, Obstacle> {
        self.in_output = true;
        let term = self.term(expr);
        self.in_output = false;
        term
    }

    fn statement(&mut self, statement: &'p LiteralStmt) -> Result<String, Obstacle> {
        if !statement.with_mods.is_empty() {
            return Err(obstacle(&statement.span, "`with`"));
        }
        match &statement.literal {
            Literal::SomeVars { span, .. } => Err(obstacle(span, "`some` without `in`")),
            Literal::SomeIn {
                key,
                value,
                collection,
                ..
            } => self.some_in(key.as_ref(), value, collection),
            Literal::Expr { expr, .. } => match expr.as_ref() {
                Expr::AssignExpr { op, lhs, rhs, .. } => self.assign(op, lhs, rhs),
                Expr::Membership {
                    key: None,
                    value,
                    collection,
                    ..
                } => Ok(self.membership(value, collection)?.text),
                _ => Ok(self.term(expr)?.text),
            },
            Literal::NotExpr { expr, .. } => {
                self.every_index = false;
                let text = self.term(expr)?.text;
                if self.every_index {
                    return Err(obstacle(expr.span(), "an index bound by `every` in `not`"));
                }
                Ok(format!("not {text}"))
            }
            Literal::Every {
                key,
                value,
                domain,
                query,
                ..
            } => self.every(key.as_ref(), value, domain, query),
        }
    }

    fn some_in(
        &mut self,
        key: Option<&'p Ref<Expr>>,
        value: &'p Ref<Expr>,
        collection: &'p Ref<Expr>,
    ) -> Result<String, Obstacle> {
        let domain = self.term(collection)?;
        let domain = match domain.sort {
            Sort::Collection => domain.text,
            // The interpreter fails on what cannot be looped over, the machine does not loop.
            _ => format!("{COLLECTION}({})", domain.text),
        };
        let mut names = Vec::new();
        for pattern in key.into_iter().chain([value]) {
            let Expr::Var { span, .. } = pattern.as_ref() else {
                return Err(obstacle(pattern.span(), "a pattern in `some … in`"));
            };
            names.push(self.declare(span, Sort::Any)?);
        }
        self.loops += 1;
        self.lowering.loops += 1;
        Ok(format!("some {} in {domain}", names.join(", ")))
    }

    fn assign(
        &mut self,
        op: &AssignOp,
        left: &'p Expr,
        right: &'p Ref<Expr>,
    ) -> Result<String, Obstacle> {
        let (AssignOp::ColEq, Expr::Var { span, .. }) = (op, left) else {
            return Err(obstacle(left.span(), "`=` or a pattern before `:=`"));
        };
        self.check_order(right)?;
        let term = self.term(right)?;
        let name = self.declare(span, term.sort)?;
        if term.defined {
            return Ok(format!("{name} := {}", term.text));
        }
        Ok(format!("{name} := {DEFINED}({})", term.text))
    }

    /// `x := y` of two names of one query, or `x := [y]`, is sorted by name and not by place.
    fn check_order(&self, right: &'p Ref<Expr>) -> Result<(), Obstacle> {
        let mut pending = vec![right];
        while let Some(expr) = pending.pop() {
            match expr.as_ref() {
                Expr::Var { span, .. } if self.is_local(span.text()) => {
                    return Err(obstacle(span, "`:=` of a name to a name"));
                }
                Expr::Array { items, .. } => pending.extend(items),
                Expr::Object { fields, .. } => {
                    pending.extend(fields.iter().flat_map(|(_, key, value)| [key, value]));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn every(
        &mut self,
        key: Option<&'p Span>,
        value: &'p Span,
        domain: &'p Ref<Expr>,
        query: &'p Query,
    ) -> Result<String, Obstacle> {
        let domain = self.term(domain)?.text;
        self.scopes.push(BTreeMap::new());
        let mut names = Vec::new();
        for name in key.into_iter().chain([value]) {
            names.push(self.declare(name, Sort::Every)?);
        }
        self.lowering.loops += 1;
        let loops = self.loops;
        self.loops += 1;
        self.nested += 1;
        let statements = self.query(query)?.join(";\n");
        self.nested -= 1;
        self.loops = loops;
        self.scopes.pop();
        let names = names.join(", ");
        Ok(format!("every {names} in {domain} {{\n{statements}\n}}"))
    }

    fn query(&mut self, query: &'p Query) -> Result<Vec<String>, Obstacle> {
        self.scopes.push(BTreeMap::new());
        let mut statements = Vec::new();
        for statement in &query.stmts {
            statements.push(self.statement(statement)?);
        }
        self.scopes.pop();
        Ok(statements)
    }

    /// What is between the brackets. It begins with a loop: the machine leaves a loop's turn well when a
    /// condition fails, but a comprehension without leaving its context behind only at its end.
    pub(super) fn comprehension(
        &mut self,
        term: &'p Ref<Expr>,
        query: &'p Query,
    ) -> Result<String, Obstacle> {
        let loops = self.loops;
        let in_output = std::mem::take(&mut self.in_output);
        self.lowering.comprehensions += 1;
        self.nested += 1;
        self.scopes.push(BTreeMap::new());
        let mut statements = Vec::new();
        let first = query.stmts.first().map(|statement| &statement.literal);
        if !matches!(first, Some(Literal::SomeIn { .. })) {
            self.unused += 1;
            self.lowering.loops += 1;
            statements.push(format!("some unused{} in [0]", self.unused));
        }
        for statement in &query.stmts {
            statements.push(self.statement(statement)?);
        }
        let mut term = self.output(term)?;
        self.in_output = in_output;
        if !term.defined {
            term.text = format!("{DEFINED}({})", term.text);
        }
        self.scopes.pop();
        self.nested -= 1;
        self.loops = loops;
        Ok(format!("{} | {}", term.text, statements.join(";\n")))
    }
}
