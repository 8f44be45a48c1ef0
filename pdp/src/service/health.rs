//! Health doors. Live: the process answers. Ready: policy and keys are loaded and it is not
//! stopping; with what each source of keys says, because "not ready" alone helps nobody.

use std::rc::Rc;

use http::StatusCode;
use serde::Serialize;

use super::reply::{self, Reply};
use super::worker::WorkerState;
use crate::bundle::BundleStatus;
use crate::keys::SourceStatus;
use crate::policy::Withheld;

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    stopping: bool,
    policy: Policy,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundles: Option<Vec<BundleStatus>>,
    keys: Keys,
}

#[derive(Serialize)]
struct Policy {
    /// The revision that decides.
    revision: String,
    /// Why none does, and everything is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<&'static str>,
    /// Why newer content is not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    reloads: u64,
    refused: u64,
    /// What evaluates it.
    engine: &'static str,
    /// Why it is not bytecode.
    #[serde(skip_serializing_if = "Option::is_none")]
    interpreted: Option<String>,
}

#[derive(Serialize)]
struct Keys {
    ready: bool,
    sources: Vec<SourceStatus>,
}

pub(super) fn live() -> Reply {
    reply::json(StatusCode::OK, &serde_json::json!({"live": true}))
}

pub(super) fn ready(worker: &Rc<WorkerState>) -> Reply {
    let stopping = *worker.stop().borrow();
    let keys_ready = worker.state().keys.is_ready();
    let (policy, withheld) = {
        let state = worker.state().policies.borrow();
        let withheld = state.set.why_withheld();
        let policy = Policy {
            withheld: withheld.map(Withheld::code),
            revision: state.set.revision().to_owned(),
            last_error: state.last_error.as_deref().map(str::to_owned),
            reloads: state.reloads,
            refused: state.refused,
            engine: state.set.engine(),
            interpreted: state.set.interpreted().map(ToString::to_string),
        };
        (policy, withheld)
    };
    let ready = keys_ready && !stopping && withheld.is_none();
    let bundles = worker.state().bundles.as_ref();
    let bundles = bundles.map(|bundles| bundles.statuses());
    let keys = Keys {
        ready: keys_ready,
        sources: worker.state().keys.statuses(),
    };
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    reply::json(
        status,
        &Readiness {
            ready,
            stopping,
            policy,
            bundles,
            keys,
        },
    )
}
