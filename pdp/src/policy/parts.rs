//! A policy set made of policy bundles: each speaks for its own roots, and no two for the same.
//!
//! As in OPA a bundle's policies are its `*.rego`, its data only what is called `data.json`, `data.yaml`
//! or `data.yml`, and the folder such a file lies in is its place. `policy.wasm` is a policy that OPA has compiled,
//! for the entry points that the manifest gives it. Other files are passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use edgeward_core::revocation::hex;
use regorus::unstable::{Module as Parsed, Ref};
use sha2::{Digest as _, Sha256};

use super::data::Documents;
use super::gate::paths::Names;
use super::patch::Patch;
use super::roots::{Roots, RootsError};
use super::sources::{Module, ReadError, Sources, hash_file, text_of};
use super::wasm::{CompiledPolicy, EntryPoint};

/// One policy bundle's share in a policy set.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The bundle's name.
    pub bundle: &'a str,
    /// What it may speak for.
    pub roots: &'a Arc<Roots>,
    /// What its compiled policies answer for, by the paths of their files.
    pub compiled: &'a BTreeMap<String, Vec<EntryPoint>>,
    /// Its files by their paths.
    pub files: &'a BTreeMap<String, Vec<u8>>,
    /// What has changed in its data since, in order.
    pub patches: &'a [Arc<Patch>],
}

/// What a file of a bundle is to the policy room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A policy.
    Rego,
    /// Data, at the folder's place.
    Data,
    /// A policy compiled to WebAssembly.
    Compiled,
}

impl Content {
    /// By the file's name alone, as in OPA; none for what is passed over.
    pub fn of(file: &str) -> Option<Self> {
        let name = file.rsplit('/').next().unwrap_or(file);
        match name.rsplit_once('.') {
            Some((_, "rego")) => Some(Self::Rego),
            Some(("policy", "wasm")) => Some(Self::Compiled),
            Some(("data", "json" | "yaml" | "yml")) => Some(Self::Data),
            _ => None,
        }
    }
}

impl Sources {
    /// Builds the set from bundles, in the order of their names. A file is called
    /// `bundle/path` from then on.
    pub fn of_bundles(parts: &[Part<'_>]) -> Result<Self, ReadError> {
        let mut hash = Sha256::new();
        let mut modules = Vec::new();
        let mut compiled = Vec::new();
        let mut documents = Documents::default();
        for (index, part) in parts.iter().enumerate() {
            let others = parts.get(index + 1..).unwrap_or_default();
            refuse_shared(part, others)?;
            let mut own = Documents::default();
            for (path, bytes) in part.files {
                let file = format!("{}/{path}", part.bundle);
                hash_file(&mut hash, &file, bytes);
                let mut folders: Vec<&str> = path.split('/').collect();
                folders.pop();
                match Content::of(path) {
                    Some(Content::Rego) => modules.push(Module {
                        text: text_of(&file, bytes.clone())?,
                        file,
                        roots: Some(Arc::clone(part.roots)),
                    }),
                    Some(Content::Data) => own.add_at(&folders, &file, bytes)?,
                    Some(Content::Compiled) => compiled.push(compiled_policy(part, path, bytes)?),
                    None => {}
                }
            }
            for patch in part.patches {
                hash_file(&mut hash, part.bundle, patch.bytes());
                own.patch(patch).map_err(|error| ReadError::Patch {
                    bundle: part.bundle.to_owned(),
                    error,
                })?;
            }
            part.roots
                .check(own.members())
                .map_err(|error| ReadError::Roots {
                    bundle: part.bundle.to_owned(),
                    error,
                })?;
            documents.merge(own, part.bundle)?;
        }
        Ok(Self {
            modules,
            compiled,
            data: documents.into_value(),
            digest: hex(&hash.finalize()),
        })
    }
}

/// The compiled policy at `path`, whose entry points the bundle speaks for. The manifest has been
/// compared with the files before.
fn compiled_policy(part: &Part<'_>, path: &str, bytes: &[u8]) -> Result<CompiledPolicy, ReadError> {
    let entry_points = part.compiled.get(path).cloned().unwrap_or_default();
    for entry_point in &entry_points {
        let names = entry_point.at().parts();
        if !part.roots.have(names.iter().map(String::as_str)) {
            return Err(ReadError::Roots {
                bundle: part.bundle.to_owned(),
                error: part.roots.outside(names.join(".")),
            });
        }
    }
    Ok(CompiledPolicy {
        file: format!("{}/{path}", part.bundle),
        bytes: bytes.into(),
        entry_points,
    })
}

fn refuse_shared(part: &Part<'_>, others: &[Part<'_>]) -> Result<(), ReadError> {
    for other in others {
        if let Some(root) = part.roots.shared(other.roots) {
            return Err(ReadError::SharedRoot {
                first: part.bundle.to_owned(),
                second: other.bundle.to_owned(),
                root,
            });
        }
    }
    Ok(())
}

/// Refuses a policy whose package its bundle does not speak for; what is wrong, by the file.
pub(super) fn check_packages(
    modules: &[Module],
    parsed: &[Ref<Parsed>],
) -> Result<(), (String, RootsError)> {
    let bound = modules.iter().filter_map(|own| {
        let roots = own.roots.as_ref()?;
        Some((&own.file, roots))
    });
    let bound: BTreeMap<&String, &Arc<Roots>> = bound.collect();
    for module in parsed {
        let file = module.package.span.source.file();
        let Some(roots) = bound.get(file) else {
            continue;
        };
        let names = Names::of(module);
        let package = names.package().get(1..).unwrap_or_default();
        if !roots.have(package.iter().map(String::as_str)) {
            return Err((file.clone(), roots.outside(package.join("."))));
        }
    }
    Ok(())
}
