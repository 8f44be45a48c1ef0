//! Expressions as OPA has them, above all `not`: `not f(input.user)` does not hold where there is no `input.user`.
//!
//! OPA evaluates what stands inside of a negated call, comparison or reference before it negates; the
//! engine negates the whole, so that an absent member makes `not` of it true: an allow that OPA does not
//! give. So what is inside is bound in front: `__bound0 := input.user; not f(__bound0)`. This is OPA's own
//! rewriting (`rewriteDynamics` in its compiler), for negated expressions only: elsewhere what is undefined
//! inside makes the whole undefined in both.
//!
//! On the same walk, objects as patterns get a guard, or are refused (`exact`, `patterns`), documents of data
//! files are indexed as in OPA (`documents`), `in` as a value is undefined where a side of it is (`membership`),
//! what `every` binds has its value in equations (`every`), and `some … in … with` replaces for that alone (`some_with`).

mod bind;
mod documents;
#[cfg(test)]
mod documents_tests;
mod every;
mod exact;
mod membership;
mod patterns;
mod some_with;
pub(in crate::policy::source) mod spans;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod values_tests;

use std::collections::{BTreeMap, BTreeSet};

use regorus::Engine;
use regorus::unstable::{Expr, Literal, LiteralStmt, Module, Query, Ref, Rule, RuleBody, Span};

pub(in crate::policy) use self::documents::{DOCUMENT_KEY, found};
pub(in crate::policy) use self::membership::{MEMBER, MEMBER_AT, is_member};
use self::patterns::declared_only;
use self::spans::{parts, range};
use crate::policy::footprint::rules::Rules;
use crate::policy::gate::head::parts_of;
use crate::policy::gate::paths::Names;
use crate::policy::gate::scope::{declared_in, variables_in};
use crate::policy::gate::{MAX_FRAMES, Refusal};
use crate::policy::set::LoadError;

/// Gives `engine` the functions that rewritten expressions call.
pub(super) fn install(engine: &mut Engine) -> Result<(), LoadError> {
    documents::install(engine)?;
    membership::install(engine)
}

/// The text of each module in which something must be written otherwise; none where nothing must.
pub(in crate::policy) fn rewrite(
    modules: &[Ref<Module>],
) -> Result<Option<Vec<Option<String>>>, Refusal> {
    let texts = rewrite_from(0, modules)?;
    Ok(texts.iter().any(Option::is_some).then_some(texts))
}

/// As [`rewrite`], of the last of `modules` alone: the others are in the words of the engine.
pub(in crate::policy) fn rewrite_last(modules: &[Ref<Module>]) -> Result<Option<String>, Refusal> {
    let texts = rewrite_from(modules.len().saturating_sub(1), modules)?;
    Ok(texts.into_iter().flatten().next())
}

fn rewrite_from(first: usize, modules: &[Ref<Module>]) -> Result<Vec<Option<String>>, Refusal> {
    let names: Vec<Names> = modules.iter().map(|module| Names::of(module)).collect();
    let all = Rules::of(modules);
    let mut rules: BTreeMap<&[String], BTreeSet<String>> = BTreeMap::new();
    for (module, names) in modules.iter().zip(&names) {
        let own = rules.entry(names.package()).or_default();
        own.extend(module.policy.iter().filter_map(|rule| {
            let declared = names.declared(refr_of(rule));
            declared.get(names.package().len()).cloned()
        }));
    }
    let mut texts = Vec::with_capacity(modules.len());
    let mut lookups = documents::Lookups::default();
    for (module, names) in modules.iter().zip(&names).skip(first) {
        let source = module.package.span.source.contents();
        let mut walk = Walk {
            source,
            names,
            rules: rules.get(names.package()),
            all: &all,
            negating: false,
            lookups: documents::Lookups::default(),
            scopes: Vec::new(),
            every: Vec::new(),
            equated: BTreeSet::new(),
            edits: BTreeMap::new(),
            bound: 0,
            prefix: unused_prefix(source),
            refused: None,
            somes: Vec::new(),
            depth: 0,
            too_deep: false,
        };
        module.policy.iter().for_each(|rule| walk.rule(rule));
        if let Some(refusal) = walk.refused {
            return Err(refusal);
        }
        texts.push((!walk.edits.is_empty()).then(|| walk.cut(0, source.len())));
        lookups.add(walk.lookups, module);
    }
    lookups.check()?;
    Ok(texts)
}

fn refr_of(rule: &Rule) -> &Ref<Expr> {
    match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => parts_of(head).refr,
    }
}

fn unused_prefix(source: &str) -> String {
    let mut prefix = "__bound".to_owned();
    while source.contains(&prefix) {
        prefix.push('_');
    }
    prefix
}

struct Walk<'a> {
    source: &'a str,
    names: &'a Names,
    /// First names of the rules of this package.
    rules: Option<&'a BTreeSet<String>>,
    all: &'a Rules<'a>,
    /// Whether what is walked is inside of a negated expression.
    negating: bool,
    lookups: documents::Lookups,
    scopes: Vec<BTreeSet<&'a str>>,
    /// Names bound by `every`, which the engine does not look up as an index inside of `not`.
    every: Vec<&'a str>,
    /// Names that are a side of an equation in the body of the innermost `every`.
    equated: BTreeSet<&'a str>,
    /// What takes the place of which bytes: start to end and text. None lies in another.
    edits: BTreeMap<usize, (usize, String)>,
    bound: usize,
    prefix: String,
    /// The first thing that must not be.
    refused: Option<Refusal>,
    /// Names that `some x` declares.
    somes: Vec<BTreeSet<&'a str>>,
    /// How deep the walk is in expressions, and whether that was once too deep.
    depth: usize,
    too_deep: bool,
}

impl<'a> Walk<'a> {
    fn rule(&mut self, rule: &'a Rule) {
        match rule {
            Rule::Default { value, .. } => self.expr(value),
            Rule::Spec { head, bodies, .. } => {
                let head = parts_of(head);
                self.scopes.push(variables_in(head.args));
                let value = head.assign.map(|assign| &assign.value);
                for part in head
                    .args
                    .iter()
                    .chain([head.refr])
                    .chain(head.key)
                    .chain(value)
                {
                    self.expr(part);
                }
                let guard = self.parameters(head.args, bodies);
                for body in bodies {
                    self.body(body, &guard);
                }
                self.scopes.pop();
            }
        }
    }

    /// `guard` is what must hold in front.
    fn body(&mut self, body: &'a RuleBody, guard: &str) {
        if let Some(assign) = &body.assign {
            self.expr(&assign.value);
        }
        self.query(&body.query);
        // A body of one statement needs braces where another comes before it.
        let (start, _) = range(&body.query.span);
        let first = body.query.stmts.first();
        if let Some(first) = first.filter(|_| !guard.is_empty()) {
            self.guarded(first, guard);
        }
        if first.is_some_and(|statement| range(&statement.span).0 == start)
            && let Some((_, text)) = self.edits.get_mut(&start)
        {
            *text = format!("{{ {text} }}");
        }
    }

    fn query(&mut self, query: &'a Query) {
        // What is inside of a comprehension inside of `not` may loop.
        let negating = std::mem::replace(&mut self.negating, false);
        self.scopes.push(declared_in(query));
        self.somes.push(declared_only(query));
        for statement in &query.stmts {
            let pattern = self.bound_by(&statement.literal);
            self.statement(statement);
            if let Some((pattern, other)) = pattern {
                self.exactly(statement, pattern, other);
            }
        }
        self.somes.pop();
        self.scopes.pop();
        self.negating = negating;
    }

    fn statement(&mut self, statement: &'a LiteralStmt) {
        for with in &statement.with_mods {
            self.mocks(&with.refr);
            self.expr(&with.r#as);
        }
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
                self.some_with(statement, collection);
            }
            Literal::Expr { expr, .. } => self.condition(expr),
            Literal::NotExpr { expr, .. } => {
                let outer = std::mem::replace(&mut self.negating, true);
                self.condition(expr);
                self.negating = outer;
                self.negated(statement, expr);
            }
            Literal::Every {
                key,
                value,
                domain,
                query,
                ..
            } => {
                self.expr(domain);
                let names: Vec<&Span> = key.iter().chain([value]).collect();
                self.body_of_every(&names, query);
            }
        }
    }

    /// As [`Walk::expr`], where nobody asks for the value of `expr`.
    fn condition(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Membership { key: None, .. } => {
                for part in parts(expr) {
                    self.expr(part);
                }
            }
            other => self.expr(other),
        }
    }

    /// Looks for queries in what is no query itself.
    fn expr(&mut self, expr: &'a Expr) {
        // A sum of a million terms must not take our stack.
        if self.depth >= MAX_FRAMES {
            self.too_deep = true;
            return;
        }
        self.depth += 1;
        match expr {
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.comprehension(query, &[term]);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => self.comprehension(query, &[key, value]),
            other => {
                for part in parts(other) {
                    self.expr(part);
                }
                self.equates(other);
                self.document_key(other);
                self.membership(other);
            }
        }
        self.depth -= 1;
    }

    fn comprehension(&mut self, query: &'a Query, terms: &[&'a Ref<Expr>]) {
        self.query(query);
        self.scopes.push(declared_in(query));
        for term in terms {
            self.expr(term);
        }
        self.scopes.pop();
    }
}
