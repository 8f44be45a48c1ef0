//! The filters' own door: `POST /edgeward/v1/decide` (`edgeward_core::decide`). A question is the
//! projection onto the footprint that the feed told, so it is only answered while that program is
//! in force; else 409, and the filter asks as everybody does. Of several questions in one body all are
//! answered, or none.

use std::rc::Rc;

use edgeward_core::decide::{ANSWER_TYPE, QUESTION_TYPE, Question, read_questions, write_answer};
use edgeward_core::time::UnixSeconds;
use http::{Request, StatusCode};
use hyper::body::Incoming;

use super::asked::Asked;
use super::body::body_of;
use super::put::Put;
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
    let questions =
        read_questions(&body).map_err(|error| Refusal::BadRequest(format!("body: {error}")))?;
    let mut answers = Vec::with_capacity(256 * questions.len());
    for question in &questions {
        // Each at its own instant: the last may have waited for all before it.
        answer_to(worker, question, clock::now(), &mut answers)?;
    }
    Ok(answers)
}

fn answer_to(
    worker: &WorkerState,
    question: &Question<'_>,
    now: UnixSeconds,
    answers: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let revocations = worker.state().revocations.snapshot();
    let settled = settle(worker, now, || {
        let judge = |asked: &Asked<'_>, revision: &str| {
            revoked::judge(&revocations.revocations, asked, revision)
        };
        worker
            .decider()
            .decide(Put::Projected(question), now, &worker.state().atoms, judge)
    })?;
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
