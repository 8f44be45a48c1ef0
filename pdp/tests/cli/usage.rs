//! Help, wrong usage, schema, completions.

use std::process::Stdio;

use crate::program::Place;

const SUBCOMMANDS: [&[&str]; 12] = [
    &["attest"],
    &["token", "inspect"],
    &["bundle", "verify"],
    &["serve"],
    &[],
    &["check"],
    &["eval"],
    &["test"],
    &["schema"],
    &["completions"],
    &["token", "verify"],
    &["token", "mint"],
];

#[test]
fn every_subcommand_explains_itself_with_examples() {
    let place = Place::empty();
    for subcommand in SUBCOMMANDS {
        let said = place.run(&[subcommand, &["--help"]].concat());
        assert_eq!(said.code, 0, "{subcommand:?}: {}", said.err);
        assert!(
            said.out.contains("Example"),
            "{subcommand:?} has no example:\n{}",
            said.out
        );
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_is_known() {
    let place = Place::empty();
    for (arguments, expected) in [
        (&["chekc"][..], "'check'"),
        (&["check"], "--config <FILE>"),
        (&["token"], "verify"),
        (
            &["token", "verify", "--config", "x", "--at", "yesterday"],
            "2026-01-31T12:00:00Z",
        ),
        (
            &["token", "verify", "--config", "x", "--output", "xml"],
            "possible values: text, json",
        ),
        (&["token", "mint", "--config", "x"], "--as <SPIFFE_ID>"),
        (
            &["token", "mint", "--config", "x", "--as", "alice"],
            "scheme is missing or not `spiffe`",
        ),
        (
            &["token", "mint", "--config", "x", "--issuer", "i"],
            "--subject <SUBJECT>",
        ),
        (
            &[
                "token",
                "mint",
                "--config",
                "x",
                "--as",
                "spiffe://a/b",
                "--ttl",
                "5",
            ],
            "time unit",
        ),
        (
            &[
                "token",
                "mint",
                "--config",
                "x",
                "--as",
                "spiffe://a/b",
                "--algorithm",
                "HS256",
            ],
            "is not one of RS256",
        ),
        (
            &[
                "token",
                "mint",
                "--config",
                "x",
                "--as",
                "spiffe://a/b",
                "--claim",
                "x",
            ],
            "NAME=VALUE",
        ),
        (&["eval"], "--input <FILE>"),
        (&["completions", "dos"], "bash"),
    ] {
        let said = place.run(arguments);
        assert_eq!(said.code, 2, "{arguments:?}");
        assert!(
            said.err.contains(expected),
            "{arguments:?} does not say {expected:?}:\n{}",
            said.err
        );
        assert_eq!(
            said.out, "",
            "{arguments:?}: errors belong on standard error"
        );
    }
}

#[test]
fn the_schema_is_the_published_one() {
    let said = Place::empty().run(&["schema"]);
    assert_eq!(said.code, 0);
    assert_eq!(said.out, include_str!("../../config.schema.json"));
}

#[test]
fn completions_name_the_subcommands() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = place.run(&["completions", shell]);
        assert_eq!(said.code, 0, "{shell}");
        assert!(said.out.contains("verify"), "{shell}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = Place::empty()
        .command(&["schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
