//! The filters' own door: `POST /edgeward/v1/decide` (`edgeward_core::decide`). A question is the
//! projection onto the footprint that the feed told, so it is only answered while that program is
//! in force; else 409, and the filter asks as everybody does. Several questions in one body are answered in
//! their order, the first at any rate: when that has taken long, the others are left to be asked again.

use std::rc::Rc;
use std::time::{Duration, Instant};

use edgeward_core::decide::{ANSWER_TYPE, QUESTION_TYPE, Question, read_questions, write_answer};
use http::{Request, StatusCode};
use hyper::body::Incoming;

use super::body::body_of;
use super::put::Put;
use super::reply::{self, Refusal, Reply};
use super::settle::{Settled, settle};
use super::worker::WorkerState;

/// How long the answers that are there wait for the next: a few evaluations of what is usual, and a
/// fraction of what one may take.
const PATIENCE: Duration = Duration::from_millis(20);

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
    let questions =
        read_questions(&body).map_err(|error| Refusal::BadRequest(format!("body: {error}")))?;
    let mut answers = Vec::with_capacity(256 * questions.len());
    let started = Instant::now();
    for question in &questions {
        if !answers.is_empty() && started.elapsed() > PATIENCE {
            break;
        }
        answer_to(worker, question, &mut answers)?;
    }
    Ok(answers)
}

/// Each at its own instant: the last may have waited for all before it.
fn answer_to(
    worker: &WorkerState,
    question: &Question<'_>,
    answers: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let settled = settle(worker, Put::Projected(question))?;
    let Settled {
        id,
        answer,
        premises,
        ..
    } = settled;
    let holds = premises.map(|premises| (premises.now, premises.until));
    write_answer(answers, &answer.named(id), holds);
    Ok(())
}
