//! Expressions. Those the machine gives another value than the interpreter, or no value where that
//! fails, are not on the list.

use std::collections::BTreeSet;

use regorus::Value;
use regorus::unstable::{ArithOp, BoolOp, Expr, Ref};

use super::Obstacle;
use super::body::Body;
use super::rules::obstacle;

/// What a value is known to be, if it is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Any,
    Number,
    /// An array, a set or an object.
    Collection,
    /// Anything, bound by `every`.
    Every,
}

/// An expression, written.
pub(super) struct Term {
    pub text: String,
    pub sort: Sort,
    /// Whether it cannot be undefined.
    pub defined: bool,
    /// Whether it is always the same value.
    pub constant: bool,
}

impl Term {
    pub(super) fn constant(text: impl Into<String>) -> Self {
        Self {
            defined: true,
            constant: true,
            ..Self::any(text)
        }
    }

    pub(super) fn any(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            sort: Sort::Any,
            defined: false,
            constant: false,
        }
    }

    pub(super) fn of(self, sort: Sort) -> Self {
        Self { sort, ..self }
    }
}

impl<'p> Body<'_, 'p> {
    pub(super) fn term(&mut self, expr: &'p Expr) -> Result<Term, Obstacle> {
        match expr {
            Expr::String { value, .. } | Expr::RawString { value, .. } => quoted(value)
                .map(Term::constant)
                .ok_or_else(|| obstacle(expr.span(), "a text that is none")),
            Expr::Number { span, .. } => Ok(Term::constant(span.text()).of(Sort::Number)),
            Expr::Bool { span, .. } | Expr::Null { span, .. } => Ok(Term::constant(span.text())),
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr),
            Expr::Call { fcn, params, .. } => self.call(expr, fcn, params),
            Expr::Array { items, .. } => self.items(items, ["[", "]"]),
            Expr::Set { items, .. } if !items.is_empty() => self.items(items, ["{", "}"]),
            Expr::Object { fields, .. } => self.object(fields),
            Expr::ArrayCompr { term, query, .. } => {
                let inner = self.comprehension(term, query)?;
                Ok(always(format!("[{inner}]")))
            }
            Expr::SetCompr { term, query, .. } => {
                let inner = self.comprehension(term, query)?;
                Ok(always(format!("{{{inner}}}")))
            }
            Expr::BoolExpr { op, lhs, rhs, .. } => {
                let (left, right) = (self.term(lhs)?.text, self.term(rhs)?.text);
                Ok(Term::any(format!("({left} {} {right})", comparison(op))))
            }
            Expr::ArithExpr { op, lhs, rhs, .. } => self.arithmetic(expr, op, lhs, rhs),
            Expr::Membership {
                key: None,
                value,
                collection,
                ..
            } => {
                let outer = std::mem::take(&mut self.every_index);
                let term = self.membership(value, collection)?;
                if self.every_index {
                    return Err(obstacle(
                        expr.span(),
                        "an index bound by `every` in `in` in an expression",
                    ));
                }
                self.every_index = outer;
                Ok(term)
            }
            other => Err(obstacle(other.span(), name_of(other))),
        }
    }

    pub(super) fn membership(
        &mut self,
        value: &'p Ref<Expr>,
        collection: &'p Ref<Expr>,
    ) -> Result<Term, Obstacle> {
        let (value, collection) = (self.term(value)?.text, self.term(collection)?.text);
        Ok(Term::any(format!("({value} in {collection})")))
    }

    fn items(
        &mut self,
        items: &'p [Ref<Expr>],
        [open, close]: [&str; 2],
    ) -> Result<Term, Obstacle> {
        let mut whole = Term::constant("").of(Sort::Collection);
        let mut texts = Vec::new();
        for item in items {
            let item = self.term(item)?;
            whole.defined &= item.defined;
            whole.constant &= item.constant;
            texts.push(item.text);
        }
        whole.text = format!("{open}{}{close}", texts.join(", "));
        Ok(whole)
    }

    /// The machine enters computed keys after the literal ones, whatever their order.
    fn object(
        &mut self,
        fields: &'p [(regorus::unstable::Span, Ref<Expr>, Ref<Expr>)],
    ) -> Result<Term, Obstacle> {
        let mut whole = Term::constant("").of(Sort::Collection);
        let mut names = BTreeSet::new();
        let mut texts = Vec::new();
        for (span, key, value) in fields {
            let name = match key.as_ref() {
                Expr::String { value, .. } | Expr::RawString { value, .. } => quoted(value),
                _ => None,
            };
            let Some(name) = name else {
                return Err(obstacle(span, "an object with a computed key"));
            };
            let value = self.term(value)?;
            whole.defined &= value.defined;
            whole.constant &= value.constant;
            texts.push(format!("{name}: {}", value.text));
            if !names.insert(name) {
                return Err(obstacle(span, "an object with one key twice"));
            }
        }
        whole.text = format!("{{{}}}", texts.join(", "));
        Ok(whole)
    }

    /// What is no number makes the interpreter fail, and the machine leave the body.
    fn arithmetic(
        &mut self,
        expr: &'p Expr,
        op: &ArithOp,
        left: &'p Ref<Expr>,
        right: &'p Ref<Expr>,
    ) -> Result<Term, Obstacle> {
        let operator = match op {
            ArithOp::Add => "+",
            ArithOp::Sub => "-",
            ArithOp::Mul => "*",
            ArithOp::Div | ArithOp::Mod => return Err(obstacle(expr.span(), "a division")),
        };
        let (left, right) = (self.term(left)?, self.term(right)?);
        if left.sort != Sort::Number || right.sort != Sort::Number {
            return Err(obstacle(
                expr.span(),
                "arithmetic with what may be no number (only literals and `count` are known to be)",
            ));
        }
        let defined = left.defined && right.defined;
        let text = format!("({} {operator} {})", left.text, right.text);
        Ok(Term {
            defined,
            ..Term::any(text).of(Sort::Number)
        })
    }
}

/// A text as Rego writes it.
pub(super) fn quoted(value: &Value) -> Option<String> {
    serde_json::to_string(value.as_string().ok()?.as_ref()).ok()
}

fn always(text: String) -> Term {
    Term {
        defined: true,
        ..Term::any(text).of(Sort::Collection)
    }
}

fn comparison(op: &BoolOp) -> &'static str {
    match op {
        BoolOp::Lt => "<",
        BoolOp::Le => "<=",
        BoolOp::Eq => "==",
        BoolOp::Ge => ">=",
        BoolOp::Gt => ">",
        BoolOp::Ne => "!=",
    }
}

fn name_of(expr: &Expr) -> &'static str {
    match expr {
        Expr::Set { .. } => "an empty set",
        Expr::ObjectCompr { .. } => "an object comprehension",
        Expr::UnaryExpr { .. } => "a minus sign",
        Expr::BinExpr { .. } => "`|` or `&`",
        Expr::AssignExpr { .. } => "an assignment inside an expression",
        Expr::Membership { .. } => "`in` with a key",
        _ => "an expression",
    }
}
