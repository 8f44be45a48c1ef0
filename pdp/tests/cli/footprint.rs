//! `edgeward policy footprint`, and the page for policy authors that shows it.

use serde_json::{Value, json};

use crate::program::{Place, repository};

const FOOTPRINT: &[&str] = &["policy", "footprint", "--policies", "policies"];

/// The contents of every fenced block of this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let after = text.split(opening.as_str()).skip(1);
    let block = |rest: &str| rest.split_once("```").expect("it is closed").0.to_owned();
    after.map(block).collect()
}

#[test]
fn the_page_for_authors_shows_what_the_program_says() {
    let page = std::fs::read_to_string(repository("docs/caching-policies.md")).expect("the page");
    let (policies, answers) = (blocks(&page, "rego"), blocks(&page, "text"));
    assert_eq!((policies.len(), answers.len()), (4, 4));
    let command = format!("$ edgeward {}\n", FOOTPRINT.join(" "));
    assert_eq!(blocks(&page, "console"), [command]);
    for (policy, answer) in policies.iter().zip(answers) {
        let place = Place::with(&[("policies/shop.rego", policy)]);
        let said = place.run(FOOTPRINT);
        assert_eq!(
            (said.code, said.out.as_str()),
            (0, &*answer),
            "{}",
            said.err
        );
    }
}

#[test]
fn the_embedded_policy_the_folder_and_the_configuration_say_the_same() {
    let place = Place::empty();
    let folder = repository("policies");
    place.write(
        "edgeward.yaml",
        &format!("policies: {{directory: {folder}}}\n"),
    );
    let embedded = place.run(&["policy", "footprint"]);
    assert_eq!(embedded.code, 0, "{}", embedded.err);
    assert!(
        embedded.out.contains("\n  input.subject.id\n"),
        "{}",
        embedded.out
    );
    assert!(
        embedded.out.contains("\n  data.access.grants\n"),
        "{}",
        embedded.out
    );
    for source in [["--policies", &folder], ["--config", "edgeward.yaml"]] {
        let said = place.run(&[&["policy", "footprint"], &source[..]].concat());
        assert_eq!(
            (said.code, said.out),
            (0, embedded.out.clone()),
            "{}",
            said.err
        );
    }
}

#[test]
fn programs_get_the_same_as_json() {
    let policy = "package a\n\ndecision if input.a.b\n\nother if {\n\tsome k\n\tinput.h[k] > time.now_ns()\n\trand.intn(\"x\", data.d) == 1\n}\n";
    let place = Place::with(&[("policies/a.rego", policy)]);
    let ask = |rule: &str| {
        let said = place.run(&[FOOTPRINT, &["--output", "json", "--entry", rule]].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str::<Value>(&said.out).expect("JSON")
    };
    let plain = ask("data.a.decision");
    assert_eq!(
        plain["input"],
        json!([{"path": "input.a.b", "presence": true}])
    );
    assert_eq!(plain["vary"], json!({"a": {"b": {}}}));
    assert_eq!(plain["cacheable"], true);
    assert_eq!(
        (&plain["clock"], &plain["widenings"]),
        (&Value::Null, &json!([]))
    );

    let wide = ask("data.a.other");
    assert_eq!(wide["data_roots"], json!(["d"]));
    assert_eq!(wide["clock"], json!({"file": "a.rego", "line": 7}));
    assert_eq!(
        wide["uncacheable"],
        json!({"function": "rand.intn", "file": "a.rego", "line": 8})
    );
    assert_eq!(wide["cacheable"], false);
    assert_eq!(wide["clock_quantum"], 1);
    assert_eq!(
        wide["widenings"],
        json!([{"path": "input.h", "file": "a.rego", "line": 7,
            "why": "a member of it is chosen by a computed key"}])
    );
}

#[test]
fn a_policy_that_reads_the_clock_is_cacheable_where_the_clock_moves_in_steps() {
    let place = Place::with(&[
        (
            "policies/a.rego",
            "package a\n\ndecision if time.now_ns() > input.n\n",
        ),
        (
            "true.yaml",
            "policies: {directory: policies}\ncache: {clock_quantum: 0s}\n",
        ),
        (
            "coarse.yaml",
            "policies: {directory: policies}\ncache: {clock_quantum: 10s}\n",
        ),
    ]);
    for (file, cacheable) in [
        (
            "true.yaml",
            "no: the true time is read at a.rego:3; `cache.clock_quantum` gives a clock in steps",
        ),
        (
            "coarse.yaml",
            "yes, but each answer ends with its step of the clock, 10s: time is read",
        ),
    ] {
        let asked = [
            "policy",
            "footprint",
            "--config",
            file,
            "--entry",
            "data.a.decision",
        ];
        let said = place.run(&asked);
        let line = format!("\ncacheable: {cacheable}\n");
        assert!(said.out.contains(&line), "{} {}", said.out, said.err);
    }
}

#[test]
fn a_policy_that_does_not_load_has_no_footprint() {
    let place = Place::with(&[("policies/a.rego", "package a\n\nallow if {\n")]);
    for arguments in [
        FOOTPRINT,
        &["policy", "footprint", "--entrypoint", "1 == 1"],
        &["policy", "footprint", "--policies", "absent"],
    ] {
        let said = place.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.err.starts_with("error: "), "{}", said.err);
    }
}
