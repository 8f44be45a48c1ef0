//! In which line of a YAML text each value stands, for messages only.
//!
//! The typed reading loses lines, so the text is read a second time as bare structure. What this
//! is not: another opinion about the content; a text it cannot read just has no line numbers.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::problem::Field;
use super::read::yaml_options;

/// Lines by field path, counted from 1.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<String, u64>);

impl Lines {
    /// Reads the structure of `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(root) = serde_saphyr::from_str_with_options::<Node>(text, yaml_options()) {
            lines.note(&Field::default(), root);
        }
        lines
    }

    /// The line of `field`, or of the closest value around it that the file has.
    pub(super) fn of_field(&self, field: &Field) -> Option<u64> {
        let mut path = field.as_str();
        while !path.is_empty() {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = path
                .rfind(['.', '['])
                .and_then(|end| path.get(..end))
                .unwrap_or_default();
        }
        None
    }

    fn note(&mut self, field: &Field, node: Node) {
        match node {
            Node::Leaf => {}
            Node::Map(entries) => {
                for (key, value) in entries {
                    self.note_at(&field.key(&key.value), key.referenced.line(), value);
                }
            }
            Node::Seq(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.note_at(&field.index(index), item.referenced.line(), item.value);
                }
            }
        }
    }

    fn note_at(&mut self, field: &Field, line: u64, node: Node) {
        if line > 0 {
            self.0.insert(field.as_str().to_owned(), line);
        }
        self.note(field, node);
    }
}

enum Node {
    Leaf,
    Map(Vec<(Spanned<String>, Node)>),
    Seq(Vec<Spanned<Node>>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Seq(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(key) = entries.next_key()? {
            nodes.push((key, entries.next_value()?));
        }
        Ok(Node::Map(nodes))
    }
}
