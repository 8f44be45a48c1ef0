//! OPA's own program (`./just setup-opa`), which tests compare with where it was built.

use std::path::{Path, PathBuf};

/// The program; says so where it was not built.
pub(crate) fn opa_program() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin/opa");
    let found = program.is_file().then_some(program);
    if found.is_none() {
        eprintln!("skipped: there is no `.tools/bin/opa` to compare with (`./just setup-opa`)");
    }
    found
}
