//! What a policy set is made of: Rego files and data files, read from a folder or embedded.
//!
//! A Rego file is any `*.rego`; data is any `*.json`, `*.yaml` or `*.yml`. As in OPA a data file's
//! place in `data` is the folder it lies in, not its name; a top folder called `data` is the root.
//! So `data/access/grants.yaml` and `access/grants.yaml` both add to `data.access`.
//!
//! This file reads bytes and hashes them. It does not parse Rego and never sees the engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use edgeward_core::revocation::hex;
use regorus::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::data::{self, DataError};
use super::patch::PatchError;
use super::roots::{Roots, RootsError};
use super::wasm::CompiledPolicy;

/// Bytes one policy or data file may have.
pub(super) const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes all files of one set may have together.
pub(super) const MAX_TOTAL_BYTES: u64 = 256 * 1024 * 1024;
/// Files one set may have.
pub(super) const MAX_FILES: usize = 4096;
/// Folders below the policy folder.
const MAX_DEPTH: usize = 16;

/// Why a policy folder could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A policy is text.
    #[error("{file}: is not UTF-8: save the policy as UTF-8 text")]
    NotUtf8 {
        /// Path below the policy folder.
        file: String,
    },
    /// A name that cannot be shown, hashed or reported reliably.
    #[error("{}: the file name is not UTF-8: rename the file", path.display())]
    NameNotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// More than the set may hold.
    #[error("{file}: {what}: split the policies into folders served by different PDPs")]
    TooLarge {
        /// Where the limit was passed.
        file: String,
        /// Which limit.
        what: String,
    },
    /// A folder without any policy decides nothing.
    #[error("{}: holds no `*.rego` file: point `policies.directory` at the policy folder", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A data file does not parse or collides with another.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A bundle says something of what is not its own.
    #[error("bundle `{bundle}`: {error}")]
    Roots {
        /// The bundle's name.
        bundle: String,
        /// What.
        error: RootsError,
    },
    /// Changes to a bundle's data that cannot be made.
    #[error("bundle `{bundle}`: {error}")]
    Patch {
        /// The bundle's name.
        bundle: String,
        /// What.
        error: PatchError,
    },
    /// Two bundles speak for one part of `data`.
    #[error("bundles `{first}` and `{second}` both have `{root}` among their roots")]
    SharedRoot {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// The narrower root.
        root: String,
    },
}

/// One Rego file.
#[derive(Clone, Debug)]
pub struct Module {
    /// Path below the policy folder, with `/`; how errors and tests name the file.
    pub file: String,
    /// The text.
    pub text: String,
    /// What of `data` its package must lie in; none where anything goes.
    pub roots: Option<Arc<Roots>>,
}

impl Module {
    /// Whether the file holds tests only, so that the serving engine does without it.
    pub fn is_test(&self) -> bool {
        is_test_file(&self.file)
    }
}

/// Whether a policy file's name says that it holds tests, as it does to OPA.
pub(super) fn is_test_file(file: &str) -> bool {
    file.ends_with("_test.rego")
}

/// The content of a policy set, in one order: by path.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Rego files, tests included.
    pub modules: Vec<Module>,
    /// Policies that are no Rego any more.
    pub compiled: Vec<CompiledPolicy>,
    /// The merged data document.
    pub data: Value,
    /// SHA-256 over every path and content, as lower-case hex.
    pub digest: String,
}

/// Path, size and time of every file.
pub(super) type Fingerprint = Vec<(PathBuf, u64, Option<SystemTime>)>;

impl Sources {
    /// Reads `folder` and everything below it. Names that begin with a dot are skipped, which is
    /// what Kubernetes uses to swap a mounted `ConfigMap`.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let mut paths = Vec::new();
        collect(folder, &mut paths, 0)?;
        let mut files = Vec::with_capacity(paths.len());
        let mut total = 0_u64;
        for path in paths {
            let name = name_below(folder, &path)?;
            let io = |source| ReadError::Io {
                path: path.clone(),
                source,
            };
            let size = fs::metadata(&path).map_err(io)?.len();
            total = total.saturating_add(size);
            if let Some(what) = over(size, total) {
                return Err(ReadError::TooLarge { file: name, what });
            }
            files.push((name, fs::read(&path).map_err(io)?));
        }
        let sources = Self::from_files(files)?;
        if sources.modules.is_empty() {
            return Err(ReadError::Empty {
                path: folder.to_owned(),
            });
        }
        Ok(sources)
    }

    /// Sizes and times of all files: what can be compared often without reading anything.
    pub(super) fn fingerprint(folder: &Path) -> Result<Fingerprint, ReadError> {
        let mut paths = Vec::new();
        collect(folder, &mut paths, 0)?;
        paths.sort();
        let stamp = |path: PathBuf| {
            let found = fs::metadata(&path).ok();
            let changed = found.as_ref().and_then(|found| found.modified().ok());
            (path, found.map_or(0, |found| found.len()), changed)
        };
        Ok(paths.into_iter().map(stamp).collect())
    }

    /// Builds the set from `(path, bytes)` pairs, in any order.
    pub fn from_files(mut files: Vec<(String, Vec<u8>)>) -> Result<Self, ReadError> {
        files.sort_by(|a, b| a.0.cmp(&b.0));
        let mut hash = Sha256::new();
        let mut modules = Vec::new();
        let mut documents = data::Documents::default();
        for (file, bytes) in files {
            hash_file(&mut hash, &file, &bytes);
            if has_extension(&file, &["rego"]) {
                modules.push(Module {
                    text: text_of(&file, bytes)?,
                    file,
                    roots: None,
                });
            } else {
                documents.add(&file, &bytes)?;
            }
        }
        Ok(Self {
            modules,
            compiled: Vec::new(),
            data: documents.into_value(),
            digest: hex(&hash.finalize()),
        })
    }
}

/// Lengths first, so that no two sets of files share one stream of bytes.
pub(super) fn hash_file(hash: &mut Sha256, file: &str, bytes: &[u8]) {
    hash.update((file.len() as u64).to_be_bytes());
    hash.update(file.as_bytes());
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// The text of the policy in `file`.
pub(super) fn text_of(file: &str, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|_| ReadError::NotUtf8 {
        file: file.to_owned(),
    })
}

/// Which limit a file of `size` bytes passes that makes it `total`, if it does.
fn over(size: u64, total: u64) -> Option<String> {
    if size > MAX_FILE_BYTES {
        return Some(format!("is larger than {MAX_FILE_BYTES} bytes"));
    }
    (total > MAX_TOTAL_BYTES).then(|| format!("takes the set above {MAX_TOTAL_BYTES} bytes"))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>, depth: usize) -> Result<(), ReadError> {
    let io = |source| ReadError::Io {
        path: folder.to_owned(),
        source,
    };
    let over = |what: String| ReadError::TooLarge {
        file: folder.display().to_string(),
        what,
    };
    if depth > MAX_DEPTH {
        return Err(over(format!("lies more than {MAX_DEPTH} folders deep")));
    }
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        // `metadata` follows links: a mounted ConfigMap is nothing but links.
        let found = fs::metadata(&path).map_err(|source| ReadError::Io {
            path: path.clone(),
            source,
        })?;
        if found.is_dir() {
            collect(&path, paths, depth + 1)?;
        } else if path
            .to_str()
            .is_none_or(|p| has_extension(p, &["rego", "json", "yaml", "yml"]))
        {
            if paths.len() >= MAX_FILES {
                return Err(over(format!("holds more than {MAX_FILES} files")));
            }
            paths.push(path);
        }
    }
    Ok(())
}

fn name_below(folder: &Path, path: &Path) -> Result<String, ReadError> {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    parts
        .map(|parts| parts.join("/"))
        .ok_or_else(|| ReadError::NameNotUtf8 {
            path: path.to_owned(),
        })
}

fn has_extension(file: &str, wanted: &[&str]) -> bool {
    Path::new(file)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| wanted.contains(&extension))
}
