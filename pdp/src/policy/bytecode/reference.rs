//! References and calls: what a name leads to, made explicit.
//!
//! A name is a variable declared before, `input`, a rule, or a document of data; whatever may be two of
//! these is an obstacle. So is reading a rule through an import of its package, which makes the
//! interpreter evaluate all the package's rules.

use regorus::unstable::{BUILTINS, Expr, Ref};

use super::super::footprint::Place;
use super::super::gate::paths::{Path, take_apart};
use super::super::source::{self, DOCUMENT_KEY};
use super::Obstacle;
use super::body::Body;
use super::builtins::{self, COPY, DATA, FOUND, MEMBER};
use super::rules::obstacle;
use super::terms::{Sort, Term};

/// Arguments a call in bytecode can have; the compiler drops the rest without a word.
const MAX_ARGUMENTS: usize = 8;

/// What a reference starts with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Data,
    Import,
    Package,
}

/// One step of a reference.
enum Step<'p> {
    Name(String),
    Index(&'p Ref<Expr>),
}

/// Its root and its steps.
fn steps_of(expr: &Expr) -> (&Expr, Vec<Step<'_>>) {
    let mut steps = Vec::new();
    let mut at = expr;
    loop {
        match at {
            Expr::RefDot { refr, field, .. } => {
                steps.push(Step::Name(field.0.text().to_owned()));
                at = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                steps.push(match index.as_ref() {
                    Expr::String { value, .. } => Step::Name(
                        value
                            .as_string()
                            .map(ToString::to_string)
                            .unwrap_or_default(),
                    ),
                    _ => Step::Index(index),
                });
                at = refr;
            }
            root => {
                steps.reverse();
                return (root, steps);
            }
        }
    }
}

/// What a document is indexed by, without the call that looks it up for the interpreter.
fn looked_up(index: &Ref<Expr>) -> &Ref<Expr> {
    match index.as_ref() {
        Expr::Call { fcn, params, .. } if fcn.span().text() == DOCUMENT_KEY => {
            params.get(1).unwrap_or(index)
        }
        _ => index,
    }
}

impl<'p> Body<'_, 'p> {
    pub(super) fn reference(&mut self, expr: &'p Expr) -> Result<Term, Obstacle> {
        let (root, steps) = steps_of(expr);
        let Expr::Var { span, .. } = root else {
            return Err(obstacle(
                expr.span(),
                "a member of something without a name",
            ));
        };
        let name = span.text();
        if let Some(sort) = self.local(name) {
            let text = self.with_steps(format!("v_{name}"), steps, false)?;
            let whole = matches!(expr, Expr::Var { .. });
            return Ok(Term {
                defined: whole,
                ..Term::any(text).of(if whole { sort } else { Sort::Any })
            });
        }
        if name == "_" || self.was_declared(name) {
            return Err(obstacle(span, format!("`{name}` where it is not declared")));
        }
        self.outside.insert(name);
        let mut own = self.names.package().to_vec();
        own.push(name.to_owned());
        match (name, self.names.import(name)) {
            ("input", _) => self.input(&[], steps),
            ("data", _) => self.absolute(expr, vec!["data".to_owned()], steps, Root::Data),
            (_, Some(_)) if self.lowering.rules.any_below(&own) => {
                Err(obstacle(span, format!("`{name}` is a rule and an import")))
            }
            (_, Some(path)) => match path.split_first() {
                Some((first, rest)) if first == "input" => self.input(rest, steps),
                _ => self.absolute(expr, path.clone(), steps, Root::Import),
            },
            (_, None) if !self.lowering.rules.any_below(&own) => {
                Err(obstacle(span, format!("`{name}`, which leads nowhere")))
            }
            (_, None) => self.absolute(expr, own, steps, Root::Package),
        }
    }

    fn input(&mut self, start: &[String], steps: Vec<Step<'p>>) -> Result<Term, Obstacle> {
        self.loads_inside("input");
        let start = start.iter().cloned().map(Step::Name).chain(steps).collect();
        Ok(Term::any(self.with_steps(
            "input".to_owned(),
            start,
            false,
        )?))
    }

    fn loads_inside(&mut self, document: &'static str) {
        if self.nested > 0 {
            self.loads.insert(document);
        }
    }

    /// What lies at the absolute `path` and then along `steps`.
    fn absolute(
        &mut self,
        expr: &'p Expr,
        mut path: Path,
        steps: Vec<Step<'p>>,
        root: Root,
    ) -> Result<Term, Obstacle> {
        let imported = path.len();
        let mut rest = steps.into_iter().peekable();
        while let Some(Step::Name(name)) = rest.next_if(|step| matches!(step, Step::Name(_))) {
            path.push(name);
        }
        let rest: Vec<Step<'p>> = rest.collect();
        let rules = self.lowering.rules;
        let place = Place::of(expr.span());
        let above: Vec<_> = rules.at_or_above(&path).collect();
        if let Some((rule, below)) = above.first() {
            if above.len() > 1 {
                return Err(obstacle(expr.span(), "a rule inside a rule"));
            }
            if rules.get(rule).is_some_and(|group| group.function) {
                return Err(obstacle(expr.span(), "a function that is not called"));
            }
            if root == Root::Import && rule.len() > imported {
                return Err(obstacle(
                    expr.span(),
                    "a rule through an import of its package (import the rule itself)",
                ));
            }
            let steps = below.iter().cloned().map(Step::Name).chain(rest).collect();
            let number = self.lowering.number(rule, &place)?;
            let text = self.with_steps(format!("r{number}"), steps, false)?;
            return Ok(Term::any(text));
        }
        if !self.lowering.rules.is_only_data(&path) {
            let name = path.join(".");
            return Err(obstacle(
                expr.span(),
                format!("`{name}`, which is more than one rule or document"),
            ));
        }
        self.loads_inside(DATA);
        let start = path
            .into_iter()
            .skip(1)
            .map(Step::Name)
            .chain(rest)
            .collect();
        Ok(Term::any(self.with_steps(DATA.to_owned(), start, true)?))
    }

    /// `text`, then the steps. Documents of data are indexed as OPA does it.
    fn with_steps(
        &mut self,
        mut text: String,
        steps: Vec<Step<'p>>,
        in_data: bool,
    ) -> Result<String, Obstacle> {
        for step in steps {
            text = match step {
                Step::Name(name) => format!("{text}[{}]", serde_json::Value::from(name)),
                Step::Index(index) if in_data => {
                    let index = self.index(looked_up(index))?;
                    format!("{FOUND}({text}, {index})")
                }
                Step::Index(index) => format!("{text}[{}]", self.index(index)?),
            };
        }
        Ok(text)
    }

    /// An index that has a value: a variable without one would be a loop.
    fn index(&mut self, index: &'p Ref<Expr>) -> Result<String, Obstacle> {
        match index.as_ref() {
            Expr::Var { span, .. } if !self.is_local(span.text()) => Err(obstacle(
                span,
                format!("`[{}]`, which may be a loop (use `some … in`)", span.text()),
            )),
            Expr::Var { span, .. } if self.in_output => Err(obstacle(
                span,
                "an index by a name in a head or before `|` (bind the member in the body)",
            )),
            Expr::Var { span, .. } => {
                self.every_index |= self.local(span.text()) == Some(Sort::Every);
                Ok(format!("{COPY}({})", self.term(index)?.text))
            }
            Expr::RefDot { .. }
            | Expr::RefBrack { .. }
            | Expr::Call { .. }
            | Expr::String { .. }
            | Expr::Number { .. } => Ok(self.term(index)?.text),
            other => Err(obstacle(
                other.span(),
                "an index that is no name and no call",
            )),
        }
    }

    pub(super) fn call(
        &mut self,
        expr: &'p Expr,
        function: &'p Expr,
        arguments: &'p [Ref<Expr>],
    ) -> Result<Term, Obstacle> {
        let reference = take_apart(function);
        let (Some(root), true) = (reference.root, reference.indexes.is_empty()) else {
            return Err(obstacle(expr.span(), "a call by a computed name"));
        };
        let written = std::iter::once(root.to_owned())
            .chain(reference.literal.iter().cloned())
            .collect::<Vec<_>>()
            .join(".");
        let own = self.names.resolve(root, &reference.literal);
        let own = own.filter(|path| self.lowering.rules.get(path).is_some());
        let is_builtin = BUILTINS.contains_key(written.as_str());
        let mut texts = Vec::new();
        for argument in arguments {
            texts.push(self.term(argument)?.text);
        }
        let texts = texts.join(", ");
        match own {
            None if written == source::MEMBER && arguments.len() == 2 => {
                Ok(Term::any(format!("{MEMBER}({texts})")))
            }
            Some(_) if is_builtin => Err(obstacle(
                expr.span(),
                format!("`{written}` is a rule and a built-in"),
            )),
            Some(path) => {
                let group = self.lowering.rules.get(&path);
                let fits = group.is_some_and(|group| {
                    group.function
                        && group.takes == arguments.len()
                        && arguments.len() <= MAX_ARGUMENTS
                });
                if !fits {
                    return Err(obstacle(
                        expr.span(),
                        format!("`{written}` called with other arguments than it has"),
                    ));
                }
                let number = self.lowering.number(&path, &Place::of(expr.span()))?;
                self.lowering.calls += 1;
                Ok(Term::any(format!("r{number}({texts})")))
            }
            None => {
                let Some(arity) = builtins::arity(&written) else {
                    return Err(obstacle(expr.span(), format!("a call of `{written}`")));
                };
                if arity != arguments.len() {
                    return Err(obstacle(
                        expr.span(),
                        format!("`{written}` called with other arguments than it has"),
                    ));
                }
                Ok(Term::any(format!("{written}({texts})")).of(builtins::gives(&written)))
            }
        }
    }
}
