//! Issue 5, on the workload: `edgeward attest` gets its token at a real PDP, by the evidence of a real trust
//! provider, keeps it fresh, and what it gives opens the way through Envoy.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use edgeward_tests::built;
use edgeward_tests::process::{Process, wait_for};
use edgeward_tests::raw;
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
fn a_token_file_stays_fresh_while_evidence_and_the_token_service_change() {
    let pod = Workload::new();
    let evidence = |run: u32| {
        trust()
            .platforms
            .pod("cart", &json!({ "jti": format!("run-{run}") }))
    };
    pod.write("token", &evidence(0));
    let kubernetes = [
        "--platform",
        "kubernetes",
        "--evidence-file",
        "token",
        "--audience",
        "orders",
    ];
    let kept = [
        "--token-file",
        "out",
        "--socket",
        "socket",
        "--log-format",
        "json",
    ];
    let mut process = pod.start(&[&kubernetes[..], &kept].concat());
    let read = || std::fs::read_to_string(pod.path("out")).ok();
    let first =
        wait_for(Duration::from_secs(10), read).unwrap_or_else(|| panic!("{}", process.log()));
    for name in ["out", "socket"] {
        let mode = std::fs::metadata(pod.path(name))
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let started = Instant::now();
    let mut tokens = vec![first];
    let mut run = 0;
    // Longer than two tokens live, with new evidence all the time.
    while started.elapsed() < Duration::from_secs(LIFETIME * 5 / 2) {
        run += 1;
        pod.write("token", &evidence(run));
        let token = read().expect("the file is never missing");
        assert!(
            passes("/orders/7", &token),
            "after {:?}\n{}",
            started.elapsed(),
            process.log()
        );
        if !tokens.contains(&token) {
            tokens.push(token);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!((4..=8).contains(&tokens.len()), "{} tokens", tokens.len());
    let log = process.log();
    for token in &tokens {
        let signature = token.rsplit('.').next().expect("a signature");
        assert!(!log.contains(signature), "a token is in the log:\n{log}");
    }
    process.signal("TERM");
    assert!(
        process.ended_within(Duration::from_secs(5)),
        "it does not stop:\n{}",
        process.log()
    );
    assert!(process.log().contains("SIGTERM"), "{}", process.log());
    assert!(!pod.path("socket").exists(), "the socket is left behind");
    assert!(
        pod.path("out").exists(),
        "a token that lives is left to who reads it"
    );
}

/// A GET on a Unix socket: status and body.
fn get(socket: &Path, target: &str) -> (u16, Value) {
    let stream = UnixStream::connect(socket).expect("the socket is open");
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let reply = raw::exchange(stream, request.as_bytes()).expect("an answer");
    (reply.status, reply.json())
}

#[test]
fn the_socket_gives_the_token_of_the_moment_and_none_for_another() {
    let pod = Workload::new();
    pod.write("token", &trust().platforms.pod("orders", &json!({})));
    let kubernetes = ["--platform", "kubernetes", "--evidence-file", "token"];
    let _process = pod.start(
        &[
            &kubernetes[..],
            &["--audience", "payments", "--socket", "socket"],
        ]
        .concat(),
    );
    let socket = pod.path("socket");
    wait_for(Duration::from_secs(10), || socket.exists().then_some(())).expect("the socket");
    let answer = wait_for(Duration::from_secs(10), || {
        let (status, body) = get(&socket, "/token?audience=payments");
        (status == 200).then_some(body)
    });
    let token = answer.expect("a token")["access_token"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(passes("/payments", &token));
    let (status, body) = get(&socket, "/token?audience=orders");
    assert_eq!((status, &body["error"]), (403, &json!("invalid_target")));
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

/// GitHub's API for the tokens of jobs, over plain HTTP on this machine: each one is new.
fn github() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let is_ours = head
                .first()
                .is_some_and(|line| line.contains("audience=https%3A%2F%2Fedgeward.demo"))
                && head
                    .iter()
                    .any(|line| line.eq_ignore_ascii_case("authorization: Bearer of-the-runner"));
            let answer = if is_ours {
                let body = json!({ "value": trust().platforms.job(&json!({})) }).to_string();
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
            } else {
                "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned()
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_ci_job_is_found_by_its_variables_and_asks_for_each_token_anew() {
    let mut job = Workload::new();
    job.variable(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        &format!("{}/token?x=1", github()),
    );
    job.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-runner");
    // `single_use`: evidence that was shown once would be refused.
    for _ in 0..2 {
        let token = printed(&job.run(&["--audience", "deploys"]));
        assert!(passes("/deploys/42", &token));
    }
}

#[test]
fn evidence_that_counts_once_is_shown_once_where_tokens_renew_tokens() {
    let mut job = Workload::new();
    // It counts once, and there is no other.
    job.variable("EVIDENCE", &trust().platforms.job(&json!({})));
    let named = [
        "--evidence-env",
        "EVIDENCE",
        "--audience",
        "deploys",
        "--token-file",
        "out",
    ];
    let process = job.start(&[&named[..], &["--trust-domain", "prod.demo"]].concat());
    let read = || std::fs::read_to_string(job.path("out")).ok();
    let first = wait_for(Duration::from_secs(10), read);
    let first = first.unwrap_or_else(|| panic!("{}", process.log()));
    let next = wait_for(Duration::from_secs(LIFETIME), || {
        read().filter(|token| *token != first)
    });
    let next = next.unwrap_or_else(|| panic!("{}", process.log()));
    assert!(passes("/deploys/42", &next));
    assert!(
        !process.log().contains("evidence-replayed"),
        "{}",
        process.log()
    );
}

#[test]
fn a_caller_of_aws_signs_what_sts_knows_it_by() {
    let Some(sts) = &trust().platforms.sts else {
        eprintln!("skipped: no moto (`./just setup`)");
        return;
    };
    let mut caller = Workload::new();
    caller.variables = sts.variables("role");
    caller.variable("AWS_ENDPOINT_URL_STS", sts.url());
    caller.variable("AWS_REGION", "eu-central-1");
    let token = printed(&caller.run(&["--audience", "ledger"]));
    assert!(passes("/ledger", &token));
    // Signed for somebody else, it is of no use here.
    caller.named = "https://other.example".to_owned();
    let other = caller.run(&["--audience", "ledger"]);
    assert_eq!(other.status.code(), Some(1));
    caller.named = AUDIENCE.to_owned();
    caller
        .variables
        .retain(|(name, _)| name != "AWS_SECRET_ACCESS_KEY");
    caller.variable("AWS_SECRET_ACCESS_KEY", &"x".repeat(40));
    let stolen = caller.run(&["--audience", "ledger"]);
    assert_eq!(stolen.status.code(), Some(1));
    let said = String::from_utf8_lossy(&stolen.stderr).into_owned();
    assert!(
        said.contains("evidence of aws: refused: evidence-rejected"),
        "{said}"
    );
}
