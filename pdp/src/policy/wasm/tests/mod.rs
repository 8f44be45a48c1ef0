//! Compiled policies as OPA 1.4.2 makes them. `authz.tar.gz` and `world.tar.gz` are what it made of the folders
//! beside them, so that tests run without it:
//!
//! ```sh
//! cd authz && opa build -b . -t wasm -o ../authz.tar.gz $(printf -- '-e edgeward/authz/%s ' \
//!   decision values forever much twice pattern token)
//! cd world && opa build -t wasm -o ../world.tar.gz $(printf -- '-e edgeward/world/%s ' now chance token) policy.rego
//! ```

mod answers;
mod bounds;
mod documents;
mod footprints;
mod measured;
mod oracle;
mod refused;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use serde_json::{Value as Json, json};

use crate::bundle::PolicyBundle;
use crate::opa_program::opa_program as opa;
use crate::policy::{
    BuiltinErrors, EntryPoint, Failure, LoadError, NoDocument, Part, PolicySet, PolicySettings,
    ReadError, Reference, Roots, Sources, Value, Worker, from_json, on_deep_stack,
};

const AUTHZ: &[u8] = include_bytes!("authz.tar.gz");
const WORLD: &[u8] = include_bytes!("world.tar.gz");
const POLICY: &str = include_str!("authz/policy.rego");
const DATA: &str = include_str!("authz/data.json");

/// The instant of tests: a second of the year 2027.
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// A loaded machine may take a test's thread away for longer than the default.
const TIME: Duration = Duration::from_secs(2);

fn settings(entry_point: &str) -> PolicySettings {
    PolicySettings {
        entry_point: entry_point.to_owned(),
        evaluation_timeout: TIME,
        ..PolicySettings::default()
    }
}

/// The policy set of a packed bundle.
fn set_of(bundle: &[u8], settings: &PolicySettings) -> Result<PolicySet, LoadError> {
    let bundle = PolicyBundle::unpack(bundle, None).unwrap();
    PolicySet::build(Sources::of_bundles(&[bundle.part("b")])?, settings)
}

/// The policy set of Rego and data as they are.
fn set_of_rego(files: &[(&str, &str)], settings: &PolicySettings) -> PolicySet {
    let sources = crate::policy::tests::sources(files).unwrap();
    PolicySet::build(sources, settings).unwrap()
}

/// The files of the bundle `authz.tar.gz`.
fn module() -> Vec<u8> {
    let bundle = PolicyBundle::unpack(AUTHZ, None).unwrap();
    bundle.part("b").files["policy.wasm"].clone()
}

/// What a bundle of these roots and files brings, whose module answers for these entry points.
fn brought(
    entry_points: Vec<EntryPoint>,
    roots: Roots,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Sources, ReadError> {
    Sources::of_bundles(&[Part {
        bundle: "b",
        roots: &Arc::new(roots),
        compiled: &BTreeMap::from([("policy.wasm".to_owned(), entry_points)]),
        files,
        patches: &[],
    }])
}

/// The set of a module, as a bundle with these other files would bring it.
fn set_of_module(
    module: &[u8],
    entry_points: &[&str],
    others: &[(&str, &str)],
) -> Result<PolicySet, LoadError> {
    let mut files = BTreeMap::from([("policy.wasm".to_owned(), module.to_vec())]);
    for (path, text) in others {
        files.insert((*path).to_owned(), text.as_bytes().to_vec());
    }
    let parse = |name: &&str| EntryPoint::parse(name, None).unwrap();
    let entry_points: Vec<EntryPoint> = entry_points.iter().map(parse).collect();
    let sources = brought(entry_points, Roots::default(), &files)?;
    PolicySet::build(sources, &settings("data.edgeward.authz.decision"))
}

/// Works with a worker of `set`, on a thread like one of the service's.
fn with_worker<T: Send + 'static>(
    set: PolicySet,
    work: impl FnOnce(&mut Worker) -> T + Send + 'static,
) -> T {
    on_deep_stack(move || work(&mut set.worker().unwrap())).unwrap()
}

fn document(
    worker: &mut Worker,
    at: &str,
    input: Option<Json>,
    errors: BuiltinErrors,
) -> Result<Option<Value>, NoDocument> {
    let input = input.map_or(Value::Undefined, from_json);
    worker.document(&Reference::at(at), &input, errors, NOW)
}

/// Questions about reports and orders.
fn questions() -> Vec<Json> {
    let mut questions = Vec::new();
    for user in ["ann", "bob", "eve", ""] {
        for (method, path) in [
            ("GET", "/reports/2026"),
            ("GET", "/é\"\\\n/\u{1f600}"),
            ("POST", "/orders/7"),
            ("PUT", ""),
        ] {
            for source in ["10.1.2.3", "192.0.2.1"] {
                questions.push(json!({
                    "user": user, "method": method, "path": path, "source": source,
                    "more": [1.5, -3, 1e300, 12_345_678_901_234_u64, null, {"": [true, "\u{0}"]}],
                }));
            }
        }
    }
    questions
}
