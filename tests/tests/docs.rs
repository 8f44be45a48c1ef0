//! The documents are true: what they name exists, what they show works, what must be in them is.
//!
//! Names in backticks are checked, and whatever stands behind `./just`. Prose is not, nor what the
//! program prints.
//!
//! length: one test for each kind of thing that documents name, all by the same few readers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use edgeward_tests::built::workspace;
use serde_json::Value;

/// Every document that is kept true.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/attest.md",
    "docs/bundles.md",
    "docs/caching-policies.md",
    "docs/client-workloads.md",
    "docs/compatibility.md",
    "docs/configuration.md",
    "docs/ext-authz.md",
    "docs/policies-in-bytecode.md",
    "docs/reason-codes.md",
    "envoy/README.md",
    "policies/README.md",
];
const CLIENT_WORKLOADS: &str = "docs/client-workloads.md";
const CONFIGURATION: &str = "docs/configuration.md";
const REASON_CODES: &str = "docs/reason-codes.md";

fn read(path: impl AsRef<Path>) -> String {
    let path = workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// What stands between backticks, outside of fenced blocks.
fn spans(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    let inside = |(index, span): (usize, &str)| (index % 2 == 1).then(|| span.to_owned());
    prose.split('`').enumerate().filter_map(inside).collect()
}

/// The contents of every fenced block of this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let after = text.split(opening.as_str()).skip(1);
    after
        .filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect()
}

/// Folders and files at the top of the repository; not what a build or a recipe makes there.
fn top_level() -> BTreeSet<String> {
    let entries = fs::read_dir(workspace()).expect("the workspace can be read");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names
        .filter(|name| !["target", ".tools", ".git"].contains(&name.as_str()))
        .collect()
}

fn looks_like_a_path(span: &str, top: &BTreeSet<String>) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./_-".contains(&byte);
    if !span.bytes().all(plain) || span.starts_with('/') {
        return false;
    }
    let file = [".rs", ".md", ".toml", ".yaml", ".rego"]
        .iter()
        .any(|extension| span.ends_with(extension));
    match span.split_once('/') {
        Some((first, _)) => top.contains(first) || (file && !["target", ".tools"].contains(&first)),
        None => span.ends_with(".md") || top.contains(span),
    }
}

#[test]
fn every_path_named_in_a_document_exists() {
    let (root, top) = (workspace(), top_level());
    let (mut seen, mut missing) = (0, Vec::new());
    for document in DOCUMENTS {
        // A document in a folder may speak of its neighbours.
        let folder = Path::new(document).parent().unwrap_or(Path::new(""));
        for span in spans(&read(document)) {
            let path = span.split("::").next().unwrap_or_default();
            if !looks_like_a_path(path, &top) {
                continue;
            }
            seen += 1;
            if !root.join(path).exists() && !root.join(folder).join(path).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(seen > 100, "only {seen} paths were recognised");
}

#[test]
fn every_function_named_in_a_document_is_in_its_file() {
    let (mut seen, mut missing) = (0, Vec::new());
    for document in DOCUMENTS {
        for span in spans(&read(document)) {
            let Some((path, function)) = span.split_once(".rs::") else {
                continue;
            };
            seen += 1;
            let source = read(format!("{path}.rs"));
            if !source.contains(&format!("fn {function}(")) {
                missing.push(format!("{document}: {span}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(seen > 40, "only {seen} functions were recognised");
}

#[test]
fn every_recipe_named_in_a_document_is_in_the_justfile() {
    let justfile = read("justfile");
    let recipes: BTreeSet<&str> = justfile
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter(|line| line.contains(':') && !line.contains(":="))
        .filter_map(|line| line.split([' ', ':']).next())
        .collect();
    let mut named = BTreeSet::new();
    for document in DOCUMENTS {
        for rest in read(document).split("./just ").skip(1) {
            let in_name = |byte: char| byte.is_ascii_lowercase() || byte == '-';
            let end = rest.find(|byte| !in_name(byte)).unwrap_or(rest.len());
            if end > 0 {
                named.insert(rest[..end].to_owned());
            }
        }
    }
    assert!(named.contains("demo"), "{named:?}");
    for name in named {
        assert!(recipes.contains(name.as_str()), "no recipe `{name}`");
    }
}

/// Every Rust source of what ships, tests apart.
fn shipped_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for room in ["core/src", "filter/src", "pdp/src"] {
        sources(&workspace().join(room), &mut found);
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().map(|name| name.to_string_lossy());
        let name = name.unwrap_or_default();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The string literals that have the form of a code.
fn literal_codes(text: &str) -> impl Iterator<Item = String> {
    let literals = text.split('"').skip(1).step_by(2);
    literals.filter(|text| is_code(text)).map(str::to_owned)
}

fn is_code(text: &str) -> bool {
    text.contains('-')
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// The codes that functions called `code` return.
fn codes_of(source: &str) -> Vec<String> {
    let mut codes = Vec::new();
    let lines: Vec<&str> = source.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        if !line.contains("fn code(") {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        for line in lines[number..].iter().take_while(|line| **line != closing) {
            codes.extend(literal_codes(line));
        }
    }
    codes
}

#[test]
fn every_reason_code_is_documented() {
    let documented = read(REASON_CODES);
    let files = shipped_sources();
    let mut codes: Vec<String> = files
        .iter()
        .flat_map(|file| codes_of(&read(file)))
        .collect();
    // The machine names its own where it refuses.
    let machine = read("filter/src/exchange.rs");
    codes.extend(literal_codes(&machine));
    assert!(codes.len() > 50, "only {} codes were found", codes.len());
    for code in codes {
        assert!(
            documented.contains(&format!("| `{code}` |")),
            "{REASON_CODES}: `{code}` is missing"
        );
    }
}

#[test]
fn every_finding_about_a_client_workload_is_documented() {
    let documented = read(CLIENT_WORKLOADS);
    let source = read("pdp/src/workloads/grade/mod.rs");
    let codes: BTreeSet<String> = literal_codes(&source).collect();
    assert!(codes.len() > 5, "only {codes:?} were found");
    for code in codes {
        let row = format!("| `{code}` |");
        assert!(documented.contains(&row), "{CLIENT_WORKLOADS}: {row}");
    }
}

#[test]
fn every_documented_reason_code_is_in_the_source() {
    let mut text: String = shipped_sources().iter().map(read).collect();
    text.push_str(&read("policies/edgeward/authz/authz.rego"));
    for line in read(REASON_CODES).lines() {
        let Some(code) = line
            .strip_prefix("| `")
            .and_then(|rest| rest.split('`').next())
        else {
            continue;
        };
        assert!(
            text.contains(&format!("\"{code}\"")),
            "nothing says `{code}`"
        );
    }
}

#[test]
fn every_configuration_shown_is_accepted() {
    let others = [
        "docs/bundles.md",
        CLIENT_WORKLOADS,
        "docs/ext-authz.md",
        "envoy/README.md",
    ];
    let text = read(CONFIGURATION) + &others.map(read).concat();
    let (pdp, filter) = (blocks(&text, "yaml"), blocks(&text, "json"));
    assert!(pdp.len() > 2 && filter.len() > 2);
    for yaml in pdp {
        if let Err(problems) = edgeward::config::Config::parse(&yaml, Path::new("/etc/edgeward")) {
            panic!("{problems:#?}\n{yaml}");
        }
    }
    for json in filter {
        if let Err(error) = edgeward_filter::config::Config::parse(json.as_bytes()) {
            panic!("{error}\n{json}");
        }
    }
}

/// The names of all properties in a JSON Schema.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| properties(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| properties(value, names)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_pdp_s_configuration_is_documented() {
    let schema: Value =
        serde_json::from_str(&read("pdp/config.schema.json")).expect("the schema is JSON");
    let mut names = BTreeSet::new();
    properties(&schema, &mut names);
    let documented: BTreeSet<String> = spans(&read(CONFIGURATION))
        .iter()
        .flat_map(|span| span.split(|byte: char| !byte.is_ascii_alphanumeric() && byte != '_'))
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = names.difference(&documented).collect();
    assert!(missing.is_empty(), "{CONFIGURATION} lacks {missing:?}");
}

#[test]
fn the_question_in_the_readme_is_the_one_the_program_suggests() {
    // That the answer to it is an allow is a test of the program's own (`pdp/tests/cli/serve.rs`).
    let source = read("pdp/src/cli/welcome.rs");
    let rest = source.split("r#\"").nth(1);
    let question = rest.and_then(|rest| rest.split("\"#").next());
    let question = question.expect("it has the question as a raw string");
    assert!(read("README.md").contains(question), "{question}");
}
