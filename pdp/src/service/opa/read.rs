//! How a document is read: as it is remembered, or made now; and the record that is left of it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edgeward_core::decision::DecisionId;
use edgeward_core::revocation::Kind;
use regorus::Value;
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::errors::Trouble;
use super::remembered::Document;
use super::wanted::Wanted;
use crate::policy::{BuiltinErrors, Failure, NoDocument, Reference, Withheld, from_json};
use crate::service::worker::WorkerState;
use crate::service::{clock, identifiers};

/// Characters of a document's path that a log record shows.
const MAX_SHOWN: usize = 256;

/// A document that was read, and how.
pub(super) struct Read {
    pub(super) id: DecisionId,
    pub(super) document: Found,
    pub(super) revision: Arc<str>,
    pub(super) took: Duration,
    /// What was noted on the way, where that is wanted.
    pub(super) notes: Option<Vec<String>>,
}

/// A document, made now or before.
pub(super) enum Found {
    Made(Option<Value>),
    Remembered(Rc<Document>),
}

/// A document as it is written.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Shown<'a> {
    Made(&'a Value),
    Remembered(&'a RawValue),
}

impl Found {
    /// None where it is undefined.
    pub(super) fn shown(&self) -> Option<Shown<'_>> {
        match self {
            Self::Made(value) => value.as_ref().map(Shown::Made),
            Self::Remembered(document) => document.json.as_deref().map(Shown::Remembered),
        }
    }

    fn is_false(&self) -> bool {
        match self {
            Self::Made(value) => *value == Some(Value::Bool(false)),
            Self::Remembered(document) => document.is_false,
        }
    }
}

/// Refuses where the policies in force are revoked, or where there are none: by these nothing is decided.
pub(super) fn check_in_force(worker: &WorkerState) -> Result<(), Trouble> {
    let revocations = worker.state().revocations.snapshot();
    worker.decider().with_set(|set, revision| {
        if revocations.revocations.has_policy(revision) {
            return Err(Trouble::Revoked);
        }
        // Not a document of ours, which a caller might take for one of the policies' own.
        set.why_withheld()
            .map_or(Ok(()), |why| Err(Trouble::Withheld(why)))
    })
}

/// The document `at`, evaluated now, where policies are in force.
pub(super) fn document(
    worker: &WorkerState,
    at: &Reference,
    input: &Value,
    errors: BuiltinErrors,
) -> Result<Option<Value>, Trouble> {
    check_in_force(worker)?;
    make(worker, at, input, errors)
}

fn make(
    worker: &WorkerState,
    at: &Reference,
    input: &Value,
    errors: BuiltinErrors,
) -> Result<Option<Value>, Trouble> {
    worker
        .decider()
        .ask(|engine| engine.document(at, input, errors, clock::now()))
        .map_err(Trouble::Evaluation)
}

/// The document `at` for `input`, where there is one: as it was made before, where nothing that it rests on
/// is otherwise.
fn find(
    worker: &WorkerState,
    at: &Reference,
    input: Option<Json>,
    wanted: &Wanted,
) -> Result<Found, Trouble> {
    check_in_force(worker)?;
    let (memory, errors) = (worker.documents(), wanted.builtin_errors());
    // What is remembered is written as it is, which is not how people want to read it.
    let key = input.as_ref().filter(|_| !wanted.pretty).and_then(|input| {
        let decider = worker.decider();
        decider.with_set(|set, revision| memory.key((set, revision), at, input, errors))
    });
    if let Some(found) = key.as_ref().and_then(|key| memory.look_up(key)) {
        worker.state().metrics.documents.was_remembered();
        return Ok(Found::Remembered(found));
    }
    let input = input.map_or(Value::Undefined, from_json);
    let value = make(worker, at, &input, errors)?;
    if let Some(key) = key
        && !memory.remember(key, value.as_ref())
    {
        worker.state().metrics.cache.footprint_missed();
        tracing::error!(
            "a document differs from the one that was remembered for the same input: please report this"
        );
    }
    Ok(Found::Made(value))
}

/// Why there is no document to decide by. Each denies under its own code.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum NoEntry {
    /// The policies say nothing that is a decision.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// There are no policies.
    #[error("no policies are in force")]
    Withheld(Withheld),
    /// Those in force are revoked.
    #[error("the policies in force are revoked")]
    Revoked,
}

impl NoEntry {
    /// The reason code of the deny.
    pub(in crate::service) fn code(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.code(),
            Self::Withheld(why) => why.code(),
            Self::Revoked => Kind::Policy.code(),
        }
    }
}

impl From<Trouble> for NoEntry {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Evaluation(NoDocument::Timeout) => Failure::Timeout.into(),
            Trouble::Evaluation(cause) => Failure::Error(cause.to_string()).into(),
            Trouble::Withheld(why) => Self::Withheld(why),
            Trouble::Revoked => Self::Revoked,
            other => Failure::Error(format!("{other:?}")).into(),
        }
    }
}

impl From<serde_json::Error> for NoEntry {
    fn from(error: serde_json::Error) -> Self {
        Failure::Error(error.to_string()).into()
    }
}

/// The entry point's document for a whole `input`, as OPA would read it: none where it is undefined.
pub(in crate::service) fn entry_point(
    worker: &WorkerState,
    input: Json,
) -> Result<Option<Json>, NoEntry> {
    let at = worker.decider().with_set(|set, _| set.entry_point());
    let found = find(worker, &at, Some(input), &Wanted::default())?;
    Ok(found.shown().map(serde_json::to_value).transpose()?)
}

/// The document `at` for `input`, where what a built-in function refuses is an error, as at our own doors.
pub(in crate::service) fn document_of(
    worker: &WorkerState,
    at: &Reference,
    input: Json,
) -> Result<Option<Json>, NoEntry> {
    let value = document(worker, at, &from_json(input), BuiltinErrors::Fail)?;
    Ok(value.map(serde_json::to_value).transpose()?)
}

/// The document `at` for `input`, made now, with what was noted on the way.
fn explain(
    worker: &WorkerState,
    at: &Reference,
    input: Option<Json>,
    wanted: &Wanted,
) -> (Result<Found, Trouble>, Option<Vec<String>>) {
    if let Err(trouble) = check_in_force(worker) {
        return (Err(trouble), None);
    }
    let input = input.map_or(Value::Undefined, from_json);
    let errors = wanted.builtin_errors();
    let (value, notes) = worker
        .decider()
        .ask(|engine| engine.explained_document(at, &input, errors, clock::now()));
    let found = value.map(Found::Made).map_err(Trouble::Evaluation);
    (found, Some(notes))
}

/// Reads, and leaves one record of it.
pub(super) fn read(
    worker: &WorkerState,
    at: &Reference,
    input: Option<Json>,
    wanted: &Wanted,
) -> Result<Read, Trouble> {
    let id = identifiers::decision_id(identifiers::number()?)?;
    let revision = worker.decider().revision();
    let started = Instant::now();
    let (outcome, notes) = match wanted.explain {
        Some(_) => explain(worker, at, input, wanted),
        None => (find(worker, at, input, wanted), None),
    };
    let took = started.elapsed();
    let is_defined = outcome.as_ref().map(|found| found.shown().is_some());
    worker.state().metrics.documents.read(is_defined, took);
    record(&id, at, &outcome, &revision, took);
    Ok(Read {
        id,
        document: outcome?,
        revision,
        took,
        notes,
    })
}

/// What is neither denied nor undefined is told at debug, like an allow.
fn record(
    id: &DecisionId,
    at: &Reference,
    outcome: &Result<Found, Trouble>,
    revision: &str,
    took: Duration,
) {
    let is_told = match outcome {
        Ok(found) => found.is_false() || found.shown().is_none(),
        Err(_) => true,
    };
    if !is_told && !tracing::enabled!(target: "edgeward::decision", tracing::Level::DEBUG) {
        return;
    }
    // The caller chose it, and how long it is.
    let document: String = at.to_string().chars().take(MAX_SHOWN).collect();
    let micros = took.as_micros();
    match outcome {
        Ok(found) if found.shown().is_none() => {
            tracing::info!(target: "edgeward::decision", %id, document, defined = false, revision, micros, "document read");
        }
        Ok(found) if found.is_false() => {
            tracing::info!(target: "edgeward::decision", %id, document, decision = false, revision, micros, "document read");
        }
        Ok(_) => {
            tracing::debug!(target: "edgeward::decision", %id, document, revision, micros, "document read");
        }
        Err(trouble) => {
            tracing::warn!(target: "edgeward::decision", %id, document, ?trouble, revision, micros, "document not read");
        }
    }
}
