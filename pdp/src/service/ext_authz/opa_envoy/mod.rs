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
use serde_json::Value as Json;

use self::outcome::Outcome;
use super::intake::{reads_grpc, take_in};
use super::ruling::{Changes, Refused, Ruling, changes, identify, refuse};
use super::told::Told;
use super::{Dialect, ExtAuthzSettings, check_response};
use crate::policy::Failure;
use crate::service::identifiers;
use crate::service::inventory;
use crate::service::opa::{self, NoEntry};
use crate::service::settle::record;
use crate::service::worker::WorkerState;

/// Answers the call `check`, which tells of the request `told`.
pub(super) fn answer(
    worker: &WorkerState,
    settings: &ExtAuthzSettings,
    check: CheckRequest,
    told: &Told,
) -> CheckResponse {
    match decide(worker, settings, check, told) {
        Ok(Decided::Outcome(outcome, changes)) => told::write(*outcome, changes),
        Ok(Decided::Fault(id, code)) => {
            let reply = Reply::denied(id, vec![code.to_owned()], reads_grpc(told));
            check_response::write(Ruling::Refuse(reply))
        }
        Err(why) => check_response::write(refuse(worker, told, why, reads_grpc(told))),
    }
}

/// What the policy made of a request.
enum Decided {
    /// Its result, and what Edgeward itself changes.
    Outcome(Box<Outcome>, Changes),
    /// Nothing that is a decision, for this reason.
    Fault(DecisionId, &'static str),
}

fn decide(
    worker: &WorkerState,
    settings: &ExtAuthzSettings,
    check: CheckRequest,
    told: &Told,
) -> Result<Decided, Refused> {
    let intake = take_in(told, settings)?;
    let caller = match settings.dialect {
        Dialect::OpaEnvoy { identifies: true } => {
            Some(identify(worker, settings, told, intake.has_token)?)
        }
        _ => None,
    };
    let who = caller.as_ref().map_or("", |caller| &*caller.id);
    inventory::search(worker, (&told.target, &told.fields), who, &told.authority);
    let subject = caller.as_ref().map(|caller| &*caller.subject);
    let refused = |refusal, code| Refused {
        refusal,
        code,
        shown: false,
    };
    let input = input::input(check, &intake, settings, subject)
        .map_err(|code| refused(Refusal::NotCanonical, code))?;
    let id = identifiers::number()
        .and_then(identifiers::decision_id)
        .map_err(|_| refused(Refusal::Unavailable, "question-unwritable"))?;
    let asked = [who, &told.method, intake.request.path.as_str()];
    let outcome = match ask(worker, &id, input, asked) {
        Ok(outcome) => outcome,
        Err(why) => return Ok(Decided::Fault(id, why.code())),
    };
    match changes(settings, intake, caller, id, Obligations::default()) {
        Ok(mut changes) => {
            changes.remove.extend(respelt(&outcome, told));
            Ok(Decided::Outcome(Box::new(outcome), changes))
        }
        Err(id) => Ok(Decided::Fault(id, "obligation-not-allowed")),
    }
}

/// Asks the policy; counted and recorded as every decision is.
fn ask(
    worker: &WorkerState,
    id: &DecisionId,
    input: Json,
    asked: [&str; 3],
) -> Result<Outcome, NoEntry> {
    let revision = worker.decider().revision();
    let started = Instant::now();
    let outcome = opa::entry_point(worker, input).and_then(|document| {
        let document = document.ok_or(Failure::Undefined)?;
        Ok(Outcome::read(document).map_err(Failure::ResultInvalid)?)
    });
    let took = started.elapsed();
    let (counted, said) = match &outcome {
        Ok(outcome) => (Ok(outcome.allowed), (outcome.allowed, "")),
        Err(why) => {
            tracing::warn!(code = why.code(), error = %why, "policy gave no decision");
            // What no policy said is counted as a deny of theirs, as at every other door.
            let counted = match why {
                NoEntry::Failed(failure) => Err(failure.code()),
                NoEntry::Withheld(_) | NoEntry::Revoked => Ok(false),
            };
            (counted, (false, why.code()))
        }
    };
    worker.state().metrics.decided(counted, took);
    record(id, &revision, said, asked, took);
    outcome
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
