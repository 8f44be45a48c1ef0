//! A bundle's `.manifest`: its revision, and what of `data` it speaks for.
//!
//! What Edgeward cannot do as the manifest says is refused by name: Rego of version 0, and policies
//! compiled to WebAssembly.

use edgeward_core::json::{self, JsonError};
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::policy::{Roots, RootsError};

/// The manifest's name.
pub(super) const MANIFEST: &str = ".manifest";
/// Characters of a revision.
const MAX_REVISION: usize = 256;

/// Why a manifest is none.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Not JSON, or a member twice.
    #[error("{MANIFEST}: {0}")]
    Json(#[from] JsonError),
    /// A member of another type.
    #[error("{MANIFEST}: {0}")]
    Shape(#[from] serde_json::Error),
    /// Its roots are none.
    #[error("{MANIFEST}: {0}")]
    Roots(#[from] RootsError),
    /// A revision that nobody could show.
    #[error("{MANIFEST}: the revision must have at most {MAX_REVISION} characters, all visible")]
    Revision,
    /// Rego as it was before OPA 1.0.
    #[error("{MANIFEST}: says that {0} is Rego v0: run `opa fmt --v0-v1` and build it anew")]
    RegoVersion(String),
    /// Policies that are no Rego any more.
    #[error("{MANIFEST}: has `wasm`: build the bundle without `--target wasm`")]
    Wasm,
}

/// A checked manifest. Members that OPA may have tomorrow are passed over.
#[derive(Debug, Clone, Default)]
pub(super) struct Manifest {
    /// Empty where there is none.
    pub(super) revision: String,
    pub(super) roots: Roots,
    /// Of a delta, the revision that it changes, as it was written.
    pub(super) base: Option<Value>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    revision: String,
    roots: Option<Vec<String>>,
    rego_version: Option<u32>,
    #[serde(default)]
    file_rego_versions: Map<String, Value>,
    #[serde(default)]
    wasm: Vec<Value>,
    metadata: Option<Map<String, Value>>,
}

impl Manifest {
    /// Reads a bundle's manifest; where there is none it is the empty one.
    pub(super) fn of(bytes: Option<&[u8]>) -> Result<Self, ManifestError> {
        bytes.map_or_else(|| Ok(Self::default()), Self::parse)
    }

    /// Reads a manifest.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let raw: Raw = serde_json::from_value(json::parse(bytes)?)?;
        let is_visible = |c: char| !c.is_control() && !c.is_whitespace();
        if raw.revision.len() > MAX_REVISION || !raw.revision.chars().all(is_visible) {
            return Err(ManifestError::Revision);
        }
        if raw.rego_version == Some(0) {
            return Err(ManifestError::RegoVersion("the bundle".to_owned()));
        }
        let old = raw
            .file_rego_versions
            .iter()
            .find(|(_, version)| **version == 0);
        if let Some((pattern, _)) = old {
            return Err(ManifestError::RegoVersion(format!("`{pattern}`")));
        }
        if !raw.wasm.is_empty() {
            return Err(ManifestError::Wasm);
        }
        let roots = match &raw.roots {
            None => Roots::default(),
            Some(roots) => Roots::parse(roots.iter().map(String::as_str))?,
        };
        Ok(Self {
            revision: raw.revision,
            roots,
            base: raw.metadata.and_then(|mut all| all.remove("base_revision")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_or_refused_with_what_is_wrong() {
        for (text, says) in [
            ("{}", ""),
            (
                r#"{"revision":"7","roots":["a"],"rego_version":1,"metadata":{"x":1},"new":2}"#,
                "",
            ),
            (r#"{"revision":"7","revision":"8"}"#, "duplicate member"),
            (r#"{"revision":7}"#, "expected a string"),
            (r#"{"revision":"a b"}"#, "visible"),
            (r#"{"roots":["a","a/b"]}"#, "overlap"),
            (r#"{"rego_version":0}"#, "Rego v0"),
            (r#"{"file_rego_versions":{"*/a.rego":0}}"#, "*/a.rego"),
            (
                r#"{"wasm":[{"entrypoint":"a","module":"/policy.wasm"}]}"#,
                "target wasm",
            ),
            ("[]", ""),
        ] {
            match Manifest::parse(text.as_bytes()) {
                Ok(_) => assert_eq!(says, "", "{text}"),
                Err(error) => {
                    assert!(!says.is_empty() || text == "[]", "{text}: {error}");
                    assert!(error.to_string().contains(says), "{text}: {error}");
                }
            }
        }
        let manifest = Manifest::parse(br#"{"revision":"7"}"#).unwrap();
        assert_eq!(manifest.roots, Roots::default());
    }
}
