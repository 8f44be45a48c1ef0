//! OPA's REST API: a policy set of many shapes, asked by a client of OPA.

mod admission;
mod calls;
mod example;
mod hostile;
mod oracle;
mod oracle_calls;
mod oracle_table;
mod queries;
mod remembered;

use serde_json::Value;

use super::harness::{Answer, Pdp, exchange, settings};
use crate::atoms::{AtomSettings, Atoms};
use crate::config::DEFAULT_ENTRYPOINT;
use crate::service::{Authorization, OpaApi, ServiceSettings};

/// Rules and packages of every shape that has a name, and data beside and between them.
const FILES: &[(&str, &str)] = &[
    (
        "authz.rego",
        "package edgeward.authz\ndefault decision := false\ndecision if input.user == \"x\"\n",
    ),
    (
        "shapes.rego",
        r#"package a.b
import rego.v1
default allow := false
allow if input.user == "x"
deny contains "m" if input.user == "y"
roles["x-y"] := 1
roles[k] := 2 if { some k in ["q", "r"] }
only["in-brackets"] := 7
increment(x) := x + 1
undef if input.nope
n.m.o := 5
n.m[k] := 6 if { some k in ["z"] }
deep.er.undefined := 1 if input.nope
obj := {"k": [1, 2, {"z": 3}], "name": "zero"}
err := to_number("x")
noterr if { input.user; not to_number(input.user) }
s := {3, 1, 2}
numbers := {1: "a", true: "b"}
conflict := 1 if input.c
conflict := 2 if input.d
echo := input
has_input if { input }
length := count(input.list)
other := data.shop.limits.max
"#,
    ),
    (
        "noted.rego",
        r#"package a.noted
import rego.v1
allow if { trace("asked"); trace(concat("", ["by ", json.marshal(input.user)])); input.user }
unnoted := trace("t")
twice := [trace("a"), trace("b")]
token := io.jwt.decode("x")
no_token if not io.jwt.decode(input.user)
f(x) := x + 1
"#,
    ),
    ("empty.rego", "package empty\n"),
    ("functions.rego", "package functions\nf(x) := x\n"),
    ("inner.rego", "package a.b.inner\nv := data.a.b.allow\n"),
    ("odd.rego", "package odd[\"we ird\"][\"x/y\"]\nv := \"w\"\n"),
    (
        "system.rego",
        "package system\nmain := {\"hello\": input}\nhealth.live := true\n",
    ),
    (
        "data.json",
        r#"{"list": [10, 20, [30]], "a": {"b": {"base": true}, "c": {"d": 1}}, "base": {"0": "z", "x y": 2, "a/b": 3, "true": 5, "quo\"te": 6, "é": 7, "]": 8}}"#,
    ),
    ("shop/limits/data.json", r#"{"max": 3, "none": null}"#),
];

/// To everybody.
fn open() -> OpaApi {
    OpaApi {
        token_digests: Vec::new(),
        authorization: Authorization::Off,
        queries: false,
    }
}

impl Pdp {
    /// With these policies and data, named by their path.
    fn with_files(files: &[(&str, &str)], settings: ServiceSettings) -> Self {
        Self::with_entry_point(files, settings, DEFAULT_ENTRYPOINT)
    }

    /// The same, which decides by another rule.
    fn with_entry_point(
        files: &[(&str, &str)],
        settings: ServiceSettings,
        entry_point: &str,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let atoms = Atoms::open(&AtomSettings::default()).unwrap();
        Self::start_with(folder, settings, atoms, entry_point)
    }
}

fn serving() -> Pdp {
    let mut settings = settings();
    settings.opa_api = Some(OpaApi {
        queries: true,
        ..open()
    });
    Pdp::with_files(FILES, settings)
}

/// `text` as a value of a URL's query.
fn encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

fn call(pdp: &Pdp, method: &str, path: &str, body: &str) -> Answer {
    exchange(pdp.connect(), method, path, &[], body.as_bytes())
}

/// What version 1 answers, without the id, which differs each time.
fn answer(pdp: &Pdp, path: &str, body: Option<&str>) -> (u16, Value) {
    let method = if body.is_some() { "POST" } else { "GET" };
    let answer = call(pdp, method, path, body.unwrap_or_default());
    let mut json = answer.json();
    if let Some(members) = json.as_object_mut() {
        members.remove("decision_id");
    }
    (answer.status, json)
}
