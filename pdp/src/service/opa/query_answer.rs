//! What is told of a query: written where it was asked, for what an answer comes to is not known before.

use std::time::Instant;

use regorus::Value;
use serde::Serialize;

use super::errors::Trouble;
use super::explanation::Explanation;
use super::wanted::Wanted;
use super::written;
use crate::policy::Answered;

/// What the caller wants of it beside the result.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    is_pretty: bool,
    is_explained: bool,
    is_timed: bool,
    arrived: Instant,
}

/// The answer, its members as OPA orders them.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Timers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "OPA's names")]
struct Timers {
    timer_rego_query_compile_ns: u128,
    timer_rego_query_eval_ns: u128,
    timer_server_handler_ns: u128,
}

impl Shape {
    /// What `wanted` says, of a call that `arrived` then.
    pub(super) fn of(wanted: &Wanted, arrived: Instant) -> Self {
        Self {
            is_pretty: wanted.pretty,
            is_explained: wanted.explain.is_some(),
            is_timed: wanted.metrics,
            arrived,
        }
    }

    /// The answer as JSON.
    pub(super) fn write(self, answered: &Answered) -> Result<Vec<u8>, Trouble> {
        let solutions = &answered.solutions;
        let is_empty = solutions
            .as_array()
            .is_ok_and(regorus::value::Array::is_empty);
        let answer = Answer {
            explanation: self
                .is_explained
                .then(|| Explanation::of(&answered.notes, self.is_pretty)),
            metrics: self.is_timed.then(|| Timers {
                timer_rego_query_compile_ns: answered.reading.as_nanos(),
                timer_rego_query_eval_ns: answered.evaluation.as_nanos(),
                timer_server_handler_ns: self.arrived.elapsed().as_nanos(),
            }),
            result: (!is_empty).then_some(solutions),
        };
        written::bytes(&answer, self.is_pretty)
    }
}
