//! What documents of data files are indexed by: OPA reads them by path, where a number and its text are one.
//! `data.list["1"]` is the second element, and `data.names[1]` the member `"1"`; of a rule's value, or of a
//! variable's, it is not so.
//!
//! The engine knows the half of it. So what is computed in `data.list[input.n]` becomes a call, which gives
//! the name or the place that is there: `data.list[internal.document_key(data.list, input.n)]`.
//!
//! What this does not see: an index behind a loop (`data.lists[_]["1"]`), and one that a name gets in other
//! ways than by `:=`, `some … in` or as a parameter; such names may be loops.

use std::str::FromStr as _;

use regorus::unstable::{Expr, Module};
use regorus::{Engine, Value};

use super::Walk;
use super::spans::{is_comprehension, parts, whole};
use crate::policy::footprint::rules::Leads;
use crate::policy::gate::Refusal;
use crate::policy::gate::lost::is_literal;
use crate::policy::gate::paths::{Path, take_apart};
use crate::policy::set::LoadError;
use crate::policy::sources::is_test_file;

/// The function. Its arguments: the document, or a set of it or nothing; and what it is to be indexed by.
pub(in crate::policy) const DOCUMENT_KEY: &str = "internal.document_key";

/// More computed indexes in one reference than these stay as they are: each doubles the text.
const MAX_INDEXES: usize = 4;

impl Walk<'_> {
    /// Looks up what `expr` is indexed by, if it is an index into a document.
    pub(super) fn document_key(&mut self, expr: &Expr) {
        let Expr::RefBrack { refr, index, .. } = expr else {
            return;
        };
        let Some(path) = self.path_of(refr) else {
            return;
        };
        match self.all.lead(&path) {
            Leads::ToDocuments if self.is_lookup(refr, index) => {
                self.lookups.indexed.push((path, refusal(index)));
            }
            Leads::IntoRules if !is_literal(index) && self.has_value(index) => {
                self.refused.get_or_insert_with(|| refusal(index));
                return;
            }
            _ => return,
        }
        let (start, end) = whole(refr);
        let document = self.read(start, end);
        // `not` of an index into what is not there holds; a call with it would be undefined.
        let document = if self.negating {
            format!("{{{document} | true}}")
        } else {
            document
        };
        let (start, end) = whole(index);
        let index = self.cut(start, end);
        let text = format!("{DOCUMENT_KEY}({document}, {index})");
        self.edits.insert(start, (end, text));
    }

    /// Remembers that `with` replaces `target`.
    pub(super) fn mocks(&mut self, target: &Expr) {
        let reference = take_apart(target);
        if let Some(root) = reference.root {
            let path = self.names.resolve(root, &reference.literal);
            self.lookups.mocked.extend(path);
        }
    }

    /// The path of `to`, if it is named by its whole path, in `data` or below an import, with nothing in the
    /// place of what is computed.
    fn path_of(&self, to: &Expr) -> Option<Vec<Option<String>>> {
        let reference = take_apart(to);
        let root = reference.root?;
        if self.scopes.iter().any(|scope| scope.contains(root)) {
            return None;
        }
        let start = match self.names.import(root) {
            Some(path) => path.clone(),
            None => vec![root.to_owned()],
        };
        let is_rule = self.all.at_or_above(&start).next().is_some();
        if is_rule || start.first().is_none_or(|first| first != "data") {
            return None;
        }
        let start = start.into_iter().map(Some);
        Some(start.chain(reference.steps).collect())
    }

    fn is_lookup(&self, document: &Expr, index: &Expr) -> bool {
        let reference = take_apart(document);
        let import = reference.root != Some("data");
        let is_key = match index {
            // The engine looks for such a number itself.
            Expr::Number { .. } => import,
            Expr::String { value, .. } | Expr::RawString { value, .. } => {
                value.as_string().is_ok_and(|text| place(text).is_some())
            }
            // No document has such a key.
            Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::Array { .. }
            | Expr::Set { .. }
            | Expr::Object { .. } => false,
            other => self.has_value(other),
        };
        let indexes = reference.indexes.into_iter();
        let computed = indexes.filter(|index| !is_literal(index));
        is_key
            && computed.clone().count() < MAX_INDEXES
            && computed.clone().all(|index| self.has_value(index))
    }

    /// Whether `expr` has one value at most where it stands: nothing in it is a loop.
    fn has_value(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Var { span, .. } => {
                let name = span.text();
                let is_local = self.scopes.iter().any(|scope| scope.contains(name));
                let may_loop = self.somes.iter().any(|somes| somes.contains(name));
                // Whatever is inside of `not` has its value from outside.
                let given = self.negating && name != "_";
                given || !may_loop && (is_local || self.elsewhere(name).is_some())
            }
            // The function's name.
            Expr::Call { params, .. } => params.iter().all(|param| self.has_value(param)),
            other if is_comprehension(other) => true,
            other => parts(other).into_iter().all(|part| self.has_value(part)),
        }
    }
}

fn refusal(index: &Expr) -> Refusal {
    let span = index.span();
    Refusal::RuleOrDocument {
        file: span.source.file().clone(),
        line: span.line,
    }
}

/// What is looked up in documents, and what `with` puts in the place of documents: that is none, and is indexed
/// as any value.
#[derive(Default)]
pub(super) struct Lookups {
    mocked: Vec<Path>,
    indexed: Vec<(Vec<Option<String>>, Refusal)>,
}

impl Lookups {
    /// Adds those of `module`. What tests put in the place of a document is for tests alone.
    pub(super) fn add(&mut self, mut other: Self, module: &Module) {
        if !is_test_file(module.package.span.source.file()) {
            self.mocked.append(&mut other.mocked);
        }
        self.indexed.append(&mut other.indexed);
    }

    /// Refuses to look up what is replaced.
    pub(super) fn check(self) -> Result<(), Refusal> {
        let meets = |path: &[Option<String>]| {
            self.mocked.iter().any(|other| {
                let mut parts = path.iter().zip(other);
                parts.all(|(part, name)| part.as_ref().is_none_or(|part| part == name))
            })
        };
        match self.indexed.into_iter().find(|(path, _)| meets(path)) {
            Some((_, refusal)) => Err(refusal),
            None => Ok(()),
        }
    }
}

/// Gives the engine the function.
pub(super) fn install(engine: &mut Engine) -> Result<(), LoadError> {
    let function = |args: Vec<Value>| {
        let [document, index] = args.as_slice() else {
            return Ok(Value::Undefined);
        };
        Ok(match document {
            Value::Set(found) => found
                .first()
                .map_or_else(|| index.clone(), |document| key(document, index)),
            document => key(document, index),
        })
    };
    engine
        .add_extension(DOCUMENT_KEY.to_owned(), 2, Box::new(function))
        .map_err(|error| LoadError::engine(&error))
}

/// What lies in `document` at `index`, as OPA reads documents of data.
pub(in crate::policy) fn found(document: &Value, index: &Value) -> Value {
    document[&key(document, index)].clone()
}

/// What `document` has to be indexed by to find what OPA finds at `index`.
fn key(document: &Value, index: &Value) -> Value {
    match (document, index) {
        (Value::Array(_), Value::String(text)) => {
            place(text).map_or_else(|| index.clone(), Value::from)
        }
        (Value::Object(members), Value::Number(_)) if !members.contains_key(index) => {
            Value::from(index.to_string())
        }
        _ => index.clone(),
    }
}

/// The place in an array that OPA reads `text` as: digits, which may have a sign in front and a fraction of
/// zeros behind.
fn place(text: &str) -> Option<u64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    let place = i64::from_str(digits).ok()?;
    u64::try_from(place).ok()
}
