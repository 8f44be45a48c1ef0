//! `/v1/query`: a query that the caller wrote, in the body or as the parameter `q`.
//!
//! Nothing of it is remembered. Each is asked in the [`QueryRoom`], never on a thread that answers calls.

use std::rc::Rc;
use std::time::Instant;

use http::{Method, StatusCode};
use regorus::Value;
use serde_json::Value as Json;

use super::admission::OpaApi;
use super::errors::Trouble;
use super::query_answer::Shape;
use super::query_room::Asked;
use super::wanted::Wanted;
use super::{Call, read};
use crate::policy::from_json;
use crate::service::identifiers;
use crate::service::reply::{self, Reply};
use crate::service::worker::WorkerState;

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
    let outcome = ask(worker, question, Shape::of(&wanted, arrived)).await;
    let told = outcome.as_ref().map(|_| ());
    worker.state().metrics.documents.queried(told);
    // It may have waited for another.
    read::check_in_force(worker)?;
    Ok(reply::reply(StatusCode::OK, "application/json", outcome?))
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

/// Asks, and leaves one record of it: of what was wrong the code and the row, and nothing that the caller wrote.
async fn ask(
    worker: &Rc<WorkerState>,
    question: Question,
    shape: Shape,
) -> Result<Vec<u8>, Trouble> {
    let id = identifiers::decision_id(identifiers::number()?)?;
    let policies = worker.state().policies.clone();
    let bytes = question.text.len();
    let asked = Asked {
        text: question.text,
        input: question.input,
        shape,
    };
    let patience = worker.limits().request_timeout;
    let started = Instant::now();
    let asking = worker.queries().ask(policies, asked, patience).await;
    let micros = started.elapsed().as_micros();
    // Those in force when it was asked, not when it came; none where it had no turn.
    let (revision, at, outcome) = match asking {
        Ok(asking) => (Some(asking.revision), Some(asking.now.0), asking.outcome),
        Err(trouble) => (None, None, Err(trouble)),
    };
    match &outcome {
        Ok(_) => {
            tracing::info!(target: "edgeward::decision", %id, bytes, revision, at, micros, "query answered");
        }
        Err(trouble) => {
            let (code, row) = (trouble.reason(), trouble.row());
            tracing::warn!(target: "edgeward::decision", %id, bytes, code, row, revision, at, micros, "query not answered");
        }
    }
    outcome
}
