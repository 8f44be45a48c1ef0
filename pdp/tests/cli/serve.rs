//! `edgeward serve`: start, answer, stop; and the ways in which it must not start.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::program::{Place, repository};

/// A running PDP; stopped hard when a test fails.
struct Running {
    child: Child,
    /// `host:port` of its first TCP listener.
    address: String,
    /// What it said on standard output at the start.
    welcome: String,
}

impl Running {
    /// Starts with the configuration `edgeward.yaml` of `place`, which must have a TCP listener.
    fn start(place: &Place) -> Self {
        let mut child = place
            .command(&["serve", "--config", "edgeward.yaml"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut welcome = String::new();
        while let Some(Ok(line)) = lines.next() {
            welcome.push_str(&line);
            welcome.push('\n');
            if line.ends_with("}'") {
                break;
            }
        }
        let address = welcome
            .split_once("http://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .expect("a URL to try")
            .0
            .to_owned();
        Self {
            child,
            address,
            welcome,
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        http(
            TcpStream::connect(&self.address).expect("it listens"),
            method,
            path,
            body,
        )
    }

    /// Sends SIGTERM; answers with the exit code and the log.
    fn stop(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut log).expect("the log is UTF-8");
        (self.child.wait().expect("it ends").code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn http(
    mut stream: impl Write + std::io::Read,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, Value) {
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: pdp\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("it reads the request");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("it answers");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    (status, serde_json::from_str(body).expect("a JSON body"))
}

#[test]
fn what_it_suggests_to_try_next_works() {
    let place = Place::with(&[(
        "edgeward.yaml",
        "listen: [{tcp: '127.0.0.1:0'}]\nworkers: 1\n",
    )]);
    let running = Running::start(&place);
    let (_, question) = running
        .welcome
        .split_once("-d '")
        .expect("a question to try");
    let question = question.trim_end().trim_end_matches('\'');
    let (status, answer) = running.ask("POST", "/access/v1/evaluation", question);
    assert_eq!(
        (status, &answer["decision"]),
        (200, &Value::Bool(true)),
        "{answer}"
    );
    let (status, answer) = running.ask("GET", "/health/ready", "");
    assert_eq!(
        (status, &answer["ready"]),
        (200, &Value::Bool(true)),
        "{answer}"
    );

    let (code, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
    for line in log.lines() {
        let record: Value = serde_json::from_str(line).expect("not a terminal: JSON records");
        assert!(record["message"].is_string(), "{line}");
    }
}

#[test]
fn a_configured_service_listens_everywhere_and_knows_its_issuers() {
    let policies = repository("policies");
    let config = format!(
        "listen: [{{unix: pdp.sock}}, {{tcp: '127.0.0.1:0'}}]\nworkers: 1\n\
         policies: {{directory: {policies}}}\n\
         issuers: [{{issuer: 'https://idp.example', keys: {{file: jwks.json}}, audiences: [e]}}]\n"
    );
    let place = Place::with(&[("edgeward.yaml", &config), ("jwks.json", r#"{"keys":[]}"#)]);
    let running = Running::start(&place);
    let socket = UnixStream::connect(place.path("pdp.sock")).expect("the socket listens");
    let (status, answer) = http(socket, "GET", "/health/ready", "");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["keys"]["sources"][0]["issuer"], "https://idp.example",
        "{answer}"
    );
    let (code, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(
        !place.path("pdp.sock").exists(),
        "a socket is removed with its service"
    );
}

#[test]
fn nothing_is_served_from_what_is_broken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let place = Place::with(&[(
        "broken/authz.rego",
        "package edgeward.authz\n\ndecision := {\n",
    )]);
    for (config, expected) in [
        (
            format!("listen: [{{tcp: '{address}'}}]\n"),
            address.as_str(),
        ),
        (
            "policies: {directory: broken}\n".to_owned(),
            "edgeward.yaml: policies: ",
        ),
        (
            "policies: {directory: absent}\n".to_owned(),
            "edgeward.yaml: policies: ",
        ),
        (
            "listen: [{tcp: '127.0.0.1:0', tls: {certificate: c.pem, key: k.pem}}]\n".to_owned(),
            "edgeward.yaml: listen[0].tls: ",
        ),
        (
            "trust_domains: [{name: a.example, bundle: {file: b.json}, audiences: [e]}]\n"
                .to_owned(),
            "edgeward.yaml: trust_domains[0].bundle: ",
        ),
        ("workers: none\n".to_owned(), "edgeward.yaml: workers: "),
    ] {
        place.write("edgeward.yaml", &config);
        let said = place.run(&["serve", "--config", "edgeward.yaml"]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (2, ""),
            "{config}: {}",
            said.err
        );
        assert!(said.err.contains(expected), "{config}: {}", said.err);
    }
    let said = place.run(&["--config", "absent.yaml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.starts_with("absent.yaml: cannot be read"),
        "{}",
        said.err
    );
    let said = place.run(&["serve", "--log", "edgeward=loud"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`--log edgeward=loud`"), "{}", said.err);
}
