//! References and calls: the two ways by which a rule gets at what is not its own.
//!
//! Names are looked up as the engine does (regorus 0.14.1, `lookup_var` and `eval_call_impl`), and
//! where several meanings are possible all of them are taken.

use regorus::unstable::{Expr, Ref};

use super::super::gate::paths::{Path, take_apart};
use super::analysis::{Place, Why};
use super::origin::{Document, Origin, Origins};
use super::walk::Walk;

/// One step of a reference after what it starts with.
enum Step<'p> {
    /// `.name` or `["name"]`.
    Name(String),
    /// Any other bracket.
    Computed(&'p Ref<Expr>),
}

impl<'p> Walk<'_, 'p> {
    /// Where `expr`, a name or a chain of `.name` and `[…]` after one, may come from.
    pub(super) fn reference(&mut self, expr: &'p Expr) -> Origins {
        let place = Place::of(expr.span());
        let (start, steps) = steps_of(expr);
        let literal: Path = steps
            .iter()
            .map_while(|step| match step {
                Step::Name(name) => Some(name.clone()),
                Step::Computed(_) => None,
            })
            .collect();
        let mut origins = match start {
            Expr::Var { span, .. } => self.named(span.text(), &literal, &place),
            other => {
                let mut origins = Origins::new();
                for origin in self.value(other) {
                    self.flow.extend(&mut origins, origin, &literal, &place);
                }
                origins
            }
        };
        for step in steps.iter().skip(literal.len()) {
            if let Step::Computed(index) = step {
                // A number most likely picks from a list, which is read as one anyway.
                let why = match index.as_ref() {
                    Expr::Number { .. } => Why::Compared,
                    _ => Why::ComputedKey,
                };
                self.flow.whole(&origins, &place, &why);
                self.read(index, &Why::Compared);
                origins.clear();
            }
        }
        origins
    }

    /// What `name` and the literal names after it may be.
    fn named(&mut self, name: &str, literal: &[String], place: &Place) -> Origins {
        let mut origins = Origins::new();
        for origin in self.flow.variable(self.path, self.definition, name) {
            self.flow.extend(&mut origins, origin, literal, place);
        }
        if self.arguments.contains(name) {
            return origins;
        }
        let absolute = |start: &[String]| [start, literal].concat();
        match name {
            "input" => {
                let input = Origin::whole(Document::Input);
                self.flow.extend(&mut origins, input, literal, place);
            }
            "data" => origins.extend(self.flow.document(&absolute(&["data".to_owned()]), place)),
            _ => {
                let own = [self.names.package(), &[name.to_owned()]].concat();
                if self.flow.rules.any_below(&own) {
                    origins.extend(self.flow.document(&absolute(&own), place));
                }
                if let Some(target) = self.names.import(name) {
                    origins.extend(self.imported(target, &absolute(target), place));
                }
            }
        }
        origins
    }

    /// What the import of `target` makes of `path`, which starts with it.
    fn imported(&mut self, target: &[String], path: &[String], place: &Place) -> Origins {
        if target.first().is_some_and(|first| first == "input") {
            let mut origins = Origins::new();
            let input = Origin::whole(Document::Input);
            let names = path.get(1..).unwrap_or_default();
            self.flow.extend(&mut origins, input, names, place);
            return origins;
        }
        // The engine evaluates all of the imported document before it asks for a member of it.
        let rules = self.flow.rules;
        for (below, _) in rules.at_or_below(target) {
            self.flow.reach(below);
        }
        self.flow.document(path, place)
    }

    /// Where the answer of a call may come from.
    pub(super) fn call(
        &mut self,
        expr: &'p Expr,
        function: &'p Expr,
        params: &'p [Ref<Expr>],
    ) -> Origins {
        let place = Place::of(expr.span());
        // A computed bracket is evaluated, then left out of the function's name.
        for index in take_apart(function).indexes {
            self.read(index, &Why::Compared);
        }
        let (written, own) = self.callees(function);
        if own.is_empty() {
            self.flow.reads.calls(&written, &place);
            return self.built_in(&written, params);
        }
        let arguments: Vec<Origins> = params.iter().map(|param| self.value(param)).collect();
        let mut origins = Origins::new();
        for path in own {
            self.flow.call(&path, &arguments, &place);
            origins.extend(self.flow.result(&path));
            // `f(x, y)` of a function with one argument compares its answer with `y`.
            let takes = self.flow.rules.get(&path).map_or(0, |group| group.takes);
            if params.len() > takes {
                self.flow.whole(&origins, &place, &Why::Compared);
                for extra in arguments.iter().skip(takes) {
                    self.flow.whole(extra, &place, &Why::Compared);
                }
            }
        }
        origins
    }

    fn built_in(&mut self, name: &str, params: &'p [Ref<Expr>]) -> Origins {
        if name == "object.get"
            && let [object, key, default] = params
            && let Some(names) = literal_key(key)
        {
            let mut origins = self.value(default);
            for origin in self.value(object) {
                let place = Place::of(object.span());
                self.flow.extend(&mut origins, origin, &names, &place);
            }
            return origins;
        }
        for param in params {
            self.read(param, &Why::Argument(name.to_owned()));
        }
        Origins::new()
    }

    /// `side` of a `with` may be a function, which is called wherever the other one is. What it is
    /// handed need not be followed: everything counts as read.
    pub(super) fn put_in_place(&mut self, side: &'p Expr) {
        let (written, own) = self.callees(side);
        let place = Place::of(side.span());
        // A document, a rule, a value: not a call.
        let is_built_in = own.is_empty() && regorus::unstable::BUILTINS.contains_key(&*written);
        if is_built_in {
            self.flow.reads.calls(&written, &place);
        }
        for path in own {
            self.flow.call(&path, &[], &place);
        }
    }

    /// The name of a function as written, and the functions of the policies that it may be.
    fn callees(&self, function: &Expr) -> (String, Vec<Path>) {
        let reference = take_apart(function);
        let root = reference.root.unwrap_or_default();
        let written: Path = std::iter::once(root.to_owned())
            .chain(reference.named.iter().cloned())
            .collect();
        let mut own: Vec<Path> = self
            .names
            .resolve(root, &reference.named)
            .into_iter()
            .chain([[self.names.package(), &written].concat()])
            .filter(|path| self.flow.rules.get(path).is_some())
            .collect();
        own.dedup();
        (written.join("."), own)
    }
}

/// What a reference starts with, and the steps after it.
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
                steps.push(match name_of(index) {
                    Some(name) => Step::Name(name),
                    None => Step::Computed(index),
                });
                at = refr;
            }
            _ => break,
        }
    }
    steps.reverse();
    (at, steps)
}

fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::String { value, .. } => value.as_string().ok().map(|name| name.as_ref().to_owned()),
        _ => None,
    }
}

/// The names that a literal key of `object.get` leads through: `"a"` or `["a", "b"]`.
fn literal_key(key: &Expr) -> Option<Path> {
    match key {
        Expr::Array { items, .. } => items.iter().map(|item| name_of(item)).collect(),
        key => Some(vec![name_of(key)?]),
    }
}
