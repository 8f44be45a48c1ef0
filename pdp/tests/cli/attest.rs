//! `edgeward attest` where there is no token: what it says, by which exit code. Tokens are the end-to-end
//! tests' (`tests/tests/e2e/attest.rs`).

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Place, Said};

/// Runs with these variables and no others.
fn attest(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = place.command(&[&["attest", "--audience", "orders"], arguments].concat());
    command.env_clear();
    // Clouds' metadata services are asked where nobody is.
    for name in [
        "GCE_METADATA_HOST",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ] {
        command.env(name, format!("127.0.0.1:{}", free_port()));
    }
    command.envs(variables.iter().copied());
    let output = command.output().expect("the program ends");
    Said {
        code: output.status.code().expect("no signal ended it"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A port at which nobody listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn wrong_usage_says_what_is_missing() {
    let place = Place::with(&[("evidence", "a.b.c"), ("empty.pem", "")]);
    let https = ["--server", "https://localhost:1"];
    let with = |more: &[&'static str]| [&https[..], more].concat();
    for (arguments, expected) in [
        (
            vec![],
            "no token service: name it by --server, or set EDGEWARD_SERVER",
        ),
        (
            vec!["--server", "http://pdp.example"],
            "would send secrets in the clear",
        ),
        (
            vec!["--server", "unix:/run/pdp.sock"],
            "--evidence-audience",
        ),
        (with(&["--cert", "c.pem"]), "--key-file"),
        (with(&["--ca-file", "none.pem"]), "none.pem: "),
        (
            with(&["--ca-file", "empty.pem"]),
            "no certificate authority",
        ),
        (
            with(&["--platform", "mainframe"]),
            "is none of github, gitlab",
        ),
        (
            with(&["--evidence-file", "evidence", "--platform", "gcp"]),
            "leave one of them out",
        ),
        (
            with(&["--requested-type", "saml"]),
            "possible values: jwt, access_token",
        ),
        (with(&["--once", "--socket", "s"]), "cannot be used with"),
        (with(&["--token-file", "none/token"]), "make it"),
        (with(&["--evidence-audience", "a b"]), "visible ASCII"),
        (
            vec![
                "--server",
                "http://localhost:1",
                "--cert",
                "c",
                "--key",
                "k",
            ],
            "shown in TLS only",
        ),
    ] {
        let said = attest(&place, &arguments, &[]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
    }
    let said = attest(&place, &[], &[("EDGEWARD_SERVER", "pdp")]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("EDGEWARD_SERVER: `pdp` "), "{}", said.err);
    let said = place.run(&["attest", "--server", "https://localhost:1"]);
    assert!(said.err.contains("--audience <AUDIENCE>"), "{}", said.err);
}

#[test]
fn a_machine_that_nobody_vouches_for_is_told_what_was_looked_for() {
    let place = Place::empty();
    let server = ["--server", "http://127.0.0.1:1"];
    let started = Instant::now();
    let said = attest(&place, &server, &[]);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    for words in [
        "error: no platform was found",
        "\n  github          GITHUB_ACTIONS is not set\n",
        "\n  kubernetes      there is no `/var/run/secrets/tokens/edgeward`",
        "\n  aws             no credentials in the environment, and ",
        "\nwhat to do: ",
    ] {
        assert!(
            said.err.contains(words),
            "{words:?} is not in\n{}",
            said.err
        );
    }
    let said = attest(&place, &[&server[..], &["--output", "json"]].concat(), &[]);
    assert_eq!((said.code, said.err.as_str()), (2, ""));
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(told["probed"][0]["platform"], "github");
    assert_eq!(told["probed"].as_array().map(Vec::len), Some(12));
    let said = attest(
        &place,
        &[&server[..], &["--platform", "gitlab"]].concat(),
        &[],
    );
    assert_eq!(said.err.matches("\n  ").count(), 1, "{}", said.err);
}

#[test]
fn a_token_service_that_is_not_there_is_no_refusal() {
    let place = Place::with(&[("evidence", "a.b.s3cr3t")]);
    let server = format!("http://127.0.0.1:{}", free_port());
    let arguments = ["--server", server.as_str(), "--evidence-file", "evidence"];
    let said = attest(&place, &arguments, &[]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("the token service cannot be reached"),
        "{}",
        said.err
    );
    let said = attest(
        &place,
        &[&arguments[..], &["--output", "json"]].concat(),
        &[],
    );
    assert_eq!(said.code, 2);
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&told["result"], &told["platform"]),
        (&"failed".into(), &"file".into())
    );
    assert!(!said.out.contains("s3cr3t"), "{}", said.out);
}
