//! Path and method → door. Which paths a listener has depends on its role.

use std::rc::Rc;

use edgeward_core::authzen::{
    EVALUATION_PATH, EVALUATIONS_PATH, SEARCH_ACTION_PATH, SEARCH_RESOURCE_PATH,
    SEARCH_SUBJECT_PATH,
};
use edgeward_core::decide::DECIDE_PATH;
use edgeward_core::feed::SYNC_PATH;
use edgeward_core::missing_keys::UNKNOWN_KEYS_PATH;
use http::{Method, Request};
use hyper::body::Incoming;
use tracing::Instrument as _;

use super::ExtAuthzSettings;
use super::reply::{Refusal, Reply};
use super::throttle::{Caller, Over};
use super::tls::ClientCertificate;
use super::worker::WorkerState;
use super::{
    authzen, evaluations, ext_authz, health, inventory, metadata, metrics, opa, projected,
    revocations, search, sync, token, trace, unknown_keys,
};

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Decisions, the feed, reports of unknown keys, metadata.
    Decide,
    /// Health and metrics.
    Admin,
    /// The token service, and nothing else.
    Tokens,
    /// Everything, where no admin listener is configured.
    Both,
}

/// How a request came in.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) role: Role,
    pub(super) tls: bool,
    /// Proved in the handshake, on a listener with client authorities.
    pub(super) client: Option<ClientCertificate>,
    /// Whose calls are counted together.
    pub(super) caller: Caller,
}

#[derive(Clone, Copy)]
enum Path {
    Evaluation,
    Evaluations,
    Search(search::Kind),
    Decide,
    Check,
    Sync,
    UnknownKeys,
    Metadata,
    Live,
    Ready,
    Metrics,
}

impl Path {
    fn of(text: &str, role: Role) -> Option<Self> {
        let (path, admin) = match text {
            EVALUATION_PATH => (Self::Evaluation, false),
            EVALUATIONS_PATH => (Self::Evaluations, false),
            SEARCH_SUBJECT_PATH => (Self::Search(search::Kind::Subject), false),
            SEARCH_RESOURCE_PATH => (Self::Search(search::Kind::Resource), false),
            SEARCH_ACTION_PATH => (Self::Search(search::Kind::Action), false),
            DECIDE_PATH => (Self::Decide, false),
            ext_authz::grpc::PATH => (Self::Check, false),
            SYNC_PATH => (Self::Sync, false),
            UNKNOWN_KEYS_PATH => (Self::UnknownKeys, false),
            metadata::PATH => (Self::Metadata, false),
            "/health/live" => (Self::Live, true),
            "/health/ready" => (Self::Ready, true),
            "/metrics" => (Self::Metrics, true),
            _ => return None,
        };
        let here = match role {
            Role::Both => true,
            Role::Decide => !admin,
            Role::Admin => admin,
            Role::Tokens => false,
        };
        here.then_some(path)
    }

    fn method(self) -> (Method, &'static str) {
        match self {
            Self::Evaluation
            | Self::Evaluations
            | Self::Search(_)
            | Self::Decide
            | Self::Check
            | Self::UnknownKeys => (Method::POST, "POST"),
            Self::Sync | Self::Metadata | Self::Live | Self::Ready | Self::Metrics => {
                (Method::GET, "GET")
            }
        }
    }
}

/// Answers one request.
pub(super) async fn answer(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    request: Request<Incoming>,
) -> Reply {
    let span = trace::of_call(request.headers());
    admitted(worker, arrival, request).instrument(span).await
}

/// Answers one request, if its caller may ask.
async fn admitted(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    request: Request<Incoming>,
) -> Reply {
    if !is_counted(request.uri().path()) {
        return route(worker, arrival, request).await;
    }
    match worker.throttle().admit(&arrival.caller) {
        Ok(_in_flight) => route(worker, arrival, request).await,
        Err(over) => {
            worker.state().metrics.over(over);
            tracing::debug!(caller = ?arrival.caller, code = over.code(), "a call over a limit");
            over.tell(refuse(worker, arrival, &request, over))
        }
    }
}

/// Whether calls of `path` count: not those by which one sees how it stands, nor those that revoke and the
/// feed that says so, which must not wait for others.
fn is_counted(path: &str) -> bool {
    let is_free = matches!(
        path,
        SYNC_PATH | "/health/live" | "/health/ready" | "/metrics"
    );
    !is_free && revocations::Place::of(path).is_none()
}

/// Refuses a call over a limit as its door does: a proxy that asks for others gets a deny.
fn refuse(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    request: &Request<Incoming>,
    over: Over,
) -> Reply {
    let path = request.uri().path();
    if arrival.role != Role::Admin
        && let Some(settings) = worker.ext_authz()
    {
        if path == ext_authz::grpc::PATH {
            return ext_authz::grpc::refuse(worker, over.code());
        }
        if let Some(gateway) = settings.gateway_at(path) {
            return ext_authz::http::refuse(worker, gateway, over.code());
        }
    }
    if arrival.role != Role::Admin && worker.opa_api().is_some() && opa::Door::of(path).is_some() {
        return opa::refuse(over.refusal());
    }
    over.refusal().into()
}

async fn route(worker: &Rc<WorkerState>, arrival: &Arrival, request: Request<Incoming>) -> Reply {
    if arrival.role == Role::Tokens {
        return tokens(worker, arrival, request).await;
    }
    // On every other listener: whoever may revoke shows a token or certificate of their own.
    if let Some(place) = revocations::Place::of(request.uri().path()) {
        return revocations::answer(worker, arrival, place, request).await;
    }
    if request.uri().path() == inventory::INVENTORY_PATH {
        return inventory::answer(worker, arrival, request).await;
    }
    let gateway = |door: &ExtAuthzSettings| door.gateway_at(request.uri().path());
    if let Some(settings) = worker.ext_authz().filter(|_| arrival.role != Role::Admin)
        && let Some(gateway) = gateway(settings)
    {
        return ext_authz::http::answer(worker, settings, gateway, request);
    }
    if arrival.role != Role::Admin && token::Place::of(request.uri().path()).is_some() {
        return tokens(worker, arrival, request).await;
    }
    if let Some(api) = worker.opa_api()
        && arrival.role != Role::Admin
        && let Some(door) = opa::Door::of(request.uri().clone().path())
    {
        return opa::answer(worker, api, door, request).await;
    }
    let Some(path) = Path::of(request.uri().path(), arrival.role) else {
        return Refusal::NotFound.into();
    };
    let (method, name) = path.method();
    if request.method() != method {
        return Refusal::MethodNotAllowed(name).into();
    }
    match path {
        Path::Evaluation => authzen::answer(worker, request).await,
        Path::Evaluations => evaluations::answer(worker, request).await,
        Path::Search(kind) => search::answer(worker, kind, request).await,
        Path::Decide => projected::answer(worker, request).await,
        Path::Check => match worker.ext_authz() {
            Some(settings) => ext_authz::grpc::answer(worker, settings, request).await,
            None => Refusal::NotFound.into(),
        },
        Path::Sync => sync::answer(worker, request.uri().query()).await,
        Path::UnknownKeys => unknown_keys::answer(worker, request).await,
        Path::Metadata => metadata::answer(worker, arrival, &request),
        Path::Live => health::live(),
        Path::Ready => health::ready(worker),
        Path::Metrics => metrics::answer(&worker.state().metrics),
    }
}

/// Answers a call of the token service's doors.
async fn tokens(worker: &Rc<WorkerState>, arrival: &Arrival, request: Request<Incoming>) -> Reply {
    let place = token::Place::of(request.uri().path());
    match (&worker.state().token_service, place) {
        (Some(service), Some(place)) => {
            token::answer(worker, service, arrival, place, request).await
        }
        _ => Refusal::NotFound.into(),
    }
}
