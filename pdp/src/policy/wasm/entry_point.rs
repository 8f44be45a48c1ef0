//! What a manifest says of a compiled policy: which documents it answers for, and what of the input each
//! can read.

use std::fmt;
use std::sync::Arc;

use edgeward_core::footprint::Footprint;
use percent_encoding::percent_decode_str;
use thiserror::Error;

use crate::policy::documents::Reference;

/// Bytes the name of an entry point may have.
const MAX_NAME: usize = 512;

/// An entry point of a compiled policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// As the module has it: names below `data`, with `/` between two.
    name: String,
    at: Reference,
    /// What of the input it can read, where that is declared.
    vary: Option<Footprint>,
}

/// Not the name of an entry point.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no entry point: write names with one `/` between two, as in `package/rule`")]
pub struct EntryPointError(String);

impl EntryPoint {
    /// Reads a name as a manifest has it. What is special in URLs is escaped in it as there.
    pub fn parse(name: &str, vary: Option<Footprint>) -> Result<Self, EntryPointError> {
        let refused = || EntryPointError(name.chars().take(MAX_NAME).collect());
        if name.len() > MAX_NAME {
            return Err(refused());
        }
        let names = name.split('/').map(|name| {
            let name = percent_decode_str(name).decode_utf8().ok()?;
            (!name.is_empty()).then(|| name.into_owned())
        });
        let names: Option<Vec<String>> = names.collect();
        Ok(Self {
            name: name.to_owned(),
            at: Reference::of(names.ok_or_else(refused)?),
            vary,
        })
    }

    /// As the module has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The document that it makes.
    pub fn at(&self) -> &Reference {
        &self.at
    }

    /// What of the input it can read, where that is declared.
    pub fn vary(&self) -> Option<&Footprint> {
        self.vary.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_of_names_and_nothing_else() {
        for (name, shown) in [
            ("authz/allow", "data.authz.allow"),
            ("authz", "data.authz"),
            ("a%2Fb/x-y", "data[\"a/b\"][\"x-y\"]"),
        ] {
            let entry_point = EntryPoint::parse(name, None).unwrap();
            assert_eq!(entry_point.at().to_string(), shown);
            assert_eq!(entry_point.name(), name);
        }
        for name in ["", "/a", "a/", "a//b", "a/%ff", &"a".repeat(MAX_NAME + 1)] {
            assert!(EntryPoint::parse(name, None).is_err(), "{name}");
        }
    }
}

/// A policy that was compiled elsewhere, with what the manifest of its bundle says of it.
#[derive(Clone)]
pub struct CompiledPolicy {
    /// Its path below the policy folder, its bundle first.
    pub file: String,
    /// The module.
    pub bytes: Arc<[u8]>,
    /// What it answers for.
    pub entry_points: Vec<EntryPoint>,
}

impl fmt::Debug for CompiledPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.file, self.entry_points)
    }
}
