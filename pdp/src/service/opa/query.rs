//! `/v1/query`: a query that the caller wrote, in the body or as the parameter `q`.
//!
//! Nothing of it is remembered. Each is asked in the [`QueryRoom`], never on a thread that answers calls.

use std::rc::Rc;
use std::time::Instant;

use http::{Method, StatusCode};
use regorus::Value;
use serde::Serialize;
use serde_json::Value as Json;

use super::admission::OpaApi;
use super::errors::Trouble;
use super::explanation::Explanation;
use super::query_room::Asked;
use super::wanted::Wanted;
use super::{Call, read, written};
use crate::policy::{Answered, from_json};
use crate::service::reply::Reply;
use crate::service::worker::WorkerState;
use crate::service::{clock, identifiers};

/// The answer, its members as OPA orders them.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Timers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "OPA's names")]
struct Timers {
    timer_rego_query_compile_ns: u128,
    timer_rego_query_eval_ns: u128,
    timer_server_handler_ns: u128,
}

/// The query and the input of a call.
struct Question {
    text: String,
    input: Value,
}

/// Answers a call, which was let in.
pub(super) async fn answer(
    worker: &Rc<WorkerState>,
    api: &OpaApi,
    call: Call,
) -> Result<Reply, Trouble> {
    let arrived = Instant::now();
    if !matches!(call.method, Method::GET | Method::POST) {
        return Err(Trouble::Method("GET, POST"));
    }
    if !api.queries {
        return Err(Trouble::NoQueries);
    }
    let wanted = Wanted::of(&call.uri)?;
    wanted.check_explanation()?;
    let question = if call.method == Method::GET {
        of_parameters(&wanted)?
    } else {
        of_body(call.body)?
    };
    read::check_in_force(worker)?;
    let outcome = ask(worker, question).await;
    worker.state().metrics.documents.queried(outcome.as_ref());
    // It may have waited for another.
    read::check_in_force(worker)?;
    tell(&outcome?, &wanted, arrived)
}

fn of_parameters(wanted: &Wanted) -> Result<Question, Trouble> {
    let text = wanted.query.clone();
    let text = text.ok_or_else(|| Trouble::Parameter("missing parameter 'q'".to_owned()))?;
    // As in OPA: who has an input sends a body.
    let input = Value::Undefined;
    Ok(Question { text, input })
}

fn of_body(body: Option<Json>) -> Result<Question, Trouble> {
    let malformed = |why: &str| Trouble::Parameter(format!("{MALFORMED}: {why}"));
    let mut members = match body {
        Some(Json::Object(members)) => members,
        Some(_) => return Err(malformed("must be an object, with the query as `query`")),
        None => return Err(malformed("is empty: send `{\"query\": …}`")),
    };
    let text = match members.remove("query") {
        Some(Json::String(text)) => text,
        Some(_) => return Err(malformed("`query` must be text")),
        None => String::new(),
    };
    // As in OPA, an input that is null is none.
    let input = members.remove("input").filter(|input| !input.is_null());
    let input = input.map_or(Value::Undefined, from_json);
    Ok(Question { text, input })
}

/// How OPA says that a body is no question.
pub(super) const MALFORMED: &str = "error(s) occurred while decoding request";

/// Asks, and leaves one record of it.
async fn ask(worker: &Rc<WorkerState>, question: Question) -> Result<Answered, Trouble> {
    let id = identifiers::decision_id(identifiers::number()?)?;
    let policies = worker.state().policies.clone();
    let revision = policies.borrow().set.revision().to_owned();
    let bytes = question.text.len();
    let asked = Asked {
        text: question.text,
        input: question.input,
        now: clock::now(),
    };
    let patience = worker.limits().request_timeout;
    let started = Instant::now();
    let outcome = worker.queries().ask(policies, asked, patience).await;
    let micros = started.elapsed().as_micros();
    match &outcome {
        Ok(_) => {
            tracing::info!(target: "edgeward::decision", %id, bytes, revision, micros, "query answered");
        }
        Err(trouble) => {
            tracing::warn!(target: "edgeward::decision", %id, bytes, ?trouble, revision, micros, "query not answered");
        }
    }
    outcome
}

fn tell(answered: &Answered, wanted: &Wanted, arrived: Instant) -> Result<Reply, Trouble> {
    let is_empty = answered
        .solutions
        .as_array()
        .is_ok_and(regorus::value::Array::is_empty);
    let answer = Answer {
        explanation: wanted
            .explain
            .map(|_| Explanation::of(&answered.notes, wanted.pretty)),
        metrics: wanted.metrics.then(|| Timers {
            timer_rego_query_compile_ns: answered.reading.as_nanos(),
            timer_rego_query_eval_ns: answered.evaluation.as_nanos(),
            timer_server_handler_ns: arrived.elapsed().as_nanos(),
        }),
        result: (!is_empty).then_some(&answered.solutions),
    };
    written::reply(StatusCode::OK, &answer, wanted.pretty)
}
