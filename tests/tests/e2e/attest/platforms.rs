//! Platforms that are found by what they leave in the environment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use edgeward_tests::trust::platforms::AUDIENCE;
use serde_json::json;

use super::{Workload, passes, printed, trust};

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
