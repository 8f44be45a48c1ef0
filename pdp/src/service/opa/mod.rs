//! OPA's REST API, so that a client of OPA may be pointed at this PDP; only where `opa_api` is configured.
//!
//! Order of reading: this file (path → door), `admission` (who may call), `wanted` (the parameters), `data` (documents), `query`
//! `query_room` and `query_answer` (what callers write themselves), `explanation`, `state` (what the PDP says of itself), `errors` (how a call is
//! refused), `written` (JSON within a size), `counted` (metrics). `docs/opa-api.md` says what is there and what is not.
//!
//! INVARIANT: nothing here writes policies or data, and no text of a caller is read as Rego but a query,
//! where queries are allowed.
//!
//! What this is not: the evaluation (`crate::policy`), or a door that remembers decisions: each call is
//! evaluated, on the whole input.

mod admission;
mod counted;
mod data;
mod errors;
mod explanation;
mod query;
mod query_answer;
mod query_room;
mod read;
mod remembered;
mod state;
mod wanted;
mod written;

use std::rc::Rc;

use edgeward_core::request::percent_decode;
use http::{HeaderMap, Method, Request, Uri};
use hyper::body::Incoming;
use serde_json::Value as Json;

pub use self::admission::{Authorization, OpaApi};
pub(super) use self::counted::DocumentMetrics;
use self::errors::Trouble;
pub(super) use self::query_room::QueryRoom;
pub(super) use self::read::{NoEntry, document_of, entry_point};
pub(super) use self::remembered::Remembered;
use super::reply::Reply;
use super::worker::WorkerState;
use crate::policy::Reference;

/// What a path is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door<'a> {
    /// `/v1/data` and what follows: the input is a member of the body.
    Data(&'a str),
    /// `/v0/data` and what follows: the input is the body.
    DataV0(&'a str),
    /// `/`: the default decision, for an input that is the body.
    Default,
    /// `/health`.
    Health,
    /// `/v1/config`.
    Config,
    /// `/v1/status`.
    Status,
    /// `/v1/policies`.
    Policies,
    /// One of them.
    Policy(&'a str),
    /// `/v1/query`.
    Query,
    /// `/v1/compile` and what follows.
    Compile,
}

/// The document of the default decision.
const DEFAULT_DECISION: [&str; 2] = ["system", "main"];

impl<'a> Door<'a> {
    /// The door with this path, as it was sent.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        match path {
            "/" => return Some(Self::Default),
            "/health" => return Some(Self::Health),
            "/v1/config" => return Some(Self::Config),
            "/v1/status" => return Some(Self::Status),
            "/v1/policies" => return Some(Self::Policies),
            "/v1/query" => return Some(Self::Query),
            _ => {}
        }
        let below = |start: &str| {
            let rest = path.strip_prefix(start)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        };
        below("/v1/data")
            .map(Self::Data)
            .or_else(|| below("/v0/data").map(Self::DataV0))
            .or_else(|| below("/v1/compile").map(|_| Self::Compile))
            .or_else(|| path.strip_prefix("/v1/policies/").map(Self::Policy))
    }
}

/// A call, its body read.
pub(super) struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    /// None where it is empty, or where no door reads one.
    body: Option<Json>,
}

/// Refuses a call, unread.
pub(super) fn refuse(why: super::reply::Refusal) -> Reply {
    Trouble::Call(why).into()
}

/// Answers a client of OPA.
pub(super) async fn answer(
    worker: &Rc<WorkerState>,
    api: &OpaApi,
    door: Door<'_>,
    request: Request<Incoming>,
) -> Reply {
    let reply = match admitted(worker, api, door, request).await {
        Ok(call) if door == Door::Query => query::answer(worker, api, call).await,
        Ok(call) => act(worker, door, call),
        Err(trouble) => Err(trouble),
    };
    reply.unwrap_or_else(|trouble| {
        tracing::debug!(?trouble, "call of OPA's API refused");
        trouble.into()
    })
}

/// The call, if it may be made.
async fn admitted(
    worker: &Rc<WorkerState>,
    api: &OpaApi,
    door: Door<'_>,
    request: Request<Incoming>,
) -> Result<Call, Trouble> {
    api.check_token(request.headers())?;
    let mut call = Call {
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
        body: None,
    };
    let malformed = match door {
        Door::Data(_) | Door::DataV0(_) | Door::Default => Some(data::MALFORMED),
        Door::Query => Some(query::MALFORMED),
        _ => None,
    };
    if let Some(malformed) = malformed.filter(|_| call.method == Method::POST) {
        call.body = data::body(worker, request, malformed).await?;
    }
    api.authorize(worker, door, &call)?;
    Ok(call)
}

fn act(worker: &Rc<WorkerState>, door: Door<'_>, call: Call) -> Result<Reply, Trouble> {
    let uri = &call.uri;
    match door {
        Door::Data(below) => match &call.method {
            &Method::GET => data::get(worker, &reference(below)?, uri),
            &Method::POST => data::post(worker, &reference(below)?, uri, call.body),
            method if is_write(method) => Err(Trouble::ReadOnly("GET, POST")),
            _ => Err(Trouble::Method("GET, POST")),
        },
        Door::DataV0(_) | Door::Default if call.method != Method::POST => {
            Err(Trouble::Method("POST"))
        }
        Door::DataV0(below) => data::bare(worker, &reference(below)?, uri, call.body),
        Door::Default => {
            let at = Reference::of(DEFAULT_DECISION.map(str::to_owned));
            data::bare(worker, &at, uri, call.body)
        }
        // Answered before: it takes time.
        Door::Query => Err(Trouble::NoQueries),
        Door::Compile if call.method != Method::POST => Err(Trouble::Method("POST")),
        Door::Compile => Err(Trouble::NoCompile),
        Door::Policies | Door::Policy(_) if is_write(&call.method) => Err(Trouble::ReadOnly("GET")),
        _ if call.method != Method::GET => Err(Trouble::Method("GET")),
        Door::Health => state::health(worker, uri),
        Door::Config => state::config(worker, uri),
        Door::Status => state::status(worker, uri),
        Door::Policies => state::policies(worker, uri),
        Door::Policy(id) => {
            let id = percent_decode(id).ok_or_else(Trouble::malformed_path)?;
            state::policy(worker, &id, uri)
        }
    }
}

fn is_write(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::PATCH | Method::DELETE)
}

/// The document that `below` names, each segment decoded by itself: a slash that is percent-encoded is
/// part of a name. Empty segments name nothing, as in OPA.
fn reference(below: &str) -> Result<Reference, Trouble> {
    let names = below.split('/').filter(|segment| !segment.is_empty());
    let names: Option<Vec<String>> = names.map(percent_decode).collect();
    names.map(Reference::of).ok_or_else(Trouble::malformed_path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_belongs_to_the_door_that_it_begins_with_whole() {
        for (path, door) in [
            ("/", Some(Door::Default)),
            ("/v1/data", Some(Door::Data(""))),
            ("/v1/data/", Some(Door::Data("/"))),
            ("/v1/data/a/b", Some(Door::Data("/a/b"))),
            ("/v0/data/a", Some(Door::DataV0("/a"))),
            ("/v1/policies/a/b.rego", Some(Door::Policy("a/b.rego"))),
            ("/v1/compile/a", Some(Door::Compile)),
            ("/v1/query", Some(Door::Query)),
            ("/health", Some(Door::Health)),
            ("/health/live", None),
            ("/v1/database", None),
            ("/v1", None),
            ("//v1/data", None),
            ("/V1/data", None),
            ("", None),
        ] {
            assert_eq!(Door::of(path), door, "{path}");
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for bad in ["/%", "/%4", "/%zz", "/%ff", "/a%00b", "/%0a"] {
            assert!(reference(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back_whole_whatever_is_in_it(
            names in proptest::collection::vec("[^\\x00-\\x1f\\x7f]{1,12}", 0..5)
        ) {
            let encoded: String = names
                .iter()
                .flat_map(|name| {
                    let bytes = name.bytes().map(|byte| format!("%{byte:02x}"));
                    std::iter::once("/".to_owned()).chain(bytes)
                })
                .collect();
            let found = reference(&encoded).unwrap();
            prop_assert_eq!(found.parts(), names.as_slice());
        }
    }
}
