//! The gRPC door in the words of `opa-envoy-plugin`: policies that were written for that plugin get its
//! input (`input`) and give its results (`outcome`), which are told to Envoy as it tells them (`told`).
//!
//! What is not the plugin's: a request that has no canonical form is refused before any policy is asked,
//! what a client may not say goes neither to the policy nor to the upstream, whoever is believed by keys is
//! identified first, and no error ever reaches Envoy as one.
//!
//! Source: github.com/open-policy-agent/opa-envoy-plugin, `envoyauth/`.

mod body;
mod input;
mod outcome;
mod told;

use std::time::Instant;

use edgeward_core::decision::{DecisionId, Obligations};
use edgeward_core::headers;
use edgeward_core::refusal::{Refusal, Reply};
use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse};

use self::outcome::Outcome;
use super::intake::{reads_grpc, take_in};
use super::ruling::{Changes, Refused, Ruling, changes, identify, refuse, refuse_call};
use super::told::Told;
use super::{Dialect, ExtAuthzSettings, check_request, check_response};
use crate::policy::Failure;
use crate::service::identifiers;
use crate::service::opa::{self, NoEntry};
use crate::service::settle::record;
use crate::service::trace;
use crate::service::worker::WorkerState;

/// Answers the call `check`.
pub(super) fn answer(
    worker: &WorkerState,
    settings: &ExtAuthzSettings,
    check: CheckRequest,
) -> CheckResponse {
    // The plugin's policies see joined headers in any case.
    let told = match check_request::read(check.clone(), true) {
        Ok(told) => told,
        Err(untold) => {
            tracing::warn!(
                ?untold,
                "an ext_authz call tells of no request that can be decided"
            );
            let ruling = refuse_call(worker, Refusal::Unavailable, untold.code());
            return check_response::write(ruling);
        }
    };
    trace::of_fields(&told.fields).in_scope(|| match decide(worker, settings, check, &told) {
        Ok(Decided::Outcome(outcome, changes)) => told::write(*outcome, changes),
        Ok(Decided::Fault(reply)) => check_response::write(Ruling::Refuse(reply)),
        Err(why) => check_response::write(refuse(worker, &told, why, reads_grpc(&told))),
    })
}

/// What the policy made of a request.
enum Decided {
    /// Its result, and what Edgeward itself changes.
    Outcome(Box<Outcome>, Changes),
    /// Nothing that is a decision.
    Fault(Reply),
}

fn decide(
    worker: &WorkerState,
    settings: &ExtAuthzSettings,
    check: CheckRequest,
    told: &Told,
) -> Result<Decided, Refused> {
    let intake = take_in(told, settings).map_err(|error| Refused {
        refusal: Refusal::NotCanonical,
        code: error.code(),
        shown: false,
    })?;
    let caller = match settings.dialect {
        Dialect::OpaEnvoy { identifies: true } => {
            Some(identify(worker, settings, told, intake.has_token)?)
        }
        _ => None,
    };
    let subject = caller.as_ref().map(|caller| &*caller.subject);
    let input = input::input(check, &intake, settings, subject).map_err(|code| Refused {
        refusal: Refusal::NotCanonical,
        code,
        shown: false,
    })?;
    let id = named().ok_or(Refused {
        refusal: Refusal::Unavailable,
        code: "question-unwritable",
        shown: false,
    })?;
    let revision = worker.decider().revision();
    let started = Instant::now();
    let read = opa::entry_point(worker, input);
    let outcome = read.and_then(|document| {
        let document = document.ok_or(NoEntry::Failed(Failure::Undefined))?;
        Outcome::read(document).map_err(|why| NoEntry::Failed(Failure::ResultInvalid(why)))
    });
    let took = started.elapsed();
    let who = caller.as_ref().map_or("", |caller| &*caller.id);
    let asked = [who, &told.method, intake.request.path.as_str()];
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(why) => {
            tracing::warn!(code = why.code(), error = %why, "policy gave no decision");
            // What no policy said is counted as a deny of theirs, as at every other door.
            let counted = match &why {
                NoEntry::Failed(failure) => Err(failure.code()),
                NoEntry::Withheld(_) | NoEntry::Revoked => Ok(false),
            };
            worker.state().metrics.decided(counted, took);
            record(&id, &revision, (false, why.code()), asked, took);
            let reasons = vec![why.code().to_owned()];
            let reply = Reply::denied(id, reasons, reads_grpc(told));
            return Ok(Decided::Fault(reply));
        }
    };
    worker.state().metrics.decided(Ok(outcome.allowed), took);
    record(&id, &revision, (outcome.allowed, ""), asked, took);
    match changes(settings, intake, caller, id, Obligations::default()) {
        Ok(mut changes) => {
            changes.remove.extend(respelt(&outcome, told));
            Ok(Decided::Outcome(Box::new(outcome), changes))
        }
        Err(id) => {
            let reasons = vec!["obligation-not-allowed".to_owned()];
            Ok(Decided::Fault(Reply::denied(id, reasons, reads_grpc(told))))
        }
    }
}

fn named() -> Option<DecisionId> {
    let number = identifiers::number().ok()?;
    identifiers::decision_id(number).ok()
}

/// Headers of the client in another spelling of a name that the policy sets or removes.
fn respelt(outcome: &Outcome, told: &Told) -> Vec<String> {
    let names = outcome.headers.iter().map(|(name, _)| name);
    let names = names.chain(&outcome.remove);
    let set: Vec<String> = names.map(|name| headers::normalize(name)).collect();
    let came = told.fields.iter().map(|(name, _)| name);
    let mut respelt: Vec<String> = came
        .filter(|name| {
            set.contains(&headers::normalize(name))
                && !outcome.headers.iter().any(|(other, _)| other == *name)
        })
        .cloned()
        .collect();
    respelt.dedup();
    respelt
}
