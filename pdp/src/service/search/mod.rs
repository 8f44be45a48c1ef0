//! The three searches of `AuthZEN` 1.0 (section 8): who may, what may be done to what, and what may one do.
//!
//! A search asks the question that a decision asks, once for each candidate. Who the candidates are, a
//! document of the policies says (`searches` in the configuration); it sees the search as `input`. One whose
//! document is not configured is not there.
//!
//! Order of reading: this file (the door and the search itself), `wanted` (what a call asks for), `page` (where
//! a search goes on), `candidates`.
//!
//! INVARIANT: nobody is found for whom the same question would be a deny.

mod candidates;
mod page;
mod wanted;

use std::rc::Rc;
use std::time::Instant;

use edgeward_core::authzen::{SEARCH_ACTION_PATH, SEARCH_RESOURCE_PATH, SEARCH_SUBJECT_PATH};
use edgeward_core::decision::DecisionId;
use edgeward_core::revocation;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Map, Value as Json, json};

use self::candidates::Candidate;
use self::page::Mark;
use self::wanted::Wanted;
use super::body::json_body;
use super::put::{Care, Put};
use super::reply::{self, Refusal, Reply};
use super::settle::weigh;
use super::worker::WorkerState;
use super::{authzen, identifiers};
use crate::policy::{Failure, Reference};

/// The most questions of one page; who is not reached is on the next.
const MAX_ASKED: usize = 10_000;

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Subject,
    Resource,
    Action,
}

impl Kind {
    /// All, in the order of the standard.
    pub(super) const ALL: [Self; 3] = [Self::Subject, Self::Resource, Self::Action];

    /// Where it is searched for.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Subject => SEARCH_SUBJECT_PATH,
            Self::Resource => SEARCH_RESOURCE_PATH,
            Self::Action => SEARCH_ACTION_PATH,
        }
    }

    /// The member of a question that it is.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Resource => "resource",
            Self::Action => "action",
        }
    }
}

/// Documents that say who the candidates of a search are; a search without one is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searches {
    /// Subjects: `{type, id, properties?}`.
    pub subjects: Option<Reference>,
    /// Resources: the same.
    pub resources: Option<Reference>,
    /// Actions: `{name, properties?}`.
    pub actions: Option<Reference>,
}

impl Searches {
    /// The document with the candidates.
    pub(super) fn of(&self, kind: Kind) -> Option<&Reference> {
        match kind {
            Kind::Subject => self.subjects.as_ref(),
            Kind::Resource => self.resources.as_ref(),
            Kind::Action => self.actions.as_ref(),
        }
    }
}

/// Answers a search, and repeats its `X-Request-ID`.
pub(super) async fn answer(
    worker: &Rc<WorkerState>,
    kind: Kind,
    request: Request<Incoming>,
) -> Reply {
    let request_id = authzen::request_id(&request);
    authzen::repeat(request_id, search(worker, kind, request).await)
}

async fn search(
    worker: &Rc<WorkerState>,
    kind: Kind,
    request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    let Some(document) = worker.searches().of(kind) else {
        return Err(Refusal::NotFound);
    };
    let body = json_body(worker, request, worker.limits().body).await?;
    let id = identifiers::number().and_then(identifiers::decision_id);
    let id = id.map_err(|_| Refusal::Broken)?;
    let revision = worker.decider().revision();
    let wanted = Wanted::read(kind, &body)?;
    let Some(_place) = worker.place_to_search() else {
        return Err(Refusal::Unavailable(
            "too many searches at once: try again".to_owned(),
        ));
    };
    let candidates = candidates::of(worker, kind, document, &wanted)?;
    let mark = Mark::of(kind, &wanted, &revision, &candidates);
    let from = mark.start(wanted.page.token.as_deref())?;
    let found = find(worker, kind, &wanted, &candidates, (from, &revision)).await?;
    record(&id, &revision, kind, &found);
    let mut told = json!({ "results": found.results, "context": { "id": id } });
    let next = from + found.asked;
    let is_more = next < candidates.len();
    if wanted.page.is_asked_for || is_more {
        let next = if is_more {
            mark.token(next)
        } else {
            String::new()
        };
        let page = json!({ "next_token": next, "count": found.results.len() });
        if let Some(members) = told.as_object_mut() {
            members.insert("page".to_owned(), page);
        }
    }
    Ok(reply::json(StatusCode::OK, &told))
}

/// One page.
#[derive(Default)]
struct Found {
    results: Vec<Json>,
    /// How many were asked about.
    asked: usize,
}

/// Asks about `candidates`, from one of them on, until the page is full, or it took as long as a call may.
async fn find(
    worker: &Rc<WorkerState>,
    kind: Kind,
    wanted: &Wanted,
    candidates: &[Candidate],
    (from, revision): (usize, &str),
) -> Result<Found, Refusal> {
    let started = Instant::now();
    let mut found = Found::default();
    for candidate in candidates.iter().skip(from) {
        let is_full = found.results.len() >= wanted.page.limit || found.asked >= MAX_ASKED;
        if is_full || started.elapsed() > worker.limits().request_timeout {
            break;
        }
        let question = wanted.question(kind, candidate);
        if is_allowed(worker, &question, candidate, revision)?
            && !found.results.contains(&candidate.shown)
        {
            found.results.push(candidate.shown.clone());
        }
        found.asked += 1;
        // Others have questions too.
        tokio::task::yield_now().await;
    }
    Ok(found)
}

/// Whether the policies of `revision` allow `question`, which is about `candidate`; an error where nobody can
/// know.
fn is_allowed(
    worker: &WorkerState,
    question: &Map<String, Json>,
    candidate: &Candidate,
    revision: &str,
) -> Result<bool, Refusal> {
    let body = serde_json::to_vec(question).map_err(|_| Refusal::Broken)?;
    let (settled, weighed) = weigh(worker, Put::Whole(&body, Care::Usual))?;
    let unknown =
        |why: &str| Refusal::Unavailable(format!("whom the search finds is not known: {why}"));
    // Others decide from here on, and of those before nobody would know what they say.
    if &*settled.revision != revision {
        return Err(unknown("the policies changed meanwhile: search again"));
    }
    let revoked = revocation::Kind::Policy.code();
    match weighed.said() {
        // A policy that says nothing denies, without anything having failed.
        Err(code) if code != Failure::Undefined.code() => {
            Err(unknown(&format!("{code} for {}", candidate.shown)))
        }
        _ if settled
            .answer
            .reasons
            .iter()
            .any(|reason| reason == revoked) =>
        {
            Err(unknown(revoked))
        }
        _ => Ok(settled.answer.allow),
    }
}

/// One record of the whole search: nothing is let through by it.
fn record(id: &DecisionId, revision: &str, kind: Kind, found: &Found) {
    tracing::debug!(target: "edgeward::decision", %id, search = kind.name(), revision,
        asked = found.asked, found = found.results.len(), "searched");
}
