//! One policy set in our engine, in the three ways a question can go: as the doors do (bytecode where that
//! may be, and a built-in that fails denies), and in bytecode and in the interpreter as OPA does it unless
//! asked otherwise (a built-in that fails is undefined).

use std::time::Duration;

use edgeward::policy::{
    BuiltinErrors, EngineChoice, Failure, LoadError, PolicySet, PolicySettings, Sources, Worker,
    from_json,
};
use edgeward_core::time::UnixSeconds;
use edgeward_tests::same::{same, sorted};
use serde_json::{Value, json};

use crate::opa::Said;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// One policy set, three times.
pub(crate) struct Ours {
    /// What answers in the first: `bytecode` or `interpreter`.
    pub engine: &'static str,
    ways: Vec<(&'static str, BuiltinErrors, Worker)>,
}

impl Ours {
    pub(crate) fn load(
        modules: &[(String, String)],
        data: &Value,
        entry_point: &str,
    ) -> Result<Self, LoadError> {
        let mut ways = Vec::new();
        let mut first = None;
        for (name, engine, errors) in [
            ("as the doors", EngineChoice::Auto, BuiltinErrors::Fail),
            ("bytecode", EngineChoice::Auto, BuiltinErrors::Undefined),
            (
                "interpreter",
                EngineChoice::Interpreter,
                BuiltinErrors::Undefined,
            ),
        ] {
            let files = modules
                .iter()
                .map(|(file, text)| (file.clone(), text.clone().into_bytes()));
            let data = ("data.json".to_owned(), data.to_string().into_bytes());
            let sources = Sources::from_files(files.chain([data]).collect()).expect("sources");
            let settings = PolicySettings {
                entry_point: entry_point.to_owned(),
                evaluation_timeout: Duration::from_secs(20),
                engine,
                builtin_errors: errors,
                ..PolicySettings::default()
            };
            let set = PolicySet::build(sources, &settings)?;
            first.get_or_insert(set.engine());
            ways.push((name, errors, set.worker()?));
        }
        let engine = first.unwrap_or("none");
        Ok(Self { engine, ways })
    }

    /// How our answers to `input` differ from `opa`'s, if one does.
    pub(crate) fn difference(&mut self, input: &Value, opa: &Said) -> Option<String> {
        let mut failed = None;
        self.ways.iter_mut().find_map(|(name, errors, worker)| {
            let said = worker.value(from_json(input.clone()), NOW);
            let said = said.map(|value| value.map(|value| json!(value)));
            let differs = !agrees(&said, opa, *errors, failed.as_deref());
            if let Err(Failure::Error(why)) = &said {
                failed.get_or_insert_with(|| why.clone());
            }
            differs.then(|| format!("{name}: {said:?}, OPA: {opa:?}"))
        })
    }
}

/// Where the engine fails and OPA goes on as if there was nothing, whatever is said of built-ins: a loop
/// over what is no collection, arithmetic with what is no number, and a function with two values that is
/// called by a rule which OPA's index leaves out, as something that its body reads of `input` is not there.
const FAILS: [&str; 4] = [
    "expects array/set/object",
    "item cannot be indexed",
    "expects numeric argument",
    "functions must not produce multiple outputs",
];

/// Whether `ours` is what `opa` says. Where a built-in failed the doors deny, and say that it `failed`: that
/// the engine, made to go on, comes to an error of another kind is no difference.
fn agrees(
    ours: &Result<Option<Value>, Failure>,
    opa: &Said,
    errors: BuiltinErrors,
    failed: Option<&str>,
) -> bool {
    match (ours, opa) {
        (Ok(Some(ours)), Said::Value(opa)) => same(ours, opa) || same(&sorted(ours), &sorted(opa)),
        (Ok(None), Said::Undefined) | (Err(_), Said::Error(_)) => true,
        // OPA fails with the first built-in that does. Ours may have come to the end before it.
        (Ok(_), Said::Error(why)) => is_of_builtin(why),
        (Err(Failure::Error(why)), _) => {
            errors == BuiltinErrors::Fail
                || failed.is_some_and(|failed| failed != why)
                || FAILS.iter().any(|known| why.contains(known))
        }
        _ => false,
    }
}

/// Or with a mistake of its own: a variable that it has not bound yet.
fn is_of_builtin(error: &str) -> bool {
    [
        "eval_builtin_error",
        "eval_type_error",
        "eval_internal_error",
    ]
    .iter()
    .any(|code| error.contains(code))
}
