//! Many questions in one call: `POST /access/v1/evaluations` (`AuthZEN` 1.0, section 7).
//!
//! Each is settled as one at the decision door is, with an id and a record of its own. What is wrong with
//! one of them makes that one a deny that says so; what is wrong with the call refuses it whole.

use std::rc::Rc;
use std::time::Instant;

use edgeward_core::json::parse_object;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use super::authzen;
use super::body::json_body;
use super::put::Care;
use super::question::bad;
use super::reply::{self, Refusal, Reply};
use super::worker::WorkerState;

/// The most questions of one call.
const MAX_QUESTIONS: usize = 1000;
/// What one of them takes from the whole call where it says nothing itself.
const DEFAULTS: [&str; 4] = ["subject", "action", "resource", "context"];

/// When the rest is not asked any more (section 7.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    fn read(options: Option<Value>) -> Result<Self, Refusal> {
        let semantic = match options {
            None => None,
            Some(Value::Object(mut options)) => options.remove("evaluations_semantic"),
            Some(_) => return Err(bad("`options` must be an object")),
        };
        match semantic.as_ref().map(Value::as_str) {
            None | Some(Some("execute_all")) => Ok(Self::ExecuteAll),
            Some(Some("deny_on_first_deny")) => Ok(Self::DenyOnFirstDeny),
            Some(Some("permit_on_first_permit")) => Ok(Self::PermitOnFirstPermit),
            Some(_) => Err(bad(
                "`options.evaluations_semantic` must be `execute_all`, `deny_on_first_deny` or \
                 `permit_on_first_permit`",
            )),
        }
    }

    fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

/// Answers a call, and repeats its `X-Request-ID`.
pub(super) async fn answer(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Reply {
    let request_id = authzen::request_id(&request);
    authzen::repeat(request_id, decide(worker, request).await)
}

async fn decide(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let body = json_body(worker, request, worker.limits().body).await?;
    let mut call = parse_object(&body).map_err(|error| bad(format!("body: {error}")))?;
    let questions = match call.remove("evaluations") {
        None => Vec::new(),
        Some(Value::Array(questions)) => questions,
        Some(_) => return Err(bad("`evaluations` must be an array")),
    };
    let semantic = Semantic::read(call.remove("options"))?;
    if questions.len() > MAX_QUESTIONS {
        return Err(bad(format!(
            "`evaluations` holds more than {MAX_QUESTIONS}"
        )));
    }
    // None at all is the one question of the call itself.
    if questions.is_empty() {
        let response = authzen::evaluate(worker, &body, Care::Usual)?;
        return Ok(reply::json(StatusCode::OK, &response));
    }
    call.retain(|name, _| DEFAULTS.contains(&name.as_str()));
    let started = Instant::now();
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        // Many that take long must not take more than one that does.
        let asked = if started.elapsed() > worker.limits().request_timeout {
            Err(Refusal::Unavailable("not asked in time".to_owned()))
        } else {
            ask(worker, &call, question)
        };
        let (decision, answer) = asked.unwrap_or_else(|refusal| {
            let error = json!({"status": refusal.status().as_u16(), "message": refusal.message()});
            (
                false,
                json!({"decision": false, "context": {"error": error}}),
            )
        });
        answers.push(answer);
        if semantic.ends_with(decision) {
            break;
        }
        // Others have questions too.
        tokio::task::yield_now().await;
    }
    Ok(reply::json(
        StatusCode::OK,
        &json!({"evaluations": answers}),
    ))
}

/// Puts one question: what it says stands in the place of what the call says, each member whole.
fn ask(
    worker: &Rc<WorkerState>,
    call: &Map<String, Value>,
    question: Value,
) -> Result<(bool, Value), Refusal> {
    let Value::Object(own) = question else {
        return Err(bad("each of `evaluations` must be an object"));
    };
    let mut whole = call.clone();
    whole.extend(own);
    let body = serde_json::to_vec(&whole).map_err(|_| Refusal::Broken)?;
    let response = authzen::evaluate(worker, &body, Care::Usual)?;
    let decision = response.decision;
    let answer = serde_json::to_value(&response).map_err(|_| Refusal::Broken)?;
    Ok((decision, answer))
}
