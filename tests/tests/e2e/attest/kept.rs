//! Tokens that are kept: in a file, behind a socket, through every change.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use edgeward_tests::process::wait_for;
use edgeward_tests::raw;
use serde_json::{Value, json};

use super::{LIFETIME, Workload, passes, trust};

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
