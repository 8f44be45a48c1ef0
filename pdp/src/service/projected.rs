//! The filters' own door: `POST /edgeward/v1/decide` (`edgeward_core::decide`). The question is the
//! projection onto the footprint that the feed told, so it is only answered while that program is
//! in force; else 409, and the filter asks as everybody does.

use std::rc::Rc;

use edgeward_core::decide::{ANSWER_TYPE, QUESTION_TYPE, read_question, write_answer};
use edgeward_core::time::UnixSeconds;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Map, Value};

use super::body::body_of;
use super::decide::Care;
use super::reply::{self, Refusal, Reply};
use super::settle::{Settled, settle};
use super::worker::WorkerState;
use super::{clock, revoked};

/// Answers a filter's question.
pub(super) async fn answer(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Reply {
    match decide(worker, request).await {
        Ok(answer) => reply::reply(StatusCode::OK, ANSWER_TYPE, answer),
        Err(refusal) => {
            tracing::debug!(?refusal, "a filter's question refused");
            refusal.into()
        }
    }
}

async fn decide(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
    let body = body_of(worker, request, QUESTION_TYPE, worker.limits().body).await?;
    let now = clock::now();
    let question =
        read_question(&body).map_err(|error| Refusal::BadRequest(format!("body: {error}")))?;
    let decider = worker.decider();
    let (about, mut input) = (question.about, question.input);
    let atoms = &worker.state().atoms;
    let told = decider.complete(&mut input, question.program, atoms, now);
    let told = told.ok_or(Refusal::AnotherProgram)?;
    if decider.reads_time() {
        tell_time(&mut input, now);
    }
    let asked = ["/subject/id", "/action/name", "/resource/id"];
    let asked = asked.map(|at| {
        about
            .pointer(at)
            .and_then(Value::as_str)
            .unwrap_or_default()
    });
    let denied = revoked::judge(worker, &about);
    let settled = settle(worker, asked, now, denied, &told, || {
        decider.decide(input, now, Care::Projected)
    })?;
    let Settled {
        id,
        answer,
        premises,
        ..
    } = settled;
    let mut body = Vec::with_capacity(256);
    let holds = premises.map(|premises| (premises.now, premises.until));
    write_answer(&mut body, &answer.named(id), holds);
    Ok(body)
}

/// The time is the PDP's to say: no filter's clock decides.
fn tell_time(input: &mut Value, now: UnixSeconds) {
    let Value::Object(input) = input else { return };
    let context = input
        .entry("context")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(context) = context {
        context.insert("time".to_owned(), Value::String(clock::text_of(now)));
    }
}
