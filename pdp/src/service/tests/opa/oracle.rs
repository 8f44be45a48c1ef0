//! The same policies and data in a real `opa run --server`: it must answer the same.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::fixtures::frontend;
use super::super::harness::{Pdp, exchange, settings};
use super::{FILES, answer, open, serving};
use crate::opa_program::opa_program;

/// OPA itself; stopped hard at the end.
pub(super) struct Opa {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Opa {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Opa {
    /// Of `./just setup-opa`, with these files and flags; none where it was not built.
    pub(super) fn start(files: &[(&str, &str)], flags: &[&str]) -> Option<Self> {
        let program = opa_program()?;
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join("files").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let child = Command::new(program)
            .args(["run", "--server", "--disable-telemetry", "--addr", &address])
            .args(flags)
            .arg("files")
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let opa = Self {
            child,
            address,
            _folder: folder,
        };
        for _ in 0..300 {
            if TcpStream::connect(&opa.address).is_ok() {
                return Some(opa);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("opa does not listen");
    }

    pub(super) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }
}

/// Status and body, without what differs each time.
fn asked(stream: TcpStream, method: &str, path: &str, body: &str) -> (u16, Value) {
    let answer = exchange(stream, method, path, &[], body.as_bytes());
    let mut json = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    if let Some(members) = Value::as_object_mut(&mut json) {
        members.remove("decision_id");
    }
    // In whose words an error is said is not compared.
    if answer.status >= 400 {
        json = json!({ "code": json["code"], "first": json["errors"][0]["code"] });
    }
    (answer.status, by_value(json))
}

/// OPA keeps the spelling of a number (`1e3`), the engine its value.
pub(super) fn by_value(json: Value) -> Value {
    match json {
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => items.into_iter().map(by_value).collect(),
        Value::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| (name, by_value(value)));
            Value::Object(members.collect())
        }
        other => other,
    }
}

const INPUTS: [&str; 8] = [
    "",
    "{}",
    r#"{"input":null}"#,
    r#"{"input":{"user":"x","list":[1,2]}}"#,
    r#"{"input":{"user":"y","c":true}}"#,
    r#"{"input":{"user":7,"nope":true,"d":true,"n":[1.5,-3,1e3,"é\u0001"]}}"#,
    r#"{"input":{"c":1,"d":1}}"#,
    r#"{"input":["x",{"$serde_json::private::Number":"1"}],"unknown":1}"#,
];

const PATHS: [&str; 53] = [
    "",
    "/a",
    "/a/b",
    "/a/b/allow",
    "/a/b/deny",
    "/a/b/deny/m",
    "/a/b/roles",
    "/a/b/roles/q",
    "/a/b/roles/x-y",
    "/a/b/only",
    "/a/b/only/in-brackets",
    "/a/b/undef",
    "/a/b/n",
    "/a/b/n/m",
    "/a/b/n/m/o",
    "/a/b/n/m/z",
    "/a/b/n/m/none",
    "/a/b/deep",
    "/a/b/deep/er",
    "/a/b/deep/er/undefined",
    "/a/b/obj",
    "/a/b/obj/k/2/z",
    "/a/b/obj/name",
    "/a/b/err",
    "/a/b/noterr",
    "/a/b/s",
    "/a/b/s/3",
    "/a/b/numbers",
    "/a/b/numbers/1",
    "/a/b/echo",
    "/a/b/has_input",
    "/a/b/length",
    "/a/b/other",
    "/a/b/base",
    "/a/b/inner",
    "/a/b/inner/v",
    "/a/c/d",
    "/empty",
    "/functions",
    "/odd",
    "/odd/we%20ird",
    "/odd/we%20ird/x%2Fy/v",
    "/system/main",
    "/list",
    "/list/1",
    "/list/01",
    "/list/2/0",
    "/list/9",
    "/list/-1",
    "/base/0",
    "/base/x%20y",
    "/base/a%2Fb",
    "/shop/limits",
];

#[test]
fn opa_itself_answers_the_same() {
    let Some(opa) = Opa::start(FILES, &[]) else {
        return;
    };
    let pdp = serving();
    let mut compared = 0;
    for path in PATHS {
        for input in INPUTS {
            for version in ["v1", "v0"] {
                let (theirs, mine) =
                    both(&opa, &pdp, "POST", &format!("/{version}/data{path}"), input);
                assert_eq!(mine, theirs, "POST /{version}/data{path} {input}");
                compared += 1;
            }
        }
        for query in [
            "",
            "?input=%7B%22user%22%3A%22x%22%7D",
            "?input=null&pretty",
            "?input=%7B",
            "?strict-builtin-errors",
            "?strict-builtin-errors=false",
        ] {
            let target = format!("/v1/data{path}{query}");
            let (theirs, mine) = both(&opa, &pdp, "GET", &target, "");
            assert_eq!(mine, theirs, "GET {target}");
            compared += 1;
        }
    }
    for input in INPUTS {
        let (theirs, mine) = both(&opa, &pdp, "POST", "/", input);
        assert_eq!(mine, theirs, "POST / {input}");
        compared += 1;
    }
    for health in ["/health", "/health?bundles", "/health?plugins=true"] {
        let (theirs, mine) = both(&opa, &pdp, "GET", health, "");
        assert_eq!(mine, theirs, "GET {health}");
    }
    assert!(compared > 1100, "{compared}");
}

/// The files below `folder`, tests left out: OPA takes them for policies.
fn collect(folder: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = format!("{below}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else if !name.ends_with("_test.rego") {
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Every path of `document` and below, percent-encoded.
fn paths_of(document: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    for (name, below) in document.as_object().into_iter().flatten() {
        let name: Vec<String> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        paths_of(below, &format!("{path}/{}", name.concat()), found);
    }
}

#[test]
fn opa_itself_answers_the_same_by_the_policies_that_are_shipped() {
    let mut files = Vec::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    // A folder `data` is the root of the data here; OPA is told so by leaving it out.
    collect(&shipped, "", &mut files);
    for (name, _) in &mut files {
        *name = name.strip_prefix("data/").unwrap_or(name).to_owned();
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let Some(opa) = Opa::start(&files, &[]) else {
        return;
    };
    let mut settings = settings();
    settings.opa_api = Some(open());
    let pdp = Pdp::with_files(&files, settings);
    let mut paths = Vec::new();
    let (_, whole) = answer(&pdp, "/v1/data", None);
    paths_of(&whole["result"], "", &mut paths);
    assert!(paths.len() > 30, "{}", paths.len());
    let inputs = [
        json!({}),
        json!({ "input": frontend("GET", &["orders", "42"]) }),
        json!({ "input": frontend("DELETE", &["orders"]) }),
    ];
    for path in &paths {
        for input in &inputs {
            let (theirs, mine) = both(
                &opa,
                &pdp,
                "POST",
                &format!("/v1/data{path}"),
                &input.to_string(),
            );
            assert_eq!(mine, theirs, "{path} {input}");
        }
    }
}

fn both(
    opa: &Opa,
    pdp: &Pdp,
    method: &str,
    path: &str,
    body: &str,
) -> ((u16, Value), (u16, Value)) {
    let theirs = asked(opa.connect(), method, path, body);
    let mine = asked(pdp.connect(), method, path, body);
    (theirs, mine)
}
