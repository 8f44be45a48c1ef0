//! A bundle's `.manifest`: its revision, what of `data` it speaks for, and what its compiled policies answer
//! for.
//!
//! What Edgeward cannot do as the manifest says is refused by name: Rego of version 0. Of `metadata` one
//! member is ours: `edgeward.vary` declares what of the input each entry point of a compiled policy can
//! read, as `edgeward policy footprint --output json` tells of policies in Rego.

use std::collections::BTreeMap;

use edgeward_core::footprint::{Footprint, FootprintError};
use edgeward_core::json::{self, JsonError};
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::policy::{EntryPoint, EntryPointError, Roots, RootsError};

/// The manifest's name.
pub(super) const MANIFEST: &str = ".manifest";
/// Characters of a revision.
const MAX_REVISION: usize = 256;
/// Entry points of compiled policies.
const MAX_ENTRY_POINTS: usize = 256;

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
    /// The name of an entry point.
    #[error("{MANIFEST}: wasm: {0}")]
    EntryPoint(#[from] EntryPointError),
    /// An entry point of two modules, or of one twice.
    #[error("{MANIFEST}: wasm: names the entry point `{0}` twice")]
    EntryPointTwice(String),
    /// More than anybody needs.
    #[error("{MANIFEST}: wasm: has more than {MAX_ENTRY_POINTS} entry points")]
    TooManyEntryPoints,
    /// What an entry point can read is not told as it must be.
    #[error("{MANIFEST}: metadata.edgeward.vary.{0}: {1}")]
    Vary(String, FootprintError),
    /// What can be read is told of something that is no entry point.
    #[error("{MANIFEST}: metadata.edgeward.vary: `{0}` is no entry point in `wasm`")]
    VaryOfNone(String),
}

/// A checked manifest. Members that OPA may have tomorrow are passed over.
#[derive(Debug, Clone, Default)]
pub(super) struct Manifest {
    /// Empty where there is none.
    pub(super) revision: String,
    pub(super) roots: Roots,
    /// Of a delta, the revision that it changes, as it was written.
    pub(super) base: Option<Value>,
    /// What the compiled policies answer for, by the paths of their files.
    pub(super) compiled: BTreeMap<String, Vec<EntryPoint>>,
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
    wasm: Vec<RawResolver>,
    metadata: Option<RawMetadata>,
}

/// OPA has notes here too, which are for people.
#[derive(Deserialize)]
struct RawResolver {
    entrypoint: String,
    module: String,
}

#[derive(Deserialize, Default)]
struct RawMetadata {
    base_revision: Option<Value>,
    #[serde(default)]
    edgeward: RawOwn,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawOwn {
    #[serde(default)]
    vary: Map<String, Value>,
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
        let roots = match &raw.roots {
            None => Roots::default(),
            Some(roots) => Roots::parse(roots.iter().map(String::as_str))?,
        };
        let metadata = raw.metadata.unwrap_or_default();
        Ok(Self {
            revision: raw.revision,
            roots,
            base: metadata.base_revision,
            compiled: compiled(raw.wasm, metadata.edgeward.vary)?,
        })
    }
}

fn compiled(
    resolvers: Vec<RawResolver>,
    mut vary: Map<String, Value>,
) -> Result<BTreeMap<String, Vec<EntryPoint>>, ManifestError> {
    if resolvers.len() > MAX_ENTRY_POINTS {
        return Err(ManifestError::TooManyEntryPoints);
    }
    let mut compiled: BTreeMap<String, Vec<EntryPoint>> = BTreeMap::new();
    for resolver in resolvers {
        let name = resolver.entrypoint;
        let declared = vary.remove(&name).map(|vary| Footprint::from_json(&vary));
        let declared = declared.transpose();
        let declared = declared.map_err(|error| ManifestError::Vary(name.clone(), error))?;
        let entry_point = EntryPoint::parse(&name, declared)?;
        let mut all = compiled.values().flatten();
        if all.any(|other| other.at() == entry_point.at()) {
            return Err(ManifestError::EntryPointTwice(name));
        }
        // As the files of an archive are called.
        let file = resolver.module.trim_start_matches('/').to_owned();
        compiled.entry(file).or_default().push(entry_point);
    }
    match vary.into_iter().next() {
        Some((name, _)) => Err(ManifestError::VaryOfNone(name)),
        None => Ok(compiled),
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
                "",
            ),
            (r#"{"wasm":[{"entrypoint":"a"}]}"#, "missing field `module`"),
            (
                r#"{"wasm":[{"entrypoint":"a//b","module":"/policy.wasm"}]}"#,
                "`a//b` is no entry point",
            ),
            (
                r#"{"wasm":[{"entrypoint":"a","module":"/policy.wasm"},{"entrypoint":"a","module":"/b/policy.wasm"}]}"#,
                "`a` twice",
            ),
            (
                r#"{"metadata":{"edgeward":{"vary":{"a":true}}}}"#,
                "`a` is no entry point in `wasm`",
            ),
            (
                r#"{"wasm":[{"entrypoint":"a","module":"/policy.wasm"}],"metadata":{"edgeward":{"vary":{"a":{"b":false}}}}}"#,
                "vary.a: must be `true` or an object of such: `b` is neither",
            ),
            (r#"{"metadata":{"edgeward":{"very":{}}}}"#, "unknown field"),
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
        let compiled = Manifest::parse(
            br#"{"wasm":[{"entrypoint":"a/b","module":"/policy.wasm","annotations":[]}],
                "metadata":{"edgeward":{"vary":{"a/b":{"x":true}}},"other":1}}"#,
        );
        let compiled = compiled.unwrap().compiled;
        let mut vary = Footprint::nothing();
        vary.widen(["x"]);
        let expected = EntryPoint::parse("a/b", Some(vary)).unwrap();
        assert_eq!(compiled.get("policy.wasm"), Some(&vec![expected]));
    }
}
