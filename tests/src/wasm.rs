//! The release filter as a file: what it asks of its host, and a copy of it that traps.

use std::collections::BTreeSet;
use std::path::Path;

use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// Every import of the module at `path`, as `module.name`.
///
/// # Panics
/// When the file is not a Wasm module.
pub fn imports(path: &Path) -> BTreeSet<String> {
    let bytes = std::fs::read(path).expect("the filter is built");
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        if let Payload::ImportSection(section) = payload.expect("a Wasm module") {
            for import in section.into_imports() {
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

/// Writes to `copy` the module at `original` with the body of the exported `function` replaced by
/// `unreachable`: what Envoy does when a filter traps can then be seen with the real filter.
///
/// # Panics
/// When the module has no such export.
pub fn with_trap(original: &Path, function: &str, copy: &Path) {
    let mut bytes = std::fs::read(original).expect("the filter is built");
    let mut imported = 0;
    let mut wanted = None;
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.expect("a Wasm module") {
            Payload::ImportSection(section) => {
                let imports = section
                    .into_imports()
                    .map(|import| import.expect("an import"));
                imported += imports
                    .filter(|import| matches!(import.ty, TypeRef::Func(_)))
                    .count();
            }
            Payload::ExportSection(section) => {
                let mut exports = section.into_iter().map(|export| export.expect("an export"));
                wanted = exports
                    .find(|export| export.name == function && export.kind == ExternalKind::Func)
                    .map(|export| export.index as usize);
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range()),
            _ => {}
        }
    }
    let index = wanted.unwrap_or_else(|| panic!("the filter does not export `{function}`"));
    let body = &mut bytes[bodies[index - imported].clone()];
    // No locals, `unreachable`, then `nop` up to the closing `end`: the same length as before.
    body.fill(0x01);
    body[..2].copy_from_slice(&[0x00, 0x00]);
    *body.last_mut().expect("a body") = 0x0b;
    std::fs::write(copy, bytes).expect("the copy is written");
}
