//! What operators and loops are given, looked at before: `a + input.b` becomes
//! `internal.operand(a, "number") + internal.operand(input.b, "number")`.
//!
//! To OPA arithmetic with what is no number is a built-in that fails, and a loop over what is no collection
//! finds nothing; to the engine both are errors, whatever it is told of built-ins. What cannot be taken is
//! undefined here where a failed built-in is, so that the engine has no error to go on from (`leniency`).
//!
//! What this is not: for all policies. A call for each operand has its price.

use regorus::unstable::{
    ArithOp, BinOp, Expr, Literal, LiteralStmt, Module, Query, Ref, Rule, RuleBody,
};
use regorus::{Engine, Value};

use super::expressions::spans::{parts, whole};
use crate::policy::builtin_errors::BuiltinErrors;
use crate::policy::builtins;
use crate::policy::gate::head::parts_of;
use crate::policy::gate::nesting;
use crate::policy::set::LoadError;

/// The function: of a value, and what it must be.
pub(in crate::policy) const OPERAND: &str = "internal.operand";

/// What an operand must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Number,
    /// A number, or a set to take elements from.
    NumberOrSet,
    WholeNumber,
    /// A number but zero.
    Divisor,
    /// A whole number but zero.
    WholeDivisor,
    Set,
    Collection,
}

const ALL: [(Wanted, &str); 7] = [
    (Wanted::Number, "number"),
    (Wanted::NumberOrSet, "number or set"),
    (Wanted::WholeNumber, "whole number"),
    (Wanted::Divisor, "divisor"),
    (Wanted::WholeDivisor, "whole divisor"),
    (Wanted::Set, "set"),
    (Wanted::Collection, "collection"),
];

impl Wanted {
    fn is(self, value: &Value) -> bool {
        let is_zero = || *value == Value::from(0);
        match (self, value) {
            (Self::Number | Self::NumberOrSet, Value::Number(_))
            | (Self::NumberOrSet | Self::Set | Self::Collection, Value::Set(_))
            | (Self::Collection, Value::Array(_) | Value::Object(_)) => true,
            (Self::Divisor, Value::Number(_)) => !is_zero(),
            (Self::WholeNumber, Value::Number(number)) => number.is_integer(),
            (Self::WholeDivisor, Value::Number(number)) => number.is_integer() && !is_zero(),
            _ => false,
        }
    }
}

/// Gives `engine` the function. Where a failed built-in is an error it leaves what it is given as it is.
pub(super) fn install(engine: &mut Engine, errors: BuiltinErrors) -> Result<(), LoadError> {
    let operand = move |args: Vec<Value>| {
        let [value, Value::String(wanted)] = args.as_slice() else {
            return Ok(Value::Undefined);
        };
        let wanted = ALL.iter().find(|(_, name)| *name == wanted.as_ref());
        let is_let_through = builtins::chosen(errors) == BuiltinErrors::Fail
            || wanted.is_some_and(|(wanted, _)| wanted.is(value));
        let answer = is_let_through.then(|| value.clone());
        Ok(answer.unwrap_or(Value::Undefined))
    };
    engine
        .add_extension(OPERAND.to_owned(), 2, Box::new(operand))
        .map_err(|error| LoadError::engine(&error))
}

/// The text of `module` with a call around each operand that may not be what it must be; none where there is
/// no such operand, or where brackets would be nested too deep: then they are errors.
pub(in crate::policy) fn guarded(module: &Module) -> Option<String> {
    let source = &module.package.span.source;
    let mut walk = Walk { added: Vec::new() };
    for rule in &module.policy {
        walk.rule(rule);
    }
    let text = walk.written(source.contents())?;
    nesting::check(source.file(), &text).ok()?;
    Some(text)
}

struct Walk {
    /// What is added where; what is inside before what is around it.
    added: Vec<(usize, String)>,
}

impl Walk {
    fn written(mut self, source: &str) -> Option<String> {
        self.added.sort_by_key(|(place, _)| *place);
        let mut text = String::with_capacity(source.len() * 2);
        let mut from = 0;
        for (place, added) in &self.added {
            text.push_str(source.get(from..*place)?);
            text.push_str(added);
            from = *place;
        }
        text.push_str(source.get(from..)?);
        (!self.added.is_empty()).then_some(text)
    }

    /// Parameters are patterns, and what a rule is called is no value.
    fn rule(&mut self, rule: &Rule) {
        let Rule::Spec { head, bodies, .. } = rule else {
            return;
        };
        let head = parts_of(head);
        let value = head.assign.map(|assign| &assign.value);
        for part in head.key.into_iter().chain(value) {
            self.expr(part);
        }
        for body in bodies {
            self.body(body);
        }
    }

    fn body(&mut self, body: &RuleBody) {
        if let Some(assign) = &body.assign {
            self.expr(&assign.value);
        }
        self.query(&body.query);
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &LiteralStmt) {
        for with in &statement.with_mods {
            self.expr(&with.r#as);
        }
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { collection, .. } => {
                self.expr(collection);
                self.operand(collection, Wanted::Collection);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
            Literal::Every { domain, query, .. } => {
                self.expr(domain);
                self.query(query);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.query(query);
                self.expr(term);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                self.query(query);
                self.expr(key);
                self.expr(value);
            }
            other => {
                for part in parts(other) {
                    self.expr(part);
                }
            }
        }
        let (sides, wanted) = match expr {
            Expr::ArithExpr { op, lhs, rhs, .. } => ([lhs, rhs], wanted_by(op)),
            Expr::BinExpr {
                op: BinOp::Union | BinOp::Intersection,
                lhs,
                rhs,
                ..
            } => ([lhs, rhs], [Wanted::Set; 2]),
            _ => return,
        };
        for (side, wanted) in sides.into_iter().zip(wanted) {
            self.operand(side, wanted);
        }
    }

    /// Puts the call around `operand`, unless it is plain what it must be, or plainly never will be.
    fn operand(&mut self, operand: &Ref<Expr>, wanted: Wanted) {
        let may_be = match operand.as_ref() {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } | Expr::Call { .. } => {
                true
            }
            Expr::Number { value, .. } => !wanted.is(value),
            // What comes of these is a number, or a set.
            Expr::ArithExpr { .. } => !matches!(wanted, Wanted::Number | Wanted::NumberOrSet),
            Expr::UnaryExpr { .. } => !matches!(wanted, Wanted::Number | Wanted::NumberOrSet),
            _ => false,
        };
        if !may_be {
            return;
        }
        let name = ALL.iter().find(|(of, _)| *of == wanted);
        let (start, end) = whole(operand);
        self.added.push((start, format!("{OPERAND}(")));
        let name = name.map_or("", |(_, name)| name);
        self.added.push((end, format!(", \"{name}\")")));
    }
}

fn wanted_by(op: &ArithOp) -> [Wanted; 2] {
    match op {
        ArithOp::Add | ArithOp::Mul => [Wanted::Number; 2],
        ArithOp::Sub => [Wanted::NumberOrSet; 2],
        ArithOp::Div => [Wanted::Number, Wanted::Divisor],
        ArithOp::Mod => [Wanted::WholeNumber, Wanted::WholeDivisor],
    }
}

#[cfg(test)]
#[path = "operands_tests.rs"]
mod tests;
