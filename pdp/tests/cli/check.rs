//! `edgeward check`: file, field and fix.

use serde_json::Value;

use crate::program::{Place, repository};

const KEYS: &str = r#"{"keys":[]}"#;

fn config(policies: &str) -> String {
    format!(
        "issuers:\n  - issuer: https://idp.example\n    keys: {{ file: keys/idp.json }}\n    \
         audiences: [edgeward]\npolicies: {{ directory: {policies} }}\n"
    )
}

#[test]
fn a_sound_configuration_is_ok_wherever_it_is_checked_from() {
    let policies = repository("policies");
    let place = Place::with(&[
        ("etc/edgeward.yaml", &config(&policies)),
        ("etc/keys/idp.json", KEYS),
    ]);
    let said = place.run(&["check", "--config", "etc/edgeward.yaml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        said.out,
        "etc/edgeward.yaml: ok: 1 listener, 1 issuer, 0 trust domains; policies in bytecode\n"
    );
}

#[test]
fn each_mistake_is_one_line_with_file_field_and_fix() {
    let place = Place::with(&[(
        "edgeward.yaml",
        "workers: 0\nissuers:\n  - issuer: a\n    keys: {}\n",
    )]);
    let said = place.run(&["check", "--config", "edgeward.yaml"]);
    assert_eq!(said.code, 2);
    let expected = "\
edgeward.yaml: workers: 0 is out of range: it must be 1 to 1024 (line 1)
edgeward.yaml: issuers[0].audiences: must not be empty: list what this PDP is called in tokens (line 3)
edgeward.yaml: issuers[0].keys: must have exactly one of `discovery`, `jwks_url`, `file`, `inline` (line 4)
";
    assert_eq!(said.err, expected);
}

#[test]
fn what_the_configuration_points_to_is_checked_too() {
    let policies = "package edgeward.authz\n\ndecision := http.send({})\n";
    let place = Place::with(&[
        ("edgeward.yaml", &config("policies")),
        ("policies/authz.rego", policies),
    ]);
    let said = place.run(&["check", "--config", "edgeward.yaml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("edgeward.yaml: issuers[0].keys: "),
        "{}",
        said.err
    );
    assert!(said.err.contains("keys/idp.json"), "{}", said.err);
    assert!(
        said.err.contains("edgeward.yaml: policies: "),
        "{}",
        said.err
    );
    assert!(said.err.contains("http.send"), "{}", said.err);
}

#[test]
fn damage_to_the_journal_of_revocations_is_found_and_nothing_is_written() {
    let administrator = "0".repeat(64);
    let config = format!(
        "revocations: {{ directory: revocations, admin_tokens_sha256: [\"{administrator}\"] }}\n"
    );
    let place = Place::with(&[("edgeward.yaml", &config)]);
    let said = place.run(&["check", "--config", "edgeward.yaml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!place.path("revocations").exists());
    let place = Place::with(&[
        ("edgeward.yaml", &config),
        (
            "revocations/revocations.journal",
            "edgeward-revocations 1\n0123456789abcdef 00000c {\"undo\":\"a\"}\n\
             0123456789abcdef 00000c {\"undo\":\"b\"}\n",
        ),
    ]);
    let said = place.run(&["check", "--config", "edgeward.yaml"]);
    assert_eq!(said.code, 2, "{}", said.out);
    let begin = "edgeward.yaml: revocations.directory: `";
    assert!(said.err.starts_with(begin), "{}", said.err);
    let named = "revocations.journal`, line 2: checksum does not match";
    assert!(said.err.contains(named), "{}", said.err);
}

#[test]
fn a_program_gets_the_same_answer_as_json() {
    let place = Place::with(&[("bad.yaml", "workers: 0\n"), ("good.yaml", "workers: 1\n")]);
    let said = place.run(&["check", "--config", "bad.yaml", "--output", "json"]);
    assert_eq!((said.code, said.err.as_str()), (2, ""));
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    let expected = serde_json::json!({
        "result": "refused",
        "file": "bad.yaml",
        "problems": [{
            "field": "workers", "message": "0 is out of range: it must be 1 to 1024", "line": 1,
        }],
        "engine": null,
        "interpreted": null,
        "client_workloads": [],
    });
    assert_eq!(answer, expected);
    let said = place.run(&["check", "--config", "good.yaml", "--output", "json"]);
    assert_eq!(said.code, 0);
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    let expected = serde_json::json!({
        "result": "ok",
        "file": "good.yaml",
        "problems": [],
        "engine": "bytecode",
        "interpreted": null,
        "client_workloads": [],
    });
    assert_eq!(answer, expected);
}

#[test]
fn a_key_that_verifies_nothing_is_a_warning() {
    let weak = "issuers: [{issuer: a, audiences: [e], keys: {inline: {keys: \
                [{kty: RSA, n: AQAB, e: AQAB, kid: x}]}}}]\n";
    let place = Place::with(&[("weak.yaml", weak)]);
    let said = place.run(&["check", "--config", "weak.yaml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let expected =
        "weak.yaml: warning: issuers[0]: keys[0] verifies nothing: RSA modulus has 17 bits";
    assert!(said.err.starts_with(expected), "{}", said.err);
}

#[test]
fn an_unreadable_file_is_named() {
    let place = Place::with(&[("latin1.yaml", "")]);
    std::fs::write(place.path("latin1.yaml"), b"# caf\xe9\n").expect("a file");
    std::fs::write(place.path("huge.yaml"), vec![b'#'; 1024 * 1024 + 1]).expect("a file");
    for (file, expected) in [
        (
            "absent.yaml",
            "absent.yaml: cannot be read: No such file or directory",
        ),
        (".", ".: cannot be read: Is a directory"),
        ("latin1.yaml", "latin1.yaml: is not UTF-8: save it as UTF-8"),
        ("huge.yaml", "huge.yaml: is longer than 1048576 bytes"),
    ] {
        let said = place.run(&["check", "--config", file]);
        assert_eq!(said.code, 2, "{file}");
        assert!(said.err.starts_with(expected), "{file}: {}", said.err);
    }
}
