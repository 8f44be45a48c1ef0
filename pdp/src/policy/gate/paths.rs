//! Names in Rego source made absolute: `limits.max` in a module that imports `data.shop.limits`
//! becomes `data.shop.limits.max`.
//!
//! Syntax only. Whether such a name exists is for the caller to ask.

use std::collections::BTreeMap;

use regorus::Value;
use regorus::unstable::{Expr, Import, Module, Ref};

/// An absolute path: `data`, then package and rule names; or a built-in's name in parts.
pub(in crate::policy) type Path = Vec<String>;

/// The literal start of a reference, and the expressions in its brackets.
pub(in crate::policy) struct Reference<'a> {
    /// Name the reference starts with, unless it starts with a call or a literal.
    pub root: Option<&'a str>,
    /// What the reference starts with when that is not a name.
    pub base: Option<&'a Expr>,
    /// The parts after the root; none for what is computed.
    pub steps: Vec<Option<String>>,
    /// Literal parts after the root, up to the first computed one.
    pub literal: Vec<String>,
    /// Literal parts after the root, computed ones left out: the engine looks functions up by this
    /// name, so that `http[x].send(…)` is a call of `http.send`.
    pub named: Vec<String>,
    /// All expressions in brackets.
    pub indexes: Vec<&'a Ref<Expr>>,
}

/// Takes a chain of `.name` and `[…]` apart.
pub(in crate::policy) fn take_apart(expr: &Expr) -> Reference<'_> {
    let mut steps = Vec::new();
    let mut indexes = Vec::new();
    let mut at = expr;
    loop {
        match at {
            Expr::RefDot { refr, field, .. } => {
                steps.push(Some(
                    text_of(&field.1).unwrap_or_else(|| field.0.text().to_owned()),
                ));
                at = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                steps.push(literal_text(index));
                indexes.push(index);
                at = refr;
            }
            _ => break,
        }
    }
    steps.reverse();
    let named = steps.iter().flatten().cloned().collect();
    let literal = steps.iter().cloned().map_while(|step| step).collect();
    let (root, base) = match at {
        Expr::Var { span, .. } => (Some(span.text()), None),
        base => (None, Some(base)),
    };
    Reference {
        root,
        base,
        steps,
        literal,
        named,
        indexes,
    }
}

fn literal_text(index: &Expr) -> Option<String> {
    match index {
        Expr::String { value, .. } | Expr::RawString { value, .. } => text_of(value),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<String> {
    value.as_string().ok().map(|text| text.as_ref().to_owned())
}

/// What a module calls things: its own package and its imports.
pub(in crate::policy) struct Names {
    package: Path,
    imports: BTreeMap<String, Path>,
}

impl Names {
    /// Reads the package line and the imports.
    pub(in crate::policy) fn of(module: &Module) -> Self {
        let mut package = vec!["data".to_owned()];
        package.extend(whole(&module.package.refr));
        let imports = module.imports.iter().filter_map(alias).collect();
        Self { package, imports }
    }

    /// `data`, then the name of the module's package.
    pub(in crate::policy) fn package(&self) -> &[String] {
        &self.package
    }

    /// What imports are called here.
    pub(in crate::policy) fn imported(&self) -> impl Iterator<Item = &str> {
        self.imports.keys().map(String::as_str)
    }

    /// What `alias` stands for, when an import says so: a path below `data` or `input`.
    pub(in crate::policy) fn import(&self, alias: &str) -> Option<&Path> {
        self.imports.get(alias)
    }

    /// The absolute path of a rule declared in this module as `head`.
    pub(in crate::policy) fn declared(&self, head: &Expr) -> Path {
        let mut path = self.package.clone();
        path.extend(whole(head));
        path
    }

    /// The absolute path of `root` and `parts` here; none when it leads into `input`. A name that is
    /// neither `input`, `data` nor an import is taken for a rule of this package.
    pub(in crate::policy) fn resolve(&self, root: &str, parts: &[String]) -> Option<Path> {
        let start = match (root, self.imports.get(root)) {
            ("input", _) => return None,
            ("data", _) => vec!["data".to_owned()],
            (_, Some(import)) if import.first().is_some_and(|first| first == "input") => {
                return None;
            }
            (_, Some(import)) => import.clone(),
            (name, None) => {
                let mut path = self.package.clone();
                path.push(name.to_owned());
                path
            }
        };
        Some(start.into_iter().chain(parts.iter().cloned()).collect())
    }
}

/// Root and literal parts in one list.
pub(in crate::policy) fn whole(expr: &Expr) -> Path {
    let reference = take_apart(expr);
    let root = match (reference.root, reference.base) {
        (Some(root), _) => Some(root.to_owned()),
        (None, Some(base)) => literal_text(base),
        (None, None) => None,
    };
    root.into_iter().chain(reference.literal).collect()
}

fn alias(import: &Import) -> Option<(String, Path)> {
    let target = whole(&import.refr);
    let name = match &import.r#as {
        Some(span) => span.text().to_owned(),
        None => target.last()?.clone(),
    };
    // `import rego.v1` and `import future.keywords` switch syntax on; they name no document.
    let names_a_document = target
        .first()
        .is_some_and(|first| first == "data" || first == "input");
    names_a_document.then_some((name, target))
}
