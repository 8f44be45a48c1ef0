//! A JSON object read member by member: every error names the whole path, and a member that nobody
//! asked for is an error.
//!
//! Why not derived: in the filter's module, derived readers of configuration and feed took three
//! times the code of this and could not name the path. On the PDP's side, `serde` reads YAML.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::json::{self, JsonError};

/// What is wrong, and where: `routes[2].host: must be text`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {problem}")]
pub struct MemberError {
    /// The path of the member, such as `routes[2].host`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

/// An object, of which each member is taken out once.
#[derive(Debug)]
pub struct Members {
    path: String,
    rest: Map<String, Value>,
}

impl Members {
    /// Reads an object from its bytes, strictly; `name` stands for the whole in errors.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, MemberError> {
        let rest = json::parse_object(bytes).map_err(|error: JsonError| MemberError {
            path: name.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(Self {
            path: String::new(),
            rest,
        })
    }

    /// An error about the member `name`.
    pub fn error(&self, name: &str, problem: impl Display) -> MemberError {
        MemberError {
            path: self.path_of(name),
            problem: problem.to_string(),
        }
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, MemberError> {
        match self.rest.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(name, "must be text")),
        }
    }

    /// A text that must be there and not be empty.
    pub fn required_text(&mut self, name: &str) -> Result<String, MemberError> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.error(name, "must be given, as text that is not empty")),
        }
    }

    /// Whatever is there; null where nothing is.
    pub fn value(&mut self, name: &str) -> Value {
        self.rest.remove(name).unwrap_or_default()
    }

    /// A text that is parsed further.
    pub fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, MemberError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|error| self.error(name, error))
    }

    /// `true` or `false`; absent is `false`.
    pub fn flag(&mut self, name: &str) -> Result<bool, MemberError> {
        match self.rest.remove(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(self.error(name, "must be `true` or `false`")),
        }
    }

    /// `true` or `false`; it must be there.
    pub fn required_flag(&mut self, name: &str) -> Result<bool, MemberError> {
        match self.rest.remove(name) {
            Some(Value::Bool(flag)) => Ok(flag),
            _ => Err(self.error(name, "must be given, as `true` or `false`")),
        }
    }

    /// A non-negative integer that must be there.
    pub fn required_number(&mut self, name: &str) -> Result<u64, MemberError> {
        let number = self.rest.remove(name).as_ref().and_then(Value::as_u64);
        number.ok_or_else(|| self.error(name, "must be given, as a non-negative integer"))
    }

    /// A member of any type, as it is.
    pub fn any(&mut self, name: &str) -> Option<Value> {
        self.rest.remove(name)
    }

    /// A list of texts, each parsed further.
    pub fn list<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<Vec<T>>, MemberError> {
        if !self.has(name) {
            return Ok(None);
        }
        let texts = self.text_list(name)?;
        let mut items = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let item = text.parse();
            items.push(item.map_err(|error| self.error(&place(name, index), error))?);
        }
        Ok(Some(items))
    }

    /// A list of texts as they are; absent is an empty one.
    pub fn text_list(&mut self, name: &str) -> Result<Vec<String>, MemberError> {
        let items = match self.rest.remove(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.error(name, "must be a list of texts")),
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let Value::String(text) = item else {
                return Err(self.error(&place(name, index), "must be text"));
            };
            texts.push(text);
        }
        Ok(texts)
    }

    /// An object; absent is an empty one.
    pub fn object(&mut self, name: &str) -> Result<Self, MemberError> {
        match self.rest.remove(name) {
            None => Ok(Self {
                path: self.path_of(name),
                rest: Map::new(),
            }),
            Some(Value::Object(rest)) => Ok(Self {
                path: self.path_of(name),
                rest,
            }),
            Some(_) => Err(self.error(name, "must be an object")),
        }
    }

    /// Whether the member is an object.
    pub fn is_object(&self, name: &str) -> bool {
        matches!(self.rest.get(name), Some(Value::Object(_)))
    }

    /// A list of objects; absent is an empty one.
    pub fn objects(&mut self, name: &str) -> Result<Vec<Self>, MemberError> {
        let items = match self.rest.remove(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.error(name, "must be a list of objects")),
        };
        let mut objects = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let path = self.path_of(&place(name, index));
            let Value::Object(rest) = item else {
                return Err(MemberError {
                    path,
                    problem: "must be an object".to_owned(),
                });
            };
            objects.push(Self { path, rest });
        }
        Ok(objects)
    }

    /// An object of texts; absent is an empty one.
    pub fn texts(&mut self, name: &str) -> Result<BTreeMap<String, String>, MemberError> {
        let object = self.object(name)?;
        // Not collected: that sorts what is sorted, at six kilobytes of the filter's module.
        let mut texts = BTreeMap::new();
        for (name, value) in object.rest {
            let Value::String(text) = value else {
                return Err(MemberError {
                    path: format!("{}.{name}", object.path),
                    problem: "must be text".to_owned(),
                });
            };
            texts.insert(name, text);
        }
        Ok(texts)
    }

    /// Whether a member is (still) there.
    pub fn has(&self, name: &str) -> bool {
        self.rest.contains_key(name)
    }

    /// What is left, unread.
    pub fn into_rest(self) -> Map<String, Value> {
        self.rest
    }

    /// Refuses whatever nobody asked for.
    pub fn finish(self) -> Result<(), MemberError> {
        match self.rest.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.error(name, "is not known here")),
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

/// Reads every object of a list. Not collected: each kind would take a kilobyte of the filter's module.
pub fn read_each<T>(
    list: Vec<Members>,
    read: fn(Members) -> Result<T, MemberError>,
) -> Result<Vec<T>, MemberError> {
    let mut items = Vec::with_capacity(list.len());
    for members in list {
        items.push(read(members)?);
    }
    Ok(items)
}

fn place(list: &str, index: usize) -> String {
    format!("{list}[{index}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_names_the_whole_path() {
        let text = br#"{"a":{"b":[{"c":1},{"d":true}]},"e":["x",2]}"#;
        let mut root = Members::parse(text, "file").unwrap();
        let mut list = root.object("a").unwrap().objects("b").unwrap();
        assert_eq!(
            list[0].text("c").unwrap_err().to_string(),
            "a.b[0].c: must be text"
        );
        let unknown = list.remove(1).finish().unwrap_err();
        assert_eq!(unknown.to_string(), "a.b[1].d: is not known here");
        assert_eq!(
            root.list::<String>("e").unwrap_err().to_string(),
            "e[1]: must be text"
        );
        assert!(
            Members::parse(b"[]", "file")
                .unwrap_err()
                .to_string()
                .starts_with("file: ")
        );
    }
}
