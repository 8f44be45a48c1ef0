//! Where the parts under test are: Envoy, the release filter, the `edgeward` binary, the clock
//! shim. Those built from this workspace are built here when they are missing or stale.
//!
//! Not a setup script: what must be fetched (Envoy, the wasm target) is `./just setup`'s work.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The workspace's root.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests crate lies in the workspace")
        .to_owned()
}

/// The folder cargo builds into.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// The real Envoy: `$EDGEWARD_ENVOY`, else `.tools/bin/envoy`.
///
/// # Panics
/// When there is none, with the one line that says what to do.
pub fn envoy() -> PathBuf {
    let path = std::env::var_os("EDGEWARD_ENVOY")
        .map_or_else(|| workspace().join(".tools/bin/envoy"), PathBuf::from);
    assert!(
        path.is_file(),
        "no Envoy at `{}`: run `./just setup`, or name one in $EDGEWARD_ENVOY",
        path.display()
    );
    path
}

/// The real OPA, where `./just setup-opa` has built it.
pub fn opa() -> Option<PathBuf> {
    let path = workspace().join(".tools/bin/opa");
    path.is_file().then_some(path)
}

/// The real registry of OCI artifacts, where `./just setup` could fetch it.
pub fn registry() -> Option<PathBuf> {
    let path = workspace().join(".tools/bin/docker-registry");
    path.is_file().then_some(path)
}

/// The real API server of Kubernetes and its etcd, where `./just setup` could build them.
pub fn kubernetes() -> Option<(PathBuf, PathBuf)> {
    let tool = |name: &str| workspace().join(".tools/bin").join(name);
    let (server, etcd) = (tool("kube-apiserver"), tool("etcd"));
    (server.is_file() && etcd.is_file()).then_some((server, etcd))
}

/// The folder with moto, where `./just setup` could fetch it.
pub fn moto() -> Option<PathBuf> {
    let path = workspace().join(".tools/moto");
    path.is_dir().then_some(path)
}

/// The release filter: `$EDGEWARD_FILTER`, else [`linked_filter`].
pub fn filter() -> &'static Path {
    static FILTER: LazyLock<PathBuf> = LazyLock::new(|| {
        std::env::var_os("EDGEWARD_FILTER")
            .map_or_else(|| linked_filter().to_owned(), PathBuf::from)
    });
    &FILTER
}

/// The filter before wasm-opt, which takes away callbacks that it has no use for: built by cargo
/// (which does nothing when it is fresh).
pub fn linked_filter() -> &'static Path {
    static FILTER: LazyLock<PathBuf> = LazyLock::new(|| {
        cargo(&[
            "build",
            "--package=edgeward-filter",
            "--target=wasm32-unknown-unknown",
            "--profile=wasm",
        ]);
        target().join("wasm32-unknown-unknown/wasm/edgeward_filter.wasm")
    });
    &FILTER
}

/// The `edgeward` binary: `$EDGEWARD_PDP`, else built by cargo in this harness's own profile.
pub fn edgeward() -> &'static Path {
    static EDGEWARD: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(path) = std::env::var_os("EDGEWARD_PDP") {
            return PathBuf::from(path);
        }
        if cfg!(debug_assertions) {
            cargo(&["build", "--package=edgeward", "--bin=edgeward"]);
            target().join("debug/edgeward")
        } else {
            cargo(&["build", "--package=edgeward", "--bin=edgeward", "--release"]);
            target().join("release/edgeward")
        }
    });
    &EDGEWARD
}

/// The shared object that, preloaded, moves a process's wall clock (`src/skew.c`).
pub fn clock_skew() -> &'static Path {
    static SKEW: LazyLock<PathBuf> = LazyLock::new(|| {
        let object = target().join("edgeward-clock-skew.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/skew.c");
        let compiled = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .arg(&object)
            .arg(&source)
            .status();
        assert!(
            compiled.is_ok_and(|status| status.success()),
            "`cc` could not build `{}`: install a C compiler",
            source.display()
        );
        object
    });
    &SKEW
}

fn cargo(arguments: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .arg("--quiet")
        .current_dir(workspace())
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "`cargo {}` failed:\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
}
