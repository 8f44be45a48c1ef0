//! What is inside of a negated expression gets a name in front of it: the edits of one module.

use regorus::Value;
use regorus::unstable::{BoolOp, Expr, LiteralStmt};

use super::Walk;
use super::spans::{all_of, has_wildcard, is_comprehension, parts, range, whole};
use crate::policy::gate::Refusal;

impl<'a> Walk<'a> {
    /// Binds in front of `statement` what is inside of `expr`, which it negates.
    pub(super) fn negated(&mut self, statement: &LiteralStmt, expr: &'a Expr) {
        // The gate refuses what is too deep.
        if self.too_deep {
            return;
        }
        let (start, end) = all_of(statement);
        let with = statement
            .with_mods
            .first()
            .map_or(end, |with| range(&with.span).0);
        if has_wildcard(expr) {
            let span = &statement.span;
            self.refused.get_or_insert(Refusal::WildcardNegated {
                file: span.source.file().clone(),
                line: span.line,
            });
        }
        let mut before = Vec::new();
        match expr {
            Expr::BoolExpr {
                op: BoolOp::Eq,
                lhs,
                rhs,
                ..
            }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.inside(lhs, &mut before);
                self.inside(rhs, &mut before);
            }
            Expr::Call { params, .. } => {
                for param in params {
                    self.bind(param, &mut before);
                }
            }
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.inside(expr, &mut before);
            }
            // Of collections each member; comprehensions are never undefined.
            other if !is_comprehension(other) => {
                for part in parts(other) {
                    self.bind(part, &mut before);
                }
            }
            _ => {}
        }
        if before.is_empty() {
            return;
        }
        let with = self.source.get(with..end).unwrap_or_default().trim();
        let bindings: Vec<String> = before
            .into_iter()
            .map(|(name, text)| format!("{name} := {text} {with}; "))
            .collect();
        let text = format!("{}{}", bindings.concat(), self.cut(start, end));
        self.edits.insert(start, (end, text));
    }

    /// A side of an equation, or all that is negated: a reference stays, what it is indexed by does not.
    fn inside(&mut self, expr: &'a Expr, before: &mut Vec<(String, String)>) {
        match expr {
            Expr::Var { .. } => {}
            Expr::RefDot { refr, .. } => self.inside_of_root(refr, before),
            Expr::RefBrack { refr, index, .. } => {
                self.inside_of_root(refr, before);
                match index.as_ref() {
                    Expr::Var { span, .. } if self.every.contains(&span.text()) => {
                        self.name(index, span.text().to_owned(), before);
                    }
                    _ => self.bind(index, before),
                }
            }
            other => self.bind(other, before),
        }
    }

    fn inside_of_root(&mut self, refr: &'a Expr, before: &mut Vec<(String, String)>) {
        match refr {
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.inside(refr, before),
            Expr::Var { .. } => {}
            other => self.bind(other, before),
        }
    }

    /// What may be undefined in `expr` gets a name in front.
    fn bind(&mut self, expr: &'a Expr, before: &mut Vec<(String, String)>) {
        match expr {
            Expr::Var { span, .. } => {
                if let Some(path) = self.elsewhere(span.text()) {
                    self.name(expr, path, before);
                }
                return;
            }
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.inside(expr, before),
            Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. } => {
                for part in parts(expr) {
                    self.bind(part, before);
                }
                return;
            }
            Expr::UnaryExpr { expr: of, .. } if matches!(of.as_ref(), Expr::Number { .. }) => {
                return;
            }
            Expr::Call { .. }
            | Expr::UnaryExpr { .. }
            | Expr::BinExpr { .. }
            | Expr::BoolExpr { .. }
            | Expr::ArithExpr { .. }
            | Expr::AssignExpr { .. }
            | Expr::Membership { .. } => {
                let operands = match expr {
                    Expr::Call { params, .. } => params.iter().collect(),
                    other => parts(other),
                };
                for operand in operands {
                    self.bind(operand, before);
                }
            }
            _ => return,
        }
        let (start, end) = whole(expr);
        let text = self.cut(start, end);
        self.name(expr, text, before);
    }

    /// A name that the module does not use.
    pub(super) fn next_name(&mut self) -> String {
        let name = format!("{}{}", self.prefix, self.bound);
        self.bound += 1;
        name
    }

    /// Puts a name in the place of `expr`, which is `text`.
    fn name(&mut self, expr: &Expr, text: String, before: &mut Vec<(String, String)>) {
        let (start, end) = whole(expr);
        let name = self.next_name();
        before.push((name.clone(), text));
        self.edits.insert(start, (end, name));
    }

    /// Where `name` leads, in full, if it is no variable of the rule.
    pub(super) fn elsewhere(&self, name: &str) -> Option<String> {
        if self.scopes.iter().any(|scope| scope.contains(name)) {
            return None;
        }
        let rule = self.rules.is_some_and(|rules| rules.contains(name));
        let path = match self.names.import(name) {
            Some(path) => path.clone(),
            None if rule => {
                let package = self.names.package().iter().cloned();
                package.chain([name.to_owned()]).collect()
            }
            None => return matches!(name, "input" | "data").then(|| name.to_owned()),
        };
        let (root, members) = path.split_first()?;
        let members = members
            .iter()
            .map(|member| format!("[{}]", Value::from(member.as_str())));
        Some(format!("{root}{}", members.collect::<String>()))
    }

    /// The text from `start` to `end` with the edits in it, which are done with.
    pub(super) fn cut(&mut self, start: usize, end: usize) -> String {
        let text = self.read(start, end);
        let mut from = start;
        while let Some((at, until)) = self.next_edit(from, end) {
            self.edits.remove(&at);
            from = until;
        }
        text
    }

    /// The text from `start` to `end` with the edits in it.
    pub(super) fn read(&self, start: usize, end: usize) -> String {
        let mut text = String::new();
        let mut from = start;
        while let Some((at, until)) = self.next_edit(from, end) {
            text.push_str(self.source.get(from..at).unwrap_or_default());
            // Lines stay where they are.
            let lines = self.source.get(at..until).unwrap_or_default();
            let lines = lines.matches('\n').count();
            let instead = self.edits.get(&at).map_or("", |(_, instead)| instead);
            text.push_str(instead);
            let written = instead.matches('\n').count();
            text.push_str(&"\n".repeat(lines.saturating_sub(written)));
            from = until;
        }
        text.push_str(self.source.get(from..end).unwrap_or_default());
        text
    }

    /// Where the first edit from `from` on starts and ends.
    fn next_edit(&self, from: usize, end: usize) -> Option<(usize, usize)> {
        let mut edits = self.edits.range(from..end);
        edits.next().map(|(at, (until, _))| (*at, *until))
    }
}
