//! `strings.render_template`: a template of Go's `text/template`, filled with an object.
//!
//! There are texts, comments, trimming, fields (`.a.b`), variables of `range`, `if`, `range` and `with`.
//! Pipes, functions, assignments and definitions fail: what they would write, nobody should guess.

mod parse;

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;

use self::parse::{Node, Operand, Root, parse};
use super::arguments::Arguments;
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[("strings.render_template", 2, render)];

/// Bytes that a template may become.
const MAX_BYTES: usize = 1 << 20;
/// Pieces of a template that may be written, those in loops as often as they are.
const MAX_STEPS: usize = 100_000;

fn render(a: &Arguments<'_>) -> Result<Value, Failed> {
    let nodes = parse(a.text(0)?)?;
    a.object(1)?;
    let mut page = Page {
        text: String::new(),
        steps: 0,
    };
    let scope = Scope {
        dot: a.any(1),
        root: a.any(1),
        variables: BTreeMap::new(),
        counts: BTreeSet::new(),
    };
    page.write_all(&nodes, &scope)?;
    Ok(Value::from(page.text))
}

/// What names mean at a place of the template.
#[derive(Clone)]
struct Scope<'v> {
    dot: &'v Value,
    root: &'v Value,
    variables: BTreeMap<&'v str, Value>,
    /// Those of the variables that count: to Go a number, of which zero is false.
    counts: BTreeSet<&'v str>,
}

impl Scope<'_> {
    /// Within a loop `over` something, whose variables have these names.
    fn within<'v>(
        &'v self,
        names: &'v [String],
        (key, value): (&Value, &'v Value),
        over: &Value,
    ) -> Scope<'v> {
        let mut inner: Scope<'v> = self.clone();
        inner.dot = value;
        if let [.., last] = names {
            inner.variables.insert(last, value.clone());
            inner.counts.remove(last.as_str());
        }
        if let [first, _] = names {
            inner.variables.insert(first, key.clone());
            inner.counts.remove(first.as_str());
            if !matches!(over, Value::Object(_)) {
                inner.counts.insert(first);
            }
        }
        inner
    }

    fn holds(&self, operand: &Operand) -> Result<bool, Failed> {
        let value = self.value(operand)?;
        let counts = match operand {
            Operand::Path(Root::Variable(name), _) => self.counts.contains(name.as_str()),
            _ => false,
        };
        Ok(is_true(&value) && !(counts && value == Value::from(0_u64)))
    }

    /// The value of an operand; null where there is none.
    fn value(&self, operand: &Operand) -> Result<Value, Failed> {
        let (root, fields) = match operand {
            Operand::Literal(value) => return Ok(value.clone()),
            Operand::Path(root, fields) => (root, fields),
        };
        let mut value = match root {
            Root::Dot => self.dot,
            Root::Dollar => self.root,
            Root::Variable(name) => self
                .variables
                .get(name.as_str())
                .ok_or_else(|| Failed::Refused(format!("undefined variable \"${name}\"")))?,
        };
        for field in fields {
            value = match value {
                Value::Object(members) => members
                    .get(&Value::from(field.as_str()))
                    .unwrap_or(&Value::Null),
                Value::Null => &Value::Null,
                _ => {
                    return Err(Failed::Refused(format!(
                        "can't evaluate field {field} in type interface {{}}"
                    )));
                }
            };
        }
        Ok(value.clone())
    }
}

struct Page {
    text: String,
    steps: usize,
}

impl Page {
    fn write_all(&mut self, nodes: &[Node], scope: &Scope<'_>) -> Result<(), Failed> {
        nodes.iter().try_for_each(|node| self.write(node, scope))
    }

    fn write(&mut self, node: &Node, scope: &Scope<'_>) -> Result<(), Failed> {
        self.steps += 1;
        match node {
            Node::Text(text) => self.text.push_str(text),
            Node::Put(operand) => match scope.value(operand)? {
                Value::Null => self.text.push_str("<undefined>"),
                value => print(&value, &mut self.text)?,
            },
            Node::If(condition, then, other) => {
                let holds = scope.holds(condition)?;
                self.write_all(if holds { then } else { other }, scope)?;
            }
            Node::With(operand, then, other) => {
                let value = scope.value(operand)?;
                if is_true(&value) {
                    let mut inner = scope.clone();
                    inner.dot = &value;
                    self.write_all(then, &inner)?;
                } else {
                    self.write_all(other, scope)?;
                }
            }
            Node::Range(names, operand, body, other) => {
                let over = scope.value(operand)?;
                let elements = elements(&over)?;
                if elements.is_empty() {
                    self.write_all(other, scope)?;
                }
                for (key, value) in &elements {
                    let inner = scope.within(names, (key, value), &over);
                    self.write_all(body, &inner)?;
                }
            }
        }
        if self.text.len() > MAX_BYTES || self.steps > MAX_STEPS {
            return Err(Failed::Bound(
                "a template may become 1 MiB of 100000 pieces",
            ));
        }
        Ok(())
    }
}

/// What a loop runs over: keys and values.
fn elements(value: &Value) -> Result<Vec<(Value, Value)>, Failed> {
    let counted = |values: &mut dyn Iterator<Item = &Value>| {
        let pairs = values.enumerate();
        pairs.map(|(n, v)| (Value::from(n), v.clone())).collect()
    };
    match value {
        Value::Array(list) => Ok(counted(&mut list.iter())),
        Value::Set(set) => Ok(counted(&mut set.iter())),
        Value::Object(members) => Ok(members
            .iter_sorted()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()),
        Value::Null => Ok(Vec::new()),
        other => Err(Failed::Refused(format!("range can't iterate over {other}"))),
    }
}

/// Numbers are texts to Go here: zero is as true as any.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Undefined => false,
        Value::Bool(flag) => *flag,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Set(set) => !set.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Number(_) => true,
    }
}

/// Writes a value as Go's `%v`. Its depth is the input's, which is bounded.
fn print(value: &Value, out: &mut String) -> Result<(), Failed> {
    let list = |values: &mut dyn Iterator<Item = &Value>, out: &mut String| {
        out.push('[');
        for (number, value) in values.enumerate() {
            if number > 0 {
                out.push(' ');
            }
            print(value, out)?;
        }
        out.push(']');
        Ok(())
    };
    match value {
        Value::String(text) => out.push_str(text),
        Value::Null => out.push_str("<nil>"),
        Value::Array(array) => list(&mut array.iter(), out)?,
        Value::Set(set) => list(&mut set.iter(), out)?,
        Value::Object(members) => {
            out.push_str("map[");
            for (number, (name, value)) in members.iter_sorted().enumerate() {
                if number > 0 {
                    out.push(' ');
                }
                print(name, out)?;
                out.push(':');
                print(value, out)?;
            }
            out.push(']');
        }
        Value::Number(_) => {
            let text = value.to_string();
            // Go and this engine differ in when and how they write one.
            if text.contains('e') {
                return Err(Failed::refused("a number with an exponent"));
            }
            out.push_str(&text);
        }
        other => out.push_str(&other.to_string()),
    }
    Ok(())
}
