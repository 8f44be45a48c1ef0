//! Issue 5, on the workload: `edgeward attest` gets its token at a real PDP, by the evidence of a real trust
//! provider, keeps it fresh, and what it gives opens the way through Envoy.

mod kept;
mod platforms;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

use edgeward_tests::built;
use edgeward_tests::process::{Process, wait_for};
use edgeward_tests::trust::Trust;
use edgeward_tests::trust::platforms::AUDIENCE;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long tokens live, in seconds: as short as can be configured.
const LIFETIME: u64 = 10;

/// The parts, with the shortest tokens.
fn trust() -> &'static Trust {
    static TRUST: LazyLock<Trust> = LazyLock::new(|| {
        Trust::with(&json!({ "lifetime": format!("{LIFETIME}s"), "renewable_for": "1h" }))
    });
    &TRUST
}

/// A workload: a folder of its own, and no variables but those it is given.
struct Workload {
    folder: TempDir,
    server: String,
    /// What the token service is called in evidence.
    named: String,
    variables: Vec<(String, String)>,
}

impl Workload {
    fn new() -> Self {
        Self {
            folder: TempDir::with_prefix("edgeward-workload").expect("a folder"),
            server: format!("http://{}", trust().pdp.address()),
            named: AUDIENCE.to_owned(),
            variables: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the file as the kubelet does: whole.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path("new"), text).expect("a file is written");
        std::fs::rename(self.path("new"), self.path(name)).expect("it is replaced");
    }

    fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built::edgeward());
        command
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .args(["attest", "--server", &self.server])
            .args(["--evidence-audience", &self.named])
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    fn start(&self, arguments: &[&str]) -> Process {
        let log = self.path("log");
        Process::start(self.command(arguments), &log).expect("it starts")
    }
}

#[track_caller]
fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout).trim_end().to_owned()
}

fn passes(path: &str, token: &str) -> bool {
    trust().call(path, token, None).status == 200
}

#[test]
fn a_pod_s_token_is_printed_and_opens_its_own_service() {
    let pod = Workload::new();
    pod.write("token", &trust().platforms.pod("cart", &json!({})));
    let kubernetes = ["--platform", "kubernetes", "--evidence-file", "token"];
    let token = printed(&pod.run(&[&kubernetes[..], &["--audience", "orders"]].concat()));
    assert!(passes("/orders/7", &token));
    assert!(!passes("/reports", &token));
    let json = pod.run(
        &[
            &kubernetes[..],
            &["--audience", "orders", "--output", "json"],
        ]
        .concat(),
    );
    let answer: Value = serde_json::from_str(&printed(&json)).expect("JSON");
    assert_eq!(answer["platform"], "kubernetes");
    assert_eq!(answer["audience"], json!(["orders"]));
    assert!(
        answer["expires_in"]
            .as_u64()
            .is_some_and(|seconds| seconds <= LIFETIME)
    );
    assert!(passes(
        "/orders/7",
        answer["access_token"].as_str().expect("a token")
    ));
    // Once, into a file.
    let once = ["--audience", "orders", "--token-file", "out", "--once"];
    assert_eq!(printed(&pod.run(&[&kubernetes[..], &once].concat())), "");
    let written = std::fs::read_to_string(pod.path("out")).expect("the token file");
    assert!(passes("/orders/7", &written));
    // What it is, in words.
    let mut inspect = Command::new(built::edgeward());
    inspect
        .args(["token", "inspect", "--file"])
        .arg(pod.path("out"));
    let said = printed(&inspect.output().expect("it runs"));
    assert!(said.contains("Edgeward's token service made it"), "{said}");
    assert!(said.contains("spiffe://prod.demo/shop/cart"), "{said}");
    assert!(said.contains("expires in "), "{said}");
}

#[test]
fn a_refusal_is_exit_code_1_and_names_its_code() {
    let pod = Workload::new();
    let kubernetes = ["--platform", "kubernetes", "--evidence-file", "token"];
    let evidence = trust().platforms.pod("stranger", &json!({}));
    pod.write("token", &evidence);
    let refused = pod.run(&[&kubernetes[..], &["--audience", "orders"]].concat());
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("evidence of kubernetes: refused: client-workload-unknown: "),
        "{said}"
    );
    assert!(said.contains("docs/reason-codes.md"), "{said}");
    assert!(
        !said.contains(evidence.rsplit('.').next().expect("a signature")),
        "{said}"
    );
    pod.write("token", &trust().platforms.pod("cart", &json!({})));
    let refused = pod.run(
        &[
            &kubernetes[..],
            &["--audience", "payments", "--output", "json"],
        ]
        .concat(),
    );
    assert_eq!((refused.status.code(), refused.stderr.len()), (Some(1), 0));
    let told: Value = serde_json::from_slice(&refused.stdout).expect("JSON");
    assert_eq!(
        (&told["result"], &told["reason"], &told["error"]),
        (
            &json!("refused"),
            &json!("audience-not-granted"),
            &json!("invalid_target")
        )
    );
    // One that is to be kept is tried again until it is granted.
    pod.write("token", &trust().platforms.pod("stranger", &json!({})));
    let mut process = pod.start(
        &[
            &kubernetes[..],
            &["--audience", "orders", "--token-file", "out"],
        ]
        .concat(),
    );
    let refused = wait_for(Duration::from_secs(10), || {
        process
            .log()
            .contains("client-workload-unknown")
            .then_some(())
    });
    assert!(
        refused.is_some() && process.is_running(),
        "{}",
        process.log()
    );
    pod.write("token", &trust().platforms.pod("cart", &json!({})));
    let token = wait_for(Duration::from_secs(10), || {
        std::fs::read_to_string(pod.path("out")).ok()
    });
    assert!(passes("/orders/7", &token.expect("a token")));
}

#[test]
fn a_token_that_must_be_bound_is_bound_to_the_certificate_that_is_shown() {
    let mut pod = Workload::new();
    let leaf = trust().authority.issue(&["spiffe://prod.demo/shop/batch"]);
    pod.write("token", &trust().platforms.pod("batch", &json!({})));
    pod.write("leaf.pem", &leaf.pem());
    pod.write("leaf.key", &leaf.key_pem());
    pod.write("ca.pem", &trust().authority.pem());
    let arguments = [
        "--platform",
        "kubernetes",
        "--evidence-file",
        "token",
        "--audience",
        "reports",
    ];
    let refused = pod.run(&arguments);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("certificate-needed"), "{said}");

    pod.server = format!("https://localhost:{}", trust().tls_address().port());
    let tls = [
        "--ca-file",
        "ca.pem",
        "--cert",
        "leaf.pem",
        "--key",
        "leaf.key",
    ];
    let token = printed(&pod.run(&[&arguments[..], &tls].concat()));
    assert_eq!(trust().call("/reports", &token, Some(&leaf)).status, 200);
    assert_eq!(trust().call("/reports", &token, None).status, 401);
    // Nobody else is believed to be the token service.
    let other = edgeward_tests::ca::Authority::new("other.test");
    pod.write("ca.pem", &other.pem());
    let failed = pod.run(&[&arguments[..], &tls].concat());
    assert_eq!(failed.status.code(), Some(2));
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(said.contains("does not agree on TLS"), "{said}");
}
