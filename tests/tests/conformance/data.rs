//! Where the suites lie, and how their files are read.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::table::Table;

/// One folder of conformance data.
pub(crate) struct Data(PathBuf);

impl Data {
    /// The folder of `suite`; notes in the table where there is none.
    pub(crate) fn of(suite: &str, table: &mut Table) -> Option<Self> {
        let root = std::env::var_os("EDGEWARD_CONFORMANCE").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance"),
            PathBuf::from,
        );
        let folder = root.join(suite);
        if folder.is_dir() {
            note_all(&folder, suite, table);
            return Some(Self(folder));
        }
        table.absent(suite);
        None
    }

    pub(crate) fn bytes(&self, file: &str) -> Vec<u8> {
        let path = self.0.join(file);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&self.bytes(file))
            .unwrap_or_else(|error| panic!("{file}: not JSON: {error}"))
    }

    /// The names of the files in `folder`, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.join(folder))
            .expect("a folder of the suite")
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| format!("{folder}/{}", name.to_string_lossy()))
            .collect();
        names.sort();
        names
    }
}

/// Notes every file below `folder` in the table, in an order that is always the same.
fn note_all(folder: &Path, name: &str, table: &mut Table) {
    let entries = std::fs::read_dir(folder).expect("a folder of the suite");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{name}/{file}");
        if path.is_dir() {
            note_all(&path, &name, table);
        } else {
            let bytes = std::fs::read(&path).expect("a file of the suite");
            table.read(&name, &bytes);
        }
    }
}

/// The text at `pointer` (RFC 6901), which the suite's shape promises.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("the suite has no text at {pointer}"))
}

/// The array at `pointer`, which the suite's shape promises.
pub(crate) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .unwrap_or_else(|| panic!("the suite has no array at {pointer}"))
}

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits"))
        .collect()
}
