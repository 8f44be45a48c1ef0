//! Data as the engine's value, with equal parts there once: the same roles of ten thousand users, the
//! same names in each of their entries. The engine's values are not changed in place, so nobody can tell.
//!
//! What this is not: a compression. Large parts, and what is above them, are as they are.

use std::collections::{BTreeMap, HashMap};

use regorus::Value;
use serde_json::Value as Json;

use super::value::from_json;

/// Lists and objects with more members are not looked up, nor are the names in them.
const MEMBERS: usize = 64;
/// Neither are longer texts.
const BYTES: usize = 256;

/// What tells parts from each other, in how they are written too: `1` and `1.0` are two.
#[derive(PartialEq, Eq, Hash)]
enum Content {
    Text(Box<str>),
    Scalar(Box<str>),
    List(Vec<usize>),
    Object(Vec<(usize, usize)>),
}

/// Parts seen so far, each with its number.
#[derive(Default)]
struct Parts(HashMap<Content, (usize, Value)>);

/// A value, and its number where it may be met again.
type Part = (Option<usize>, Value);

/// As [`from_json`] has it. Depth is bounded by whoever parsed `json`.
pub(super) fn shared(json: Json) -> Value {
    Parts::default().part(json).1
}

impl Parts {
    fn part(&mut self, json: Json) -> Part {
        match json {
            Json::Array(items) => {
                let few = items.len() <= MEMBERS;
                let parts: Vec<Part> = items.into_iter().map(|item| self.part(item)).collect();
                let content = parts.iter().map(|(number, _)| *number).collect();
                let content: Option<Vec<usize>> = content;
                let value = || Value::from(parts.into_iter().map(|(_, v)| v).collect::<Vec<_>>());
                self.once(content.filter(|_| few).map(Content::List), value)
            }
            Json::Object(members) => {
                let few = members.len() <= MEMBERS;
                let mut content = few.then(Vec::new);
                let mut object = BTreeMap::new();
                for (name, member) in members {
                    let (number, name) = if few {
                        self.text(name)
                    } else {
                        (None, Value::from(name))
                    };
                    let (value, member) = self.part(member);
                    content = content.and_then(|mut content: Vec<_>| {
                        content.push((number?, value?));
                        Some(content)
                    });
                    object.insert(name, member);
                }
                self.once(content.map(Content::Object), || Value::from(object))
            }
            Json::String(text) => self.text(text),
            scalar => {
                let content = Content::Scalar(scalar.to_string().into());
                self.once(Some(content), || from_json(scalar))
            }
        }
    }

    fn text(&mut self, text: String) -> Part {
        let content = (text.len() <= BYTES).then(|| Content::Text(text.as_str().into()));
        self.once(content, || Value::from(text))
    }

    /// The value that `content` was the first time.
    fn once(&mut self, content: Option<Content>, make: impl FnOnce() -> Value) -> Part {
        let Some(content) = content else {
            return (None, make());
        };
        let number = self.0.len();
        let (number, value) = self.0.entry(content).or_insert_with(|| (number, make()));
        (Some(*number), value.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_parts_are_there_once_and_nothing_reads_otherwise() {
        let user = json!({"roles": ["a", "b"], "n": 1, "f": 1.0, "z": -0.0, "o": {"x": null}});
        let many: serde_json::Map<String, Json> =
            (0..200).map(|n| (format!("u{n}"), user.clone())).collect();
        let numbers = json!([
            0,
            -0.0,
            0.0,
            1,
            1.0,
            -1,
            1e16,
            10_000_000_000_000_000_u64,
            0.1
        ]);
        let long = "x".repeat(BYTES + 1);
        let whole = json!({ "users": many, "again": many, "numbers": [numbers, numbers],
            "long": [long, long], "empty": [[], {}, "", null, [], {}], "$serde_json::private::Number": "1" });
        let value = shared(whole.clone());
        assert_eq!(format!("{value:?}"), format!("{:?}", from_json(whole)));
        let place = |user: &str| std::ptr::from_ref(value["users"][user].as_object().unwrap());
        assert_eq!(place("u0"), place("u199"));
        let roles =
            |user: &str| std::ptr::from_ref(value["users"][user]["roles"].as_array().unwrap());
        assert_eq!(roles("u1"), roles("u7"));
    }
}
