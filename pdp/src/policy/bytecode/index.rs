//! Many definitions of one rule, found by what they compare of the input with constants.
//!
//! The machine tries every definition of a rule, one after the other. Where many say the same of
//! different values (`input.path == ["orders", "42"]`), those that cannot hold need not be tried: they are
//! written below a search tree of rules, whose nodes compare the input with the constant in the middle.
//! Only comparisons that stand before anything which could fail count, so that nothing is left out that
//! would have failed; and the order of values that the tree rests on is the one by which they are equal.
//!
//! What this is not: a change of what a rule means. Each definition stays whole, with the comparison that
//! it was found by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use regorus::Value;
use regorus::unstable::{BoolOp, Expr, Literal, LiteralStmt};

use super::super::gate::paths::take_apart;
use super::body::Body;
use super::definition::Definition;

/// So few definitions are tried one after the other: a node costs about as much.
const LEAF: usize = 6;
/// Nodes of all trees together: the compiler takes so many rules and no more.
const NODES: usize = 3000;

/// A comparison of something of the input with a constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Of the input, as written.
    path: String,
    /// The constant as written, and what it is.
    constant: String,
    value: Value,
}

impl<'p> Body<'_, 'p> {
    /// The comparison that `statement` is; none where it may be anything else.
    pub(super) fn key(&mut self, statement: &'p LiteralStmt) -> Option<Key> {
        let Literal::Expr { expr, .. } = &statement.literal else {
            return None;
        };
        let Expr::BoolExpr {
            op: BoolOp::Eq,
            lhs,
            rhs,
            ..
        } = expr.as_ref()
        else {
            return None;
        };
        let (read, constant) = match (is_of_input(lhs), is_literal(lhs)) {
            (true, _) if is_literal(rhs) => (lhs, rhs),
            (_, true) if is_of_input(rhs) => (rhs, lhs),
            _ => return None,
        };
        let path = self.term(read).ok()?.text;
        let constant = self.term(constant).ok().filter(|term| term.constant)?.text;
        let value = Value::from_json_str(&constant).ok();
        let value = value.filter(is_ordered_alike)?;
        Some(Key {
            path,
            constant,
            value,
        })
    }
}

fn is_of_input(expr: &Expr) -> bool {
    let reference = take_apart(expr);
    reference.root == Some("input") && reference.indexes.is_empty()
}

/// Whether it is a text, a flag or a list of texts, as it stands there. Nothing else may be looked at: what is
/// written twice is counted twice.
fn is_literal(expr: &Expr) -> bool {
    let is_text = |expr: &Expr| matches!(expr, Expr::String { .. } | Expr::RawString { .. });
    match expr {
        Expr::Bool { .. } => true,
        Expr::Array { items, .. } => items.iter().all(|item| is_text(item)),
        expr => is_text(expr),
    }
}

/// Whether nobody doubts which values are equal to this one: numbers have several spellings.
fn is_ordered_alike(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Bool(_) => true,
        Value::Array(items) => items.iter().all(|item| matches!(item, Value::String(_))),
        _ => false,
    }
}

/// A definition of a complete rule with one body and a constant value, which can stand below a node.
pub(super) struct Indexed {
    /// `r0 := true`.
    pub head: String,
    /// Its statements.
    pub body: String,
    /// At least one, and one for each path: a second one may only make it hold less often.
    pub keys: Vec<Key>,
}

impl Indexed {
    /// A definition; none where it compares nothing.
    pub(super) fn new(head: String, body: String, mut keys: Vec<Key>) -> Option<Self> {
        let mut paths = BTreeSet::new();
        keys.retain(|key| paths.insert(key.path.clone()));
        (!keys.is_empty()).then_some(Self { head, body, keys })
    }
}

/// Writes the definitions of one rule, which agree. `nodes` counts the rules of all trees.
pub(super) fn write(definitions: &[Definition], nodes: &mut usize, text: &mut String) {
    let indexed: Vec<&Indexed> = definitions.iter().flat_map(|d| &d.indexed).collect();
    let tree = match indexed.first() {
        Some(first) if indexed.len() > LEAF => {
            let mut tree = Tree {
                nodes: *nodes,
                text: String::new(),
            };
            tree.node(&first.head.clone(), indexed);
            Some(tree).filter(|tree| tree.nodes <= NODES)
        }
        _ => None,
    };
    for definition in definitions {
        if tree.is_none() || definition.indexed.is_none() {
            text.push_str(&definition.text);
        }
    }
    if let Some(tree) = tree {
        *nodes = tree.nodes;
        text.push_str(&tree.text);
    }
}

struct Tree {
    nodes: usize,
    text: String,
}

impl Tree {
    /// Writes `left` as bodies of `head`, or below nodes that are its bodies, as often as that is worth it.
    fn node(&mut self, head: &str, mut left: Vec<&Indexed>) {
        while left.len() > LEAF {
            let Some(path) = most_telling(&left) else {
                break;
            };
            let (mut keyed, mut others) = (Vec::new(), Vec::new());
            for one in left {
                match one.keys.iter().find(|key| key.path == path) {
                    Some(key) => keyed.push((key, one)),
                    None => others.push(one),
                }
            }
            keyed.sort_by(|(one, _), (other, _)| one.value.cmp(&other.value));
            self.halves(head, &keyed);
            left = others;
        }
        for one in left {
            let _ = writeln!(self.text, "{head} if {{ {} }}", one.body);
        }
    }

    /// Writes two nodes: those that compare with less than the value in the middle of all there are, and the
    /// others. Both have some.
    fn halves(&mut self, head: &str, sorted: &[(&Key, &Indexed)]) {
        let mut values: Vec<&Key> = sorted.iter().map(|(key, _)| *key).collect();
        values.dedup_by(|one, other| one.value == other.value);
        let Some(middle) = values.get(values.len() / 2) else {
            return;
        };
        let (below, above) =
            sorted.split_at(sorted.partition_point(|(key, _)| key.value < middle.value));
        for (half, operator) in [(below, "<"), (above, ">=")] {
            let name = format!("i{}", self.nodes);
            self.nodes += 1;
            let (path, constant) = (&middle.path, &middle.constant);
            let _ = writeln!(
                self.text,
                "{head} if {{ {path} {operator} {constant}; {name} }}"
            );
            let half = half.iter().map(|(_, one)| *one).collect();
            self.node(&format!("{name} := true"), half);
        }
    }
}

/// What is compared with the most values, and with two at least.
fn most_telling(all: &[&Indexed]) -> Option<String> {
    let mut values: BTreeMap<&str, BTreeSet<&Value>> = BTreeMap::new();
    for key in all.iter().flat_map(|one| &one.keys) {
        values.entry(&key.path).or_default().insert(&key.value);
    }
    let (path, values) = values.into_iter().max_by_key(|(_, values)| values.len())?;
    (values.len() > 1).then(|| path.to_owned())
}
