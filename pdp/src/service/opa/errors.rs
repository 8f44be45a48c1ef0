//! How a call is refused in OPA's words: `{"code": …, "message": …, "errors": […]}`.

use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::written;
use crate::policy::{Fault, NoAnswer, NoDocument, Reference, Withheld};
use crate::service::identifiers::NoRandomness;
use crate::service::reply::{Refusal, Reply};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Path, query or body are not what they must be; the text says why.
    Parameter(String),
    /// The bare document is undefined.
    Undefined(Reference),
    /// The document could not be evaluated.
    Evaluation(NoDocument),
    /// The policies in force are revoked.
    Revoked,
    /// No policies are in force.
    Withheld(Withheld),
    /// The caller may not; the text says what would let it.
    Unauthorized(String),
    /// The policy that should say who may call says nothing.
    NoAuthorizer,
    /// No policy file has this path.
    NoSuchPolicy(String),
    /// No text of a caller is read as Rego here.
    NoQueries,
    /// There is no partial evaluation.
    NoCompile,
    /// This is not to be had of an evaluation.
    NoExplanation(&'static str),
    /// A query goes on beyond its time, and cannot be ended.
    QueriesHeld,
    /// A query has no answer.
    Query(NoAnswer),
    /// Only these methods are there.
    Method(&'static str),
    /// As [`Trouble::Method`], for one that would write.
    ReadOnly(&'static str),
    /// The answer is longer than any may be.
    TooLong,
    /// As everywhere in the service.
    Call(Refusal),
}

impl Trouble {
    /// A path with a segment that is no name.
    pub(super) fn malformed_path() -> Self {
        let message =
            "path has a percent-encoding that is malformed, a control character or not UTF-8";
        Self::Parameter(message.to_owned())
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Call(refusal)
    }
}

impl From<NoRandomness> for Trouble {
    fn from(_: NoRandomness) -> Self {
        Self::Call(Refusal::Broken)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Detail>,
}

#[derive(Serialize)]
struct Detail {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
}

/// Where it is; a query is in no file.
#[derive(Serialize)]
struct Location {
    file: String,
    row: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    col: Option<u32>,
}

impl Location {
    /// Of a policy file, where `message` begins with it: `file:line: …`.
    fn of(message: &str) -> Option<Self> {
        let (file, row) = message.split_once(": ")?.0.rsplit_once(':')?;
        let row = row.parse().ok()?;
        Some(Self {
            file: file.to_owned(),
            row,
            col: None,
        })
    }
}

impl From<&Fault> for Detail {
    fn from(fault: &Fault) -> Self {
        Self {
            code: fault.code,
            message: fault.message.clone(),
            location: Some(Location {
                file: String::new(),
                row: fault.row,
                col: fault.column,
            }),
        }
    }
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::Parameter(_)
            | Self::Query(NoAnswer::Empty | NoAnswer::Parse(_) | NoAnswer::Compile(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::Undefined(_) | Self::NoSuchPolicy(_) => StatusCode::NOT_FOUND,
            Self::NoQueries => StatusCode::FORBIDDEN,
            Self::NoCompile | Self::NoExplanation(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Evaluation(_)
            | Self::Query(NoAnswer::Evaluation(_))
            | Self::TooLong
            | Self::NoAuthorizer => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Revoked | Self::Withheld(_) | Self::QueriesHeld => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Method(_) | Self::ReadOnly(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Call(refusal) => refusal.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Parameter(_)
            | Self::Query(NoAnswer::Empty | NoAnswer::Parse(_) | NoAnswer::Compile(_))
            | Self::Call(Refusal::BadRequest(_) | Refusal::TooLarge(_)) => "invalid_parameter",
            Self::Undefined(_) => "undefined_document",
            Self::Unauthorized(_) => "unauthorized",
            Self::NoSuchPolicy(_) => "resource_not_found",
            Self::NoCompile | Self::NoExplanation(_) => "not_implemented",
            Self::NoQueries | Self::Method(_) | Self::ReadOnly(_) => "invalid_operation",
            Self::Revoked => "policy_revoked",
            Self::QueriesHeld => "queries_held",
            Self::Withheld(Withheld::NotLoaded) => "policy_not_loaded",
            Self::Withheld(Withheld::TooOld) => "policy_too_old",
            Self::Evaluation(_)
            | Self::Query(NoAnswer::Evaluation(_))
            | Self::TooLong
            | Self::NoAuthorizer
            | Self::Call(_) => "internal_error",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Parameter(message) | Self::Unauthorized(message) => message.clone(),
            Self::NoAuthorizer => {
                "authorization policy missing or undefined: `data.system.authz.allow`".to_owned()
            }
            Self::NoSuchPolicy(id) => format!("storage_not_found_error: policy id {id:?}"),
            Self::NoQueries => {
                "queries are off, for they read everything: set `opa_api.queries: true`, or write a rule and \
                 ask for it below `/v1/data`"
                    .to_owned()
            }
            Self::NoCompile => {
                "partial evaluation is not there: the engine evaluates whole inputs; ask for \
                 documents below `/v1/data`"
                    .to_owned()
            }
            Self::NoExplanation(wanted) => format!(
                "`explain={wanted}` is not there: the engine keeps no trace of its steps; `explain=notes` \
                 gives what the policies note by `trace`"
            ),
            Self::Query(NoAnswer::Parse(_)) => "error(s) occurred while parsing query".to_owned(),
            Self::Query(NoAnswer::Compile(_)) => {
                "error(s) occurred while compiling query".to_owned()
            }
            Self::QueriesHeld => {
                "a query goes on beyond its time and cannot be ended: none is answered until it is over, or until \
                 the PDP is started anew"
                    .to_owned()
            }
            Self::Query(NoAnswer::Empty) => NoAnswer::Empty.to_string(),
            Self::Undefined(at) => format!("document undefined: {at}"),
            Self::Evaluation(cause @ (NoDocument::Function(_) | NoDocument::Head(_))) => {
                cause.to_string()
            }
            Self::Evaluation(_) | Self::Query(NoAnswer::Evaluation(_)) => {
                "error(s) occurred while evaluating query".to_owned()
            }
            Self::Revoked => {
                "the policies in force are revoked: nothing is decided by them".to_owned()
            }
            Self::Withheld(Withheld::NotLoaded) => {
                "no policy bundle is in force yet: see `/v1/status`".to_owned()
            }
            Self::Withheld(Withheld::TooOld) => {
                "the policy bundles are older than `max_age`: see `/v1/status`".to_owned()
            }
            Self::Method(allowed) => format!("use {allowed}"),
            Self::ReadOnly(allowed) => format!(
                "nothing is written by this API: policies and data come from `policies` in the PDP's \
                 configuration; use {allowed}"
            ),
            Self::TooLong => format!(
                "the document is longer than {} bytes: ask for a part of it",
                written::MAX_ANSWER_BYTES
            ),
            Self::Call(refusal) => refusal.message(),
        }
    }

    /// The code that says most, for a record.
    pub(super) fn reason(&self) -> &'static str {
        let details = self.details();
        details
            .first()
            .map_or_else(|| self.code(), |detail| detail.code)
    }

    /// The row of the query, or of a policy file, in which something is wrong.
    pub(super) fn row(&self) -> Option<u32> {
        let details = self.details();
        let location = details.first()?.location.as_ref()?;
        Some(location.row)
    }

    fn details(&self) -> Vec<Detail> {
        let cause = match self {
            Self::Evaluation(cause) | Self::Query(NoAnswer::Evaluation(cause)) => cause,
            Self::Query(NoAnswer::Parse(fault) | NoAnswer::Compile(fault)) => {
                return vec![fault.into()];
            }
            _ => return Vec::new(),
        };
        let code = match cause {
            NoDocument::Timeout => "eval_cancel_error",
            NoDocument::Conflict(_) => "eval_conflict_error",
            NoDocument::Strict(_) => "eval_builtin_error",
            NoDocument::Error(_) => "eval_internal_error",
            NoDocument::Function(_) | NoDocument::Head(_) => return Vec::new(),
        };
        let message = cause.to_string();
        let location = Location::of(&message);
        vec![Detail {
            code,
            message,
            location,
        }]
    }
}

impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Self {
        let body = Body {
            code: trouble.code(),
            message: trouble.message(),
            errors: trouble.details(),
        };
        let mut reply = written::reply(trouble.status(), &body, true)
            .unwrap_or_else(|_| Refusal::Broken.into());
        if matches!(trouble, Trouble::Unauthorized(_)) {
            let scheme = HeaderValue::from_static("Bearer realm=\"edgeward\"");
            reply.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        if let Trouble::Method(allowed) | Trouble::ReadOnly(allowed) = trouble {
            let allowed = HeaderValue::from_static(allowed);
            reply.headers_mut().insert(ALLOW, allowed);
        }
        reply
    }
}
