//! What the release filter asks of its host, read from the module itself.

use std::collections::BTreeSet;
use std::path::Path;

use wasmparser::{Parser, Payload};

/// Every import of the module at `path`, as `module.name`.
///
/// # Panics
/// When the file is not a Wasm module.
pub fn imports(path: &Path) -> BTreeSet<String> {
    let bytes = std::fs::read(path).expect("the filter is built");
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        if let Payload::ImportSection(section) = payload.expect("a Wasm module") {
            for import in section {
                let import = import.expect("an import");
                names.insert(format!("{}.{}", import.module, import.name));
            }
        }
    }
    names
}

/// Every function the module at `path` exports.
///
/// # Panics
/// When the file is not a Wasm module.
pub fn exports(path: &Path) -> BTreeSet<String> {
    let bytes = std::fs::read(path).expect("the filter is built");
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        if let Payload::ExportSection(section) = payload.expect("a Wasm module") {
            let exports = section.into_iter().map(|export| export.expect("an export"));
            names.extend(exports.map(|export| export.name.to_owned()));
        }
    }
    names
}
