//! Metadata in its place: answers of OPA 1.20.2 (`recorded.jsonl`: modules, and `data.a` with them), and what
//! is left as it was, so that the gate refuses it.

use regorus::Value;
use serde_json::{Value as Json, json};

use super::super::in_words_of_the_engine;
use crate::policy::builtin_errors::BuiltinErrors;
use crate::policy::sources::Module;
use crate::policy::{PolicySet, PolicySettings, Sources, on_deep_stack, parse, value};

fn modules(texts: &[&str]) -> Vec<Module> {
    let module = |(number, text): (usize, &&str)| Module {
        file: format!("{number}.rego"),
        text: (*text).to_owned(),
        roots: None,
    };
    texts.iter().enumerate().map(module).collect()
}

/// The document `data.a` of these modules.
fn document(texts: &[&str]) -> Json {
    let modules = modules(texts);
    let answer = on_deep_stack(move || {
        let engine = parse::engine(modules.iter(), Value::new_object(), BuiltinErrors::Fail);
        let mut engine = engine.unwrap();
        engine.set_input(value::from_json(json!({})));
        let answer = engine.eval_query("x = data.a".to_owned(), false).unwrap();
        json!(answer.result.first().unwrap().bindings)["x"].clone()
    });
    answer.unwrap()
}

#[test]
fn answers_are_those_of_opa() {
    for line in include_str!("recorded.jsonl").lines() {
        let (texts, wanted): (Vec<String>, Json) = serde_json::from_str(line).unwrap();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(document(&texts), wanted, "{}", texts.join("\n---\n"));
    }
}

#[test]
fn a_chain_goes_from_the_rule_to_the_outermost_package() {
    let around = "# METADATA\n# scope: subpackages\n# title: a\npackage a\n";
    let inside = "# METADATA\n# title: a.b\npackage a.b\n\n# METADATA\n# scope: document\n# title: doc\nr := 1 if false\n\n# METADATA\n# title: near\n# authors:\n# - Ann B <a@b>\nr := [l.path | some l in rego.metadata.chain()] if {\n\trego.metadata.chain()[0].annotations.authors[0].email == \"a@b\"\n}\n";
    let wanted = json!([["a", "b", "r"], ["a", "b", "r"], ["a", "b"], ["a"]]);
    assert_eq!(document(&[around, inside]), json!({"b": {"r": wanted}}));
}

#[test]
fn lines_stay_where_they_are() {
    let text = "package a\n\n# METADATA\n# description: |\n#  x\n#  y\np := rego.metadata.rule()\n\nq := 1\n";
    let modules = modules(&[text]);
    let (_, written) = &in_words_of_the_engine(modules.iter())[0];
    let expected = text.replace(
        "rego.metadata.rule()",
        "[{\"description\":\"x\\ny\\n\",\"scope\":\"rule\"}][0]",
    );
    assert_eq!(*written, expected);
}

#[test]
fn what_is_not_sure_is_refused_by_name() {
    let call = "\nallow := rego.metadata.rule().title == \"x\"\n";
    for (before, rule) in [
        // Blocks that OPA refuses, or reads by rules of its own.
        ("# METADATA\n", call),
        ("# METADATA\n# title: [\n", call),
        ("# METADATA\n# title: 2020-01-01\n", call),
        ("# METADATA\n# custom: {a: 010}\n", call),
        ("# METADATA\n# custom: {a: 1.0}\n", call),
        ("# METADATA\n# custom: {a: yes}\n", call),
        ("# METADATA\n# custom: {a: &x 1, b: *x}\n", call),
        ("# METADATA\n# custom: {1: a}\n", call),
        ("# METADATA\n# custom: {a: !!str 1}\n", call),
        ("# METADATA\n# title: a\n# title: b\n", call),
        ("# METADATA\n# schemas: [{input: schema.x}]\n", call),
        ("# METADATA\n# authors: [5]\n", call),
        ("# METADATA\n# related_resources: ['']\n", call),
        ("# METADATA\n# scope: rule\n", call),
        ("# METADATA\n# scope: all\n", call),
        (
            "",
            "\nallow := rego.metadata.rule()\n# METADATA\n# title: of nothing\n",
        ),
        (
            "",
            "# METADATA\n# title: of an import\nimport data.x\nallow := rego.metadata.rule()\n",
        ),
        // Calls in places, or with names, that may mean something else.
        ("", "\nallow := 1 if false else := rego.metadata.rule()\n"),
        ("", "\nallow if rego.metadata.chain(x)\n"),
        ("", "\nimport data.rego\nallow if rego.metadata.chain()\n"),
        ("", "\nallow if $\"{rego.metadata.chain()}\"\n"),
        ("", "\nallow if rego.metadata.other()\n"),
    ] {
        let text = format!("{before}package edgeward.authz\n{rule}");
        let files = vec![("a.rego".to_owned(), text.clone().into_bytes())];
        let sources = Sources::from_files(files).unwrap();
        let built = PolicySet::build(sources, &PolicySettings::default());
        let refused = built.map(drop).expect_err(&text);
        assert!(
            refused.to_string().contains("rego.metadata"),
            "{text}: {refused}"
        );
    }
}

#[test]
fn metadata_that_nobody_asks_for_is_a_comment() {
    let text = "# METADATA\n# title: [\npackage a\n\np := 1 # METADATA\n";
    let modules = modules(&[text]);
    assert_eq!(in_words_of_the_engine(modules.iter())[0].1, text);
}
