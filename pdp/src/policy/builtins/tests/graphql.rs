//! `graphql.*` and what an attacker may hand in: documents that are deep, long, or come to much more than
//! they are. Each is answered or an error, and soon.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::arguments::Arguments;
use super::super::function;
use crate::policy::{from_json, on_deep_stack};

const SCHEMA: &str = "type Query{a:Int q:Query l(x:[Int],i:In):Query} input In{i:In a:Int}";

/// What a built-in says, and that it does so soon.
fn call(name: &'static str, arguments: &[Json]) -> Result<Json, String> {
    let values: Vec<_> = arguments.iter().cloned().map(from_json).collect();
    let started = Instant::now();
    let said = on_deep_stack(move || {
        let said = function(name).unwrap()(&Arguments(&values));
        said.map(|value| json!(value))
            .map_err(|why| why.to_string())
    });
    assert!(started.elapsed() < Duration::from_secs(10), "{name}");
    said.unwrap()
}

fn is_valid(query: &str) -> Result<Json, String> {
    call("graphql.is_valid", &[json!(query), json!(SCHEMA)])
}

/// A fragment that spreads `each`, with the next one's number for `#`, as often as said.
fn chain(each: &str, count: usize) -> String {
    let parts = (0..count).map(|number| {
        let inside = each.replace('#', &format!("...F{}", number + 1));
        format!("fragment F{number} on Query{{{inside}}}")
    });
    let parts: Vec<String> = parts.collect();
    format!(
        "{{...F0}} {} fragment F{count} on Query{{a}}",
        parts.join(" ")
    )
}

#[test]
fn what_is_too_deep_is_an_error() {
    let many = 100_000;
    for query in [
        format!("{{a(x:{}", "[".repeat(many)),
        format!("{{a(x:{}", "{a:".repeat(many)),
        "{a".repeat(many),
        "{...".repeat(many),
        format!("query($a:{}", "[".repeat(many)),
        chain("#", 1_000),
    ] {
        let said = is_valid(&query);
        assert!(said.is_err_and(|why| why.contains("inside each other")));
    }
    for schema in ["type A{a:", "type A{a(x:Int="] {
        let schema = format!("{schema}{}", "[".repeat(many));
        assert!(call("graphql.parse_schema", &[json!(schema)]).is_err());
    }
    let mut value = json!({"Kind": 8});
    for _ in 0..200 {
        value = json!({"Kind": 8, "Children": [{"Value": value}]});
    }
    let selection = json!({"Name": "a", "Arguments": [{"Name": "x", "Value": value}]});
    let query = json!({"Operations": [{"SelectionSet": [selection]}]});
    let said = call("graphql.is_valid", &[query, json!(SCHEMA)]);
    assert!(said.is_err_and(|why| why.contains("inside each other")));
}

#[test]
fn what_is_too_long_or_compared_too_often_is_an_error() {
    let names: Vec<String> = (0..800).map(|number| format!("F{number}")).collect();
    let spreads = format!("{{...{}}}", names.join(" ..."));
    let fragments = names
        .iter()
        .map(|name| format!("fragment {name} on Query{{a q{{a}}}}"));
    let fragments: Vec<String> = fragments.collect();
    let interfaces = "&I".repeat(8_000);
    let fields: Vec<String> = (0..8_000).map(|number| format!("f{number}:Int")).collect();
    let fields = fields.join(" ");
    for query in [
        format!("{{{}}}", "a ".repeat(500_000)),
        "\n#".repeat(500_000),
        format!("{{{}}}", "a ".repeat(9_000)),
        format!("{spreads}{}", fragments.join(" ")),
        " ".repeat(5_000_000),
    ] {
        assert!(is_valid(&query).is_err_and(|why| why.ends_with("a bound of Edgeward's")));
    }
    let schema = format!("interface I{{{fields}}} type A implements I{interfaces}{{{fields}}}");
    assert!(call("graphql.schema_is_valid", &[json!(schema)]).is_err());
}

#[test]
fn fragments_that_multiply_are_judged_all_the_same() {
    for (each, valid) in [
        ("# #", true),
        ("q{#} b:q{#}", true),
        ("q{#} q{#}", true),
        ("q{#} q{a:q{a}}", false),
    ] {
        assert_eq!(is_valid(&chain(each, 50)), Ok(json!(valid)), "{each}");
    }
}

proptest! {
    #[test]
    fn no_document_makes_it_fall(
        words in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "(", ")", "[", "]", ":", "!", "=", "@", "$", "&", "|", "...", "query", "fragment",
            "on", "type", "extend", "input", "enum", "union", "schema", "directive", "a", "Query", "1",
            "1.5", "\"s\"", "\"\"\"b\"\"\"", "#c\n", "é", "\\",
        ]), 0..40),
    ) {
        let text = words.concat();
        let _ = call("graphql.parse_query", &[json!(text)]);
        let _ = call("graphql.schema_is_valid", &[json!(text)]);
    }

    #[test]
    fn a_query_read_is_the_query_written(name in "[a-zA-Z_]{1,9}", text in "[^\"\\\\\\x00-\\x1f]{0,20}") {
        let query = format!("{{{name}(x: \"{text}\")}}");
        let read = call("graphql.parse_query", &[json!(query)]).unwrap();
        let field = &read["Operations"][0]["SelectionSet"][0];
        prop_assert_eq!(&field["Name"], &json!(name));
        prop_assert_eq!(&field["Arguments"][0]["Value"]["Raw"], &json!(text));
    }
}
