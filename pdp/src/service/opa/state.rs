//! What the PDP says of itself in OPA's words: health, configuration, status, policies. All of it only
//! read.
//!
//! INVARIANT: no secret and no file of the configuration is in any of it.

use std::rc::Rc;
use std::sync::Arc;

use http::StatusCode;
use http::Uri;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::errors::Trouble;
use super::wanted::Wanted;
use super::written;
use crate::policy::{Module, PolicySet};
use crate::service::reply::Reply;
use crate::service::worker::WorkerState;

/// The name under which OPA's clients see the policy folder, and the keys.
const POLICIES: &str = "policies";
const KEYS: &str = "keys";

#[derive(Serialize)]
struct Told<T> {
    result: T,
}

/// A policy file.
#[derive(Serialize)]
struct Policy<'a> {
    id: &'a str,
    raw: &'a str,
}

impl<'a> Policy<'a> {
    fn of(module: &'a Module) -> Self {
        Self {
            id: &module.file,
            raw: &module.text,
        }
    }
}

/// `GET /health`: 200 while questions are answered. With `bundles` policies must be in force, which are
/// always there where they come from a folder; with `plugins` keys must be there too.
pub(super) fn health(worker: &Rc<WorkerState>, uri: &Uri) -> Result<Reply, Trouble> {
    let wanted = Wanted::of(uri)?;
    let keys_matter = wanted.plugins && !wanted.excluded_plugins.iter().any(|name| name == KEYS);
    let policies_matter = wanted.bundles
        || wanted.plugins && !wanted.excluded_plugins.iter().any(|name| name == "bundle");
    let withheld = worker.state().policies.borrow().set.why_withheld();
    let trouble = if *worker.stop().borrow() {
        Some("stopping")
    } else if policies_matter && withheld.is_some() {
        Some("one or more bundles are not activated")
    } else if keys_matter && !worker.state().keys.is_ready() {
        Some("one or more plugins are not up: keys")
    } else {
        None
    };
    match trouble {
        None => written::reply(StatusCode::OK, &json!({}), wanted.pretty),
        Some(error) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            written::reply(status, &json!({ "error": error }), wanted.pretty)
        }
    }
}

/// `GET /v1/config`: what OPA's clients look for in it.
pub(super) fn config(worker: &Rc<WorkerState>, uri: &Uri) -> Result<Reply, Trouble> {
    let result = json!({
        "default_authorization_decision": "/system/authz/allow",
        "default_decision": "/system/main",
        "labels": labels(worker),
    });
    told(result, uri)
}

/// `GET /v1/status`: the policy folder as a bundle, its state and that of the keys as plugins.
pub(super) fn status(worker: &Rc<WorkerState>, uri: &Uri) -> Result<Reply, Trouble> {
    let policies = worker.state().policies.borrow().clone();
    let state = |is_ok: bool| json!({ "state": if is_ok { "OK" } else { "NOT_READY" } });
    if let Some(bundles) = &worker.state().bundles {
        let statuses = bundles.statuses().into_iter();
        let named = statuses.map(|status| (status.name.clone(), json!(status)));
        let is_active = policies.set.why_withheld().is_none();
        let result = json!({
            "labels": labels(worker),
            "bundles": named.collect::<Map<String, Value>>(),
            "plugins": { "bundle": state(is_active), KEYS: state(worker.state().keys.is_ready()) },
        });
        return told(result, uri);
    }
    let mut bundle = json!({ "name": POLICIES, "active_revision": policies.set.revision() });
    if let (Some(error), Some(members)) = (&policies.last_error, bundle.as_object_mut()) {
        members.insert("code".to_owned(), "bundle_error".into());
        members.insert("message".to_owned(), (&**error).into());
    }
    let result = json!({
        "labels": labels(worker),
        "bundles": { POLICIES: bundle },
        "plugins": { POLICIES: state(true), KEYS: state(worker.state().keys.is_ready()) },
    });
    told(result, uri)
}

/// `GET /v1/policies`: every policy file, tests included, by its path in the policy folder.
pub(super) fn policies(worker: &Rc<WorkerState>, uri: &Uri) -> Result<Reply, Trouble> {
    let set = in_force(worker);
    let all: Vec<Policy<'_>> = set.module_texts().iter().map(Policy::of).collect();
    told(all, uri)
}

/// `GET /v1/policies/{id}`.
pub(super) fn policy(worker: &Rc<WorkerState>, id: &str, uri: &Uri) -> Result<Reply, Trouble> {
    let set = in_force(worker);
    let found = set.module_texts().iter().find(|module| module.file == id);
    let module = found.ok_or_else(|| Trouble::NoSuchPolicy(id.to_owned()))?;
    told(Policy::of(module), uri)
}

fn in_force(worker: &Rc<WorkerState>) -> Arc<PolicySet> {
    worker.state().policies.borrow().set.clone()
}

fn labels(worker: &Rc<WorkerState>) -> Value {
    json!({ "id": worker.boot_id(), "version": env!("CARGO_PKG_VERSION") })
}

fn told<T: Serialize>(result: T, uri: &Uri) -> Result<Reply, Trouble> {
    let pretty = Wanted::of(uri)?.pretty;
    written::reply(StatusCode::OK, &Told { result }, pretty)
}
