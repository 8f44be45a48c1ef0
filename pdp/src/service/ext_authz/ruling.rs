//! What a proxy is to do with a request: let it pass with these changes, or refuse it with this
//! reply. The decision is made where every other is made.

use edgeward_core::authzen::{Context, EvaluationRequest, Source, Tls};
use edgeward_core::decision::{Decision, DecisionId, Obligations};
use edgeward_core::headers::{self, DECISION_ID, FORWARDED_CLIENT_CERT, SUBJECT};
use edgeward_core::refusal::{Refusal, Reply};

use super::ExtAuthzSettings;
use super::identify::{Caller, Identification};
use super::intake::{Intake, NotTaken, reads_grpc, take_in};
use super::told::Told;
use crate::service::clock;
use crate::service::inventory;
use crate::service::put::{Care, Put};
use crate::service::settle::{refused, settle};
use crate::service::worker::WorkerState;

/// What a proxy is to do.
#[must_use]
#[derive(Debug)]
pub(super) enum Ruling {
    /// Let the request pass, changed so.
    Pass(Changes),
    /// Answer it with this.
    Refuse(Reply),
}

/// Changes to a request that passes. No header is both set and removed.
#[derive(Debug)]
pub(super) struct Changes {
    /// Names the decision.
    pub(super) decision_id: DecisionId,
    /// The workload that sends it; empty where nobody was identified.
    pub(super) subject: String,
    /// Headers to set, replacing all of that name.
    pub(super) set: Vec<(String, String)>,
    /// Headers to remove, by the names that they came under.
    pub(super) remove: Vec<String>,
    /// Headers to set on its response, replacing all of that name.
    pub(super) on_response: Vec<(String, String)>,
}

/// Why a request is refused before any policy is asked, and whether a token was shown.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) code: &'static str,
    pub(super) shown: bool,
}

impl From<NotTaken> for Refused {
    fn from(error: NotTaken) -> Self {
        Self {
            refusal: Refusal::NotCanonical,
            code: error.code(),
            shown: false,
        }
    }
}

/// Rules on the request `told`.
pub(super) fn rule(worker: &WorkerState, settings: &ExtAuthzSettings, told: &Told) -> Ruling {
    let grpc = reads_grpc(told);
    let (intake, caller, decision) = match decide(worker, settings, told) {
        Ok(decided) => decided,
        Err(refused) => return refuse(worker, told, refused, grpc),
    };
    let (id, obligations) = match decision {
        Decision::Allow {
            id, obligations, ..
        } => (id, obligations),
        Decision::Deny { id, reasons } => return Ruling::Refuse(Reply::denied(id, reasons, grpc)),
    };
    match changes(settings, intake, Some(caller), id, obligations) {
        Ok(changes) => Ruling::Pass(changes),
        Err(id) => {
            let reasons = vec!["obligation-not-allowed".to_owned()];
            Ruling::Refuse(Reply::denied(id, reasons, grpc))
        }
    }
}

/// Refuses a call that is not even a request, for the reason `code`.
pub(super) fn refuse_call(worker: &WorkerState, refusal: Refusal, code: &'static str) -> Ruling {
    let refused = Refused {
        refusal,
        code,
        shown: false,
    };
    refuse(worker, &Told::default(), refused, false)
}

/// Refuses the request `told`.
pub(super) fn refuse(worker: &WorkerState, told: &Told, why: Refused, grpc: bool) -> Ruling {
    let Refused {
        refusal,
        code,
        shown,
    } = why;
    // Without its query, which may hold anything.
    let path = told.target.split('?').next().unwrap_or_default();
    // And without a user name and password, which no host has.
    let host = told.authority.rsplit('@').next().unwrap_or_default();
    let asked = [path, &told.method, host];
    Ruling::Refuse(Reply {
        refusal,
        code: code.to_owned(),
        decision_id: refused(worker, refusal, code, asked),
        reasons: Vec::new(),
        credential_shown: shown,
        grpc,
    })
}

fn decide<'t>(
    worker: &WorkerState,
    settings: &ExtAuthzSettings,
    told: &'t Told,
) -> Result<(Intake<'t>, Caller, Decision), Refused> {
    let taken = take_in(told, settings).map_err(Refused::from);
    let known = taken.and_then(|intake| {
        let caller = identify(worker, settings, told, intake.has_token)?;
        Ok((intake, caller))
    });
    // Also of what is refused.
    let subject = known.as_ref().map_or("", |(_, caller)| &caller.id);
    let (target, fields) = (&told.target, &told.fields);
    inventory::search(worker, (target, fields), subject, &told.authority);
    let (intake, caller) = known?;
    let unwritable = || Refused {
        refusal: Refusal::Unavailable,
        code: "question-unwritable",
        shown: false,
    };
    let body = question(told, &intake, &caller).map_err(|_| unwritable())?;
    let settled = settle(worker, Put::Whole(&body, Care::Usual)).map_err(|error| {
        tracing::error!(?error, "an ext_authz question cannot be put");
        unwritable()
    })?;
    Ok((intake, caller, settled.answer.named(settled.id)))
}

/// Who sends the request `told`.
pub(super) fn identify(
    worker: &WorkerState,
    settings: &ExtAuthzSettings,
    told: &Told,
    has_token: bool,
) -> Result<Caller, Refused> {
    let state = worker.state();
    let identification = Identification {
        settings,
        keys: &state.keys,
        tokens: worker.verified_tokens(),
        revocations: &state.revocations.snapshot().revocations,
        now: clock::now(),
    };
    identification.caller(told).map_err(|error| Refused {
        refusal: Refusal::Unauthenticated,
        code: error.code(),
        shown: has_token,
    })
}

/// The question, byte for byte as the filter would write it.
fn question(told: &Told, intake: &Intake<'_>, caller: &Caller) -> serde_json::Result<Vec<u8>> {
    let source = told.source.map(|source| source.to_string());
    let context = Context {
        source: Source {
            address: source.as_deref().unwrap_or_default(),
        },
        tls: caller.peer.as_ref().map(|peer| Tls {
            peer: peer.id.as_str(),
        }),
    };
    let headers = intake.visible.clone();
    let question = EvaluationRequest::http(&caller.subject, &intake.request, headers, context);
    serde_json::to_vec(&question)
}

/// What an allow changes; or its id alone, where an obligation may not be met here. Where nobody was to be
/// identified, the token is not ours to remove.
pub(super) fn changes(
    settings: &ExtAuthzSettings,
    intake: Intake<'_>,
    caller: Option<Caller>,
    decision_id: DecisionId,
    obligations: Obligations,
) -> Result<Changes, DecisionId> {
    let Obligations {
        request_headers,
        response_headers,
    } = obligations;
    let allowed = &settings.allowed_request_headers;
    let may_be_obliged = |name: &String| headers::may_be_obliged(name, allowed);
    if !request_headers.keys().all(may_be_obliged) {
        return Err(decision_id);
    }
    let mut remove = intake.remove;
    if caller.is_some() && intake.has_token && !settings.token.forward {
        remove.push(settings.token.header.clone());
    }
    let mut set: Vec<(String, String)> = request_headers.into_iter().collect();
    let mut own = vec![(DECISION_ID, decision_id.to_string())];
    let mut subject = String::new();
    if let Some(caller) = caller {
        subject.clone_from(&caller.id);
        own.push((SUBJECT, caller.id));
        own.extend(caller.peer.map(|peer| (FORWARDED_CLIENT_CERT, peer.xfcc)));
    }
    for (name, value) in own {
        set.retain(|(other, _)| other != name);
        set.push((name.to_owned(), value));
    }
    // Envoy removes after it sets.
    remove.retain(|name| !set.iter().any(|(other, _)| other == name));
    Ok(Changes {
        decision_id,
        subject,
        set,
        remove,
        on_response: response_headers.into_iter().collect(),
    })
}
