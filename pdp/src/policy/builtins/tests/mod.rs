//! Built-ins as OPA has them: its published suite, and answers that OPA 1.20 gave to what is not in it.

mod attacks;
mod certificates;
mod conformance;
mod graphql;
mod recorded;
mod registered;

use serde_json::{Map, Value as Json, json};

use super::Instant;
use crate::policy::builtin_errors::BuiltinErrors;
use crate::policy::sources::Module;
use crate::policy::{on_deep_stack, parse, value};

/// The instant of tests: a second of the year 2027, in nanoseconds.
const NOW: u64 = 1_800_000_000_000_000_000;

/// What `query` binds, with these policies: one object for each way it holds.
fn ask(modules: &[String], data: Json, input: Json, query: &str) -> Result<Vec<Json>, String> {
    let modules: Vec<Module> = (modules.iter().enumerate())
        .map(|(number, text)| Module {
            file: format!("{number}.rego"),
            text: text.clone(),
            roots: None,
        })
        .collect();
    let query = query.to_owned();
    let answer = on_deep_stack(move || {
        let engine = parse::engine(modules.iter(), value::from_json(data), BuiltinErrors::Fail);
        let mut engine = engine.map_err(|error| error.to_string())?;
        let clock = Instant::Set(std::sync::Arc::new(NOW.into()));
        super::install_clock(&mut engine, clock, BuiltinErrors::Fail)
            .map_err(|error| error.to_string())?;
        engine.set_input(value::from_json(input));
        let results = engine.eval_query(query, false);
        let results = results.map_err(|error| error.to_string())?;
        let bindings = results.result.into_iter().map(|one| json!(one.bindings));
        Ok(bindings.collect())
    });
    answer.map_err(|error| error.to_string())?
}

/// The value of an expression, or why there is none.
fn value_of(expression: &str) -> Result<Json, String> {
    let module = format!("package p\n\nimport rego.v1\n\nanswer := {expression}\n");
    let found = ask(&[module], json!({}), Json::Null, "data.p.answer = x")?;
    let bound = found.first().and_then(Json::as_object);
    bound
        .and_then(|bindings: &Map<String, Json>| bindings.get("x").cloned())
        .ok_or_else(|| "undefined".to_owned())
}
