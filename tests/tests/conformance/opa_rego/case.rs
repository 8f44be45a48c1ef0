//! One case of the suite: its policies loaded as the doors load them, its question asked, and how
//! that ended.
//!
//! A query that names a rule is asked of that rule. Any other is written into a rule of its own,
//! `data.edgeward_conformance.answers`, which collects what the query binds.

use std::time::Duration;

use edgeward::policy::{
    BuiltinErrors, EngineChoice, LoadError, PolicySet, PolicySettings, Sources, from_json,
};
use edgeward_core::time::UnixSeconds;
use edgeward_tests::same::{same, sorted};
use serde_json::{Value, json};

const WRAPPER: &str = "data.edgeward_conformance.answers";

/// How a case ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// With the value, or the error, that the suite wants.
    Right {
        /// What answered: `bytecode` or `interpreter`.
        engine: &'static str,
    },
    /// Not loaded. The text says why, without its place.
    Refused(String),
    /// With anything else.
    Wrong(String),
}

/// Runs one case. The thread needs [`edgeward::policy::STACK_BYTES`] of stack.
pub(crate) fn run(case: &Value) -> Ending {
    let query = case["query"].as_str().unwrap_or_default();
    if let Some((rule, _)) = rule_of(query) {
        match load(case, None, rule) {
            // A document without a rule, or a member of one, is no entry point.
            Err(Stop::Load(LoadError::Refused(refusal))) if no_entry(&refusal.to_string()) => {}
            loaded => return ask(case, loaded, Direct),
        }
    }
    let module = wrapper(query, &variables(case, query));
    ask(case, load(case, Some(module), WRAPPER), Wrapped)
}

/// Whether the answer is the rule's value, or a set of what the query binds.
use Shape::{Direct, Wrapped};
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Direct,
    Wrapped,
}

enum Stop {
    Load(LoadError),
    Other(String),
}

fn no_entry(refusal: &str) -> bool {
    refusal.contains("declares the entry point") || refusal.contains("the entry point `")
}

/// The rule that a query of the form `data.path = x` asks for, and the variable.
fn rule_of(query: &str) -> Option<(&str, &str)> {
    let (rule, variable) = query.trim().split_once(" = ")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let whole = rule.starts_with("data.") && rule.chars().all(plain);
    let variable_is_plain = variable
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_');
    (whole && variable_is_plain).then_some((rule, variable))
}

/// What the query binds: as the wanted result says, or the variable after the last `=`.
fn variables(case: &Value, query: &str) -> Vec<String> {
    let wanted = case["want_result"][0].as_object();
    let named = wanted.map(|bindings| bindings.keys().cloned().collect());
    let last = || {
        query
            .rsplit(" = ")
            .next()
            .map(|v| vec![v.trim().to_owned()])
    };
    named.or_else(last).unwrap_or_default()
}

fn wrapper(query: &str, variables: &[String]) -> String {
    let bindings: Vec<String> = variables.iter().map(|v| format!("{v:?}: {v}")).collect();
    let query = query.trim().replace('\n', " ");
    format!(
        "package edgeward_conformance\n\nanswers contains {{{}}} if {{\n\t{query}\n}}\n",
        bindings.join(", ")
    )
}

fn load(case: &Value, wrapper: Option<String>, entry_point: &str) -> Result<PolicySet, Stop> {
    let modules = case["modules"].as_array().into_iter().flatten();
    let texts = modules.filter_map(Value::as_str).map(str::to_owned);
    let mut files: Vec<(String, Vec<u8>)> = texts
        .chain(wrapper)
        .enumerate()
        .map(|(number, text)| (format!("module{number}.rego"), text.into_bytes()))
        .collect();
    if let Some(data) = case.get("data").filter(|data| !data.is_null()) {
        files.push(("data.json".to_owned(), data.to_string().into_bytes()));
    }
    let sources = Sources::from_files(files).map_err(|error| Stop::Other(error.to_string()))?;
    let strict = case["strict_error"] == true;
    let settings = PolicySettings {
        builtin_errors: if strict {
            BuiltinErrors::Fail
        } else {
            BuiltinErrors::Undefined
        },
        entry_point: entry_point.to_owned(),
        evaluation_timeout: Duration::from_secs(20),
        clock_quantum: None,
        engine: EngineChoice::Auto,
        ..PolicySettings::default()
    };
    PolicySet::build(sources, &settings).map_err(Stop::Load)
}

fn ask(case: &Value, set: Result<PolicySet, Stop>, shape: Shape) -> Ending {
    let set = match set {
        Ok(set) => set,
        Err(Stop::Load(error)) => return Ending::Refused(cause(&error.to_string())),
        Err(Stop::Other(error)) => return Ending::Wrong(format!("not read: {error}")),
    };
    let input = match case["input_term"].as_str() {
        Some(term) => match value_of_term(term) {
            Ok(value) => value,
            Err(ending) => return ending,
        },
        None => case
            .get("input")
            .cloned()
            .map_or(edgeward::policy::Value::Undefined, from_json),
    };
    let mut worker = match set.worker() {
        Ok(worker) => worker,
        Err(error) => return Ending::Wrong(format!("loaded, but no worker: {error}")),
    };
    let said = worker.value(input, UnixSeconds(1_800_000_000));
    let said = said.map(|value| value.map(|value| json!(value)));
    // Some cases have a result beside the error: what there is where built-ins may fail.
    let error = case.get("want_error_code").or(case.get("want_error"));
    let fails = case["strict_error"] == true || case.get("want_result").is_none();
    match (said, error.filter(|_| fails)) {
        (Err(_), Some(_)) => Ending::Right {
            engine: set.engine(),
        },
        (Err(failure), None) => Ending::Wrong(format!("{failure}, not {}", case["want_result"])),
        (Ok(said), Some(error)) => Ending::Wrong(format!("{said:?}, not the error {error}")),
        (Ok(said), None) => {
            let said = bindings(said, shape, case);
            let wanted = case["want_result"].as_array().cloned().unwrap_or_default();
            if as_wanted(&said, &wanted, case["sort_bindings"] == true) {
                Ending::Right {
                    engine: set.engine(),
                }
            } else {
                Ending::Wrong(format!("{}, not {}", json!(said), json!(wanted)))
            }
        }
    }
}

/// The answer in the suite's form: one object of variables for each way the query holds.
fn bindings(said: Option<Value>, shape: Shape, case: &Value) -> Vec<Value> {
    match (said, shape) {
        (None, _) => Vec::new(),
        (Some(Value::Array(answers)), Wrapped) => answers,
        (Some(other), Wrapped) => vec![other],
        // `data.path = x` does not hold of nothing; of `false` it does.
        (Some(value), Direct) => {
            let query = case["query"].as_str().unwrap_or_default();
            let variable = rule_of(query).map_or("x", |(_, variable)| variable);
            vec![json!({ variable: value })]
        }
    }
}

fn as_wanted(said: &[Value], wanted: &[Value], any_order: bool) -> bool {
    let (mut said, mut wanted) = (said.to_vec(), wanted.to_vec());
    if any_order {
        said = said.iter().map(sorted).collect();
        wanted = wanted.iter().map(sorted).collect();
    }
    let key = |value: &Value| value.to_string();
    said.sort_by_key(key);
    wanted.sort_by_key(key);
    said.len() == wanted.len()
        && said
            .iter()
            .zip(&wanted)
            .all(|(said, wanted)| same(said, wanted))
}

/// The value of a term in Rego.
fn value_of_term(term: &str) -> Result<edgeward::policy::Value, Ending> {
    let case = json!({"modules": [format!("package edgeward_input\n\nterm := {term}\n")]});
    let set = load(&case, None, "data.edgeward_input.term");
    let value = set.map_err(|_| "not loaded".to_owned()).and_then(|set| {
        let mut worker = set.worker().map_err(|error| error.to_string())?;
        let nothing = from_json(json!({}));
        let value = worker.value(nothing, UnixSeconds(0));
        value
            .map_err(|failure| failure.to_string())?
            .ok_or_else(|| "undefined".to_owned())
    });
    value.map_err(|why| Ending::Wrong(format!("the input `{term}`: {why}")))
}

/// Why, without `file:line: `, what to do instead, and what of this case alone is in it.
fn cause(refusal: &str) -> String {
    let refusal = refusal.lines().next().unwrap_or_default();
    let after_file = refusal
        .split_once(".rego:")
        .map_or(refusal, |(_, rest)| rest);
    let rest = after_file
        .split_once(": ")
        .map_or(after_file, |(_, rest)| rest);
    if let Some((name, why)) = rest
        .strip_prefix("calls `")
        .and_then(|r| r.split_once("`, which is "))
    {
        let why = why.split_once(": ").map_or(why, |(why, _)| why);
        let why = if why.starts_with("not among") {
            "is not there"
        } else {
            why
        };
        return format!("`{name}` {why}");
    }
    // Told of one rule; which is the case's own.
    match rest.split_once("depends on itself") {
        Some(_) => "a rule seems to depend on itself".to_owned(),
        None => rest
            .split_once(": ")
            .map_or(rest, |(why, _)| why)
            .to_owned(),
    }
}
