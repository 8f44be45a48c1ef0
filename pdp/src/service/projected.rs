//! The filters' own door: `POST /edgeward/v1/decide` (`edgeward_core::decide`). The question is the
//! projection onto the footprint that the feed told, so it is only answered while that program is
//! in force; else 409, and the filter asks as everybody does.

use std::rc::Rc;

use edgeward_core::decide::{ANSWER_TYPE, QUESTION_TYPE, read_question, write_answer};
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
    let now = clock::now();
    let question =
        read_question(&body).map_err(|error| Refusal::BadRequest(format!("body: {error}")))?;
    let revocations = worker.state().revocations.snapshot();
    let settled = settle(worker, now, || {
        let judge = |asked: &Asked<'_>, revision: &str| {
            revoked::judge(&revocations.revocations, asked, revision)
        };
        worker
            .decider()
            .decide(Put::Projected(&question), now, &worker.state().atoms, judge)
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
