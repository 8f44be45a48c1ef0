//! Documents: `/v1/data`, `/v0/data` and the default decision.
//!
//! An undefined document is a 200 without `result` in version 1, and a 404 where it would be bare.

use std::rc::Rc;
use std::time::{Duration, Instant};

use edgeward_core::json;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Request, StatusCode, Uri};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::{Map, Value as Json, json as value};

use super::errors::Trouble;
use super::explanation::Explanation;
use super::read::{self, Read, Shown};
use super::wanted::Wanted;
use super::written;
use crate::bundle::BundleStatus;
use crate::policy::Reference;
use crate::service::body::whole_body;
use crate::service::reply::Reply;
use crate::service::worker::WorkerState;

/// The answer of version 1, its members as OPA orders them.
#[derive(Serialize)]
struct Answer<'a> {
    decision_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<Provenance<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Timers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<Warning>,
}

#[derive(Serialize)]
struct Provenance<'a> {
    version: &'static str,
    build_commit: &'static str,
    build_timestamp: &'static str,
    build_hostname: &'static str,
    revision: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    bundles: Map<String, Json>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "OPA's names")]
struct Timers {
    timer_rego_input_parse_ns: u128,
    timer_rego_query_eval_ns: u128,
    timer_server_handler_ns: u128,
}

#[derive(Serialize)]
struct Warning {
    code: &'static str,
    message: &'static str,
}

const NO_INPUT: Warning = Warning {
    code: "api_usage_warning",
    message: "'input' key missing from the request",
};
/// `GET /v1/data…`: the input, if any, is a parameter.
pub(super) fn get(worker: &Rc<WorkerState>, at: &Reference, uri: &Uri) -> Result<Reply, Trouble> {
    let arrived = Instant::now();
    let wanted = Wanted::of(uri)?;
    wanted.check_explanation()?;
    let input = wanted
        .input
        .as_ref()
        .map(|text| json::parse(text.as_bytes()));
    let input = input.transpose().map_err(|error| {
        Trouble::Parameter(format!(
            "parameter contains malformed input document: {error}"
        ))
    })?;
    let parsed = arrived.elapsed();
    let read = read::read(worker, at, input, &wanted)?;
    tell(worker, &read, &wanted, (arrived, parsed), None)
}

/// `POST /v1/data…`: the input is a member of the body.
pub(super) fn post(
    worker: &Rc<WorkerState>,
    at: &Reference,
    uri: &Uri,
    body: Option<Json>,
) -> Result<Reply, Trouble> {
    let arrived = Instant::now();
    let wanted = Wanted::of(uri)?;
    wanted.check_explanation()?;
    let input = match body {
        None | Some(Json::Null) => None,
        // As in OPA, an input that is null is none.
        Some(Json::Object(mut members)) => members.remove("input").filter(|input| !input.is_null()),
        Some(_) => {
            let why = "must be an object, with the input as `input`";
            return Err(unreadable(MALFORMED, &why));
        }
    };
    let warning = input.is_none().then_some(NO_INPUT);
    let parsed = arrived.elapsed();
    let read = read::read(worker, at, input, &wanted)?;
    tell(worker, &read, &wanted, (arrived, parsed), warning)
}

/// The bare document for an input that is the whole body; null where there is none.
pub(super) fn bare(
    worker: &Rc<WorkerState>,
    at: &Reference,
    uri: &Uri,
    body: Option<Json>,
) -> Result<Reply, Trouble> {
    let wanted = Wanted::of(uri)?;
    let input = body.unwrap_or(Json::Null);
    let read = read::read(worker, at, Some(input), &wanted)?;
    let shown = read.document.shown();
    let shown = shown.ok_or_else(|| Trouble::Undefined(at.clone()))?;
    written::reply(StatusCode::OK, &shown, wanted.pretty)
}

/// How OPA says that a body has no input.
pub(super) const MALFORMED: &str = "body contains malformed input document";

/// The body as JSON, whatever type it claims to have, unless that cannot be JSON: then it is `malformed`.
pub(super) async fn body(
    worker: &Rc<WorkerState>,
    request: Request<Incoming>,
    malformed: &str,
) -> Result<Option<Json>, Trouble> {
    let malformed = |why: &dyn std::fmt::Display| unreadable(malformed, why);
    let headers = request.headers();
    let kind = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    if kind.is_some_and(|kind| {
        kind.windows(4)
            .any(|word| word.eq_ignore_ascii_case(b"yaml"))
    }) {
        return Err(malformed(&"YAML is not read here: send JSON"));
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(malformed(
            &"a compressed body is not read here: send it as it is",
        ));
    }
    let body = whole_body(worker, request, worker.limits().body).await?;
    if body.is_empty() {
        return Ok(None);
    }
    json::parse(&body)
        .map(Some)
        .map_err(|error| malformed(&error))
}

fn unreadable(malformed: &str, why: &dyn std::fmt::Display) -> Trouble {
    Trouble::Parameter(format!("{malformed}: {why}"))
}

/// The revision of each policy bundle, as its manifest has it.
fn bundles(worker: &WorkerState) -> Map<String, Json> {
    let bundles = worker.state().bundles.as_ref();
    let statuses = bundles.map(|bundles| bundles.statuses());
    let statuses = statuses.into_iter().flatten();
    let revision = |status: BundleStatus| value!({ "revision": status.active_revision });
    statuses
        .map(|status| (status.name.clone(), revision(status)))
        .collect()
}

fn tell(
    worker: &WorkerState,
    read: &Read,
    wanted: &Wanted,
    (arrived, parsed): (Instant, Duration),
    warning: Option<Warning>,
) -> Result<Reply, Trouble> {
    let answer = Answer {
        decision_id: read.id.as_str(),
        provenance: wanted.provenance.then(|| Provenance {
            version: env!("CARGO_PKG_VERSION"),
            build_commit: "",
            build_timestamp: "",
            build_hostname: "",
            revision: &read.revision,
            bundles: bundles(worker),
        }),
        // As in OPA, what is undefined has no notes.
        explanation: read
            .notes
            .as_deref()
            .filter(|_| read.document.shown().is_some())
            .map(|notes| Explanation::of(notes, wanted.pretty)),
        metrics: wanted.metrics.then(|| Timers {
            timer_rego_input_parse_ns: parsed.as_nanos(),
            timer_rego_query_eval_ns: read.took.as_nanos(),
            timer_server_handler_ns: arrived.elapsed().as_nanos(),
        }),
        result: read.document.shown(),
        warning,
    };
    written::reply(StatusCode::OK, &answer, wanted.pretty)
}
