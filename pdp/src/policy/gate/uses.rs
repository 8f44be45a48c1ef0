//! What one rule uses: functions it calls and documents it reads, with local variables told apart
//! from rules of the same name.
//!
//! A walk over syntax. It decides nothing.

use std::collections::BTreeSet;

use regorus::unstable::{Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleAssign, Span};

use super::MAX_FRAMES;
use super::head::{Head, parts_of};
use super::paths::{Names, Path, take_apart};
use super::scope::{declared_in, variables_in};

/// Frames of evaluating a rule at all.
const FRAMES_PER_RULE: usize = 4;

/// How a rule uses a name.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Manner {
    /// `name(…)`.
    Call,
    /// `name` or `name.part`.
    Read,
    /// `… with name as …`, either side.
    With,
}

/// One use of a name.
#[derive(Clone, Debug)]
pub(super) struct Use {
    /// The name as the engine looks a function up: root and literal parts.
    pub written: Path,
    /// Where it leads when it is no built-in and not below `input`.
    pub absolute: Option<Path>,
    /// For `with f as g`: where `g` leads.
    pub replacement: Option<Path>,
    /// How.
    pub manner: Manner,
    /// How many arguments a call has.
    pub arguments: usize,
    /// Line in the file, from 1.
    pub line: u32,
}

/// Everything `rule` uses, and how many of the engine's frames it may have open at once.
pub(super) fn uses_of(rule: &Rule, names: &Names) -> (Vec<Use>, usize) {
    let mut walk = Walk {
        names,
        scopes: Vec::new(),
        uses: Vec::new(),
        loops: 0,
        open: FRAMES_PER_RULE,
        peak: FRAMES_PER_RULE,
    };
    match rule {
        Rule::Default { value, args, .. } => {
            walk.scopes.push(variables_in(args));
            walk.expr(value);
        }
        Rule::Spec { head, bodies, .. } => {
            let head = parts_of(head);
            walk.scopes.push(variables_in(head.args));
            for body in bodies {
                let open = walk.open;
                walk.scopes.push(declared_in(&body.query));
                walk.query_inner(&body.query);
                walk.head(&head, body.assign.as_ref());
                walk.scopes.pop();
                walk.open = open;
            }
            if bodies.is_empty() {
                walk.head(&head, None);
            }
        }
    }
    (walk.uses, walk.peak)
}

struct Walk<'a> {
    names: &'a Names,
    scopes: Vec<BTreeSet<&'a str>>,
    uses: Vec<Use>,
    /// Frames the engine has open at this place: it descends into expressions, and runs the rest
    /// of a body inside each of its loops.
    open: usize,
    peak: usize,
    /// Computed brackets so far: each may be a loop.
    loops: usize,
}

impl<'a> Walk<'a> {
    fn head(&mut self, head: &Head<'a>, body_assign: Option<&'a RuleAssign>) {
        // The head's own name is a declaration, but `p[f(x)]` computes a key.
        for index in take_apart(head.refr).indexes {
            self.expr(index);
        }
        let value = body_assign.or(head.assign).map(|assign| &assign.value);
        for expr in head.key.into_iter().chain(value) {
            self.expr(expr);
        }
    }

    fn query(&mut self, query: &'a Query) {
        let open = self.open;
        self.scopes.push(declared_in(query));
        self.query_inner(query);
        self.scopes.pop();
        self.open = open;
    }

    fn query_inner(&mut self, query: &'a Query) {
        for statement in &query.stmts {
            let loops = self.loops;
            self.statement(statement);
            self.open += 1 + (self.loops - loops);
        }
    }

    fn statement(&mut self, statement: &'a LiteralStmt) {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn {
                key,
                value,
                collection,
                ..
            } => {
                for expr in key.iter().chain([value, collection]) {
                    self.expr(expr);
                }
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
            Literal::Every {
                key,
                value,
                domain,
                query,
                ..
            } => {
                self.expr(domain);
                let names = key.iter().chain([value]).map(Span::text);
                self.scopes.push(names.collect());
                self.query(query);
                self.scopes.pop();
            }
        }
        for with in &statement.with_mods {
            let before = self.uses.len();
            self.with_side(&with.r#as);
            let replacement = self
                .uses
                .get(before..)
                .and_then(<[Use]>::last)
                .and_then(|used| used.absolute.clone());
            let before = self.uses.len();
            self.with_side(&with.refr);
            if let Some(target) = self.uses.get_mut(before..).and_then(<[Use]>::last_mut) {
                target.replacement = replacement;
            }
        }
    }

    fn with_side(&mut self, side: &'a Expr) {
        match side {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(side, Manner::With);
            }
            other => self.expr(other),
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        self.open += 1;
        self.peak = self.peak.max(self.open);
        // Deep enough to be refused: a sum of a million terms must not take our stack either.
        if self.open <= MAX_FRAMES {
            self.parts(expr);
        }
        self.open -= 1;
    }

    fn parts(&mut self, expr: &'a Expr) {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(expr, Manner::Read);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                for item in items {
                    self.expr(item);
                }
            }
            Expr::Object { fields, .. } => {
                for (_, name, value) in fields {
                    self.expr(name);
                    self.expr(value);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.comprehension(query, &[term]);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                self.comprehension(query, &[key, value]);
            }
            Expr::Call { fcn, params, .. } => {
                self.reference(fcn, Manner::Call);
                if let Some(call) = self.uses.last_mut() {
                    call.arguments = params.len();
                }
                for param in params {
                    self.expr(param);
                }
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::Membership {
                key,
                value,
                collection,
                ..
            } => {
                for part in key.iter().chain([value, collection]) {
                    self.expr(part);
                }
            }
        }
    }

    fn comprehension(&mut self, query: &'a Query, terms: &[&'a Ref<Expr>]) {
        let open = self.open;
        self.scopes.push(declared_in(query));
        self.query_inner(query);
        for term in terms {
            self.expr(term);
        }
        self.scopes.pop();
        self.open = open;
    }

    fn reference(&mut self, expr: &'a Expr, manner: Manner) {
        let reference = take_apart(expr);
        for index in &reference.indexes {
            self.expr(index);
            // May be a loop, around all that follows.
            self.loops += 1;
        }
        if let Some(base) = reference.base {
            self.expr(base);
        }
        let Some(root) = reference.root else { return };
        // A call is resolved by name alone: a local variable does not hide a function.
        let local = manner != Manner::Call && self.scopes.iter().any(|scope| scope.contains(root));
        if local || root == "_" {
            return;
        }
        let parts = match manner {
            Manner::Call => &reference.named,
            Manner::Read | Manner::With => &reference.literal,
        };
        self.uses.push(Use {
            absolute: self.names.resolve(root, parts),
            written: std::iter::once(root.to_owned())
                .chain(reference.named)
                .collect(),
            replacement: None,
            manner,
            arguments: 0,
            line: expr.span().line,
        });
    }
}
