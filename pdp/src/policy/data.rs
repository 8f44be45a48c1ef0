//! Data files: JSON and YAML into one document, without two files saying different things.
//!
//! Both formats are read strictly (no duplicate names). This file knows nothing of Rego.

use std::path::Path;

use regorus::Value;
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::patch::{Patch, PatchError};

/// Why a data file is not acceptable.
#[derive(Debug, Error)]
pub enum DataError {
    /// It does not parse, or repeats a name.
    #[error("{file}: {message}")]
    Syntax {
        /// Path below the policy folder.
        file: String,
        /// What the parser said, with the line.
        message: String,
    },
    /// Only an object has a place in `data`.
    #[error("{file}: the top level must be an object of names and values")]
    NotAnObject {
        /// Path below the policy folder.
        file: String,
    },
    /// Two files give one name a value.
    #[error("{file}: `data.{path}` is already set by another file: keep it in one of them")]
    Collision {
        /// Path below the policy folder, of the second file.
        file: String,
        /// The dotted path.
        path: String,
    },
}

/// Documents merged so far.
#[derive(Debug, Default)]
pub(super) struct Documents(Map<String, Json>);

impl Documents {
    /// Parses `bytes` and merges it at the place `file` stands for.
    pub(super) fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), DataError> {
        let mut folders: Vec<&str> = file.split('/').collect();
        folders.pop();
        if folders.first() == Some(&"data") {
            folders.remove(0);
        }
        self.add_at(&folders, file, bytes)
    }

    /// Parses `bytes` and merges it below `folders`; `file` is how errors call it.
    pub(super) fn add_at(
        &mut self,
        folders: &[&str],
        file: &str,
        bytes: &[u8],
    ) -> Result<(), DataError> {
        let mut document = parse(file, bytes)?;
        for folder in folders.iter().rev() {
            document = Map::from_iter([((*folder).to_owned(), Json::Object(document))]);
        }
        merge(&mut self.0, document, &mut Vec::new()).map_err(|path| DataError::Collision {
            file: file.to_owned(),
            path,
        })
    }

    /// Merges `other`, of which errors say that it is `file`'s.
    pub(super) fn merge(&mut self, other: Self, file: &str) -> Result<(), DataError> {
        merge(&mut self.0, other.0, &mut Vec::new()).map_err(|path| DataError::Collision {
            file: file.to_owned(),
            path,
        })
    }

    /// Changes them as `patch` says.
    pub(super) fn patch(&mut self, patch: &Patch) -> Result<(), PatchError> {
        self.0 = patch.apply(std::mem::take(&mut self.0))?;
        Ok(())
    }

    /// The document so far.
    pub(super) fn members(&self) -> &Map<String, Json> {
        &self.0
    }

    /// The whole as the engine's value.
    pub(super) fn into_value(self) -> Value {
        super::shared::shared(Json::Object(self.0))
    }
}

fn parse(file: &str, bytes: &[u8]) -> Result<Map<String, Json>, DataError> {
    let syntax = |message: String| DataError::Syntax {
        file: file.to_owned(),
        message: one_line(&message),
    };
    let value = if Path::new(file)
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        edgeward_core::json::parse(bytes).map_err(|e| syntax(e.to_string()))?
    } else {
        serde_saphyr::from_slice::<Json>(bytes).map_err(|e| syntax(e.to_string()))?
    };
    match value {
        Json::Object(members) => Ok(members),
        _ => Err(DataError::NotAnObject {
            file: file.to_owned(),
        }),
    }
}

/// Objects merge member by member; anything else met twice is a collision, whose path is returned.
fn merge(
    into: &mut Map<String, Json>,
    from: Map<String, Json>,
    path: &mut Vec<String>,
) -> Result<(), String> {
    for (name, value) in from {
        path.push(name.clone());
        match (into.get_mut(&name), value) {
            (None, value) => {
                into.insert(name, value);
            }
            (Some(Json::Object(old)), Json::Object(new)) => merge(old, new, path)?,
            _ => return Err(path.join(".")),
        }
        path.pop();
    }
    Ok(())
}

/// YAML errors come with an excerpt of the file; a log line wants one line and no content.
fn one_line(message: &str) -> String {
    message
        .lines()
        .next()
        .unwrap_or("does not parse")
        .to_owned()
}
