//! A policy's result as Envoy is told it. Edgeward's own changes come with it: its id, and what the client
//! may not say.

use edgeward_core::headers::DECISION_ID;
use edgeward_core::refusal::Refusal;
use envoy_types::ext_authz::v3::pb::{
    CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValueOption, HttpResponse,
    HttpStatus, OkHttpResponse,
};
use envoy_types::pb::envoy::config::core::v3::QueryParameter;
use envoy_types::pb::google::protobuf::{BoolValue, ListValue, Struct, Value, value::Kind};
use envoy_types::pb::google::rpc::Status;
use serde_json::{Map, Value as Json};

use super::super::check_response::{grpc_code, http_status, replacing};
use super::super::ruling::Changes;
use super::outcome::Outcome;

/// Writes `outcome` down, with the changes that are made to a request that passes.
pub(super) fn write(mut outcome: Outcome, changes: Changes) -> CheckResponse {
    let mut metadata = std::mem::take(&mut outcome.metadata);
    let id = changes.decision_id.to_string();
    metadata.insert("decision_id".to_owned(), id.clone().into());
    let (code, response) = if outcome.allowed {
        (0, HttpResponse::OkResponse(pass(outcome, changes)))
    } else {
        let mut denied = refuse(outcome);
        denied.headers.push(replacing((DECISION_ID.to_owned(), id)));
        let code = grpc_code(Refusal::Denied);
        (code, HttpResponse::DeniedResponse(denied))
    };
    CheckResponse {
        status: Some(Status {
            code,
            ..Status::default()
        }),
        dynamic_metadata: Some(object(metadata)),
        http_response: Some(response),
    }
}

fn pass(outcome: Outcome, changes: Changes) -> OkHttpResponse {
    let own = |name: &String| changes.set.iter().any(|(other, _)| other == name);
    let mut headers = options(outcome.headers.into_iter().filter(|(name, _)| !own(name)));
    let mut remove = changes.remove;
    remove.extend(outcome.remove);
    headers.extend(changes.set.into_iter().map(replacing));
    // Envoy removes after it sets.
    let is_set = |name: &String| {
        let mut set = headers.iter().filter_map(|option| option.header.as_ref());
        set.any(|header| header.key == *name)
    };
    remove.retain(|name| !is_set(name));
    let parameters = outcome.query_set.into_iter();
    OkHttpResponse {
        headers_to_remove: remove,
        headers,
        response_headers_to_add: outcome.response_headers.into_iter().map(adding).collect(),
        query_parameters_to_set: parameters
            .map(|(key, value)| QueryParameter { key, value })
            .collect(),
        query_parameters_to_remove: outcome.query_remove,
        ..OkHttpResponse::default()
    }
}

fn refuse(outcome: Outcome) -> DeniedHttpResponse {
    DeniedHttpResponse {
        status: Some(HttpStatus {
            code: outcome
                .status
                .map_or_else(|| http_status(Refusal::Denied), i32::from),
        }),
        headers: options(outcome.headers.into_iter()),
        body: outcome.body,
    }
}

/// The first of a name replaces what was there, those after it stay beside it.
fn options(pairs: impl Iterator<Item = (String, String)>) -> Vec<HeaderValueOption> {
    let mut options: Vec<HeaderValueOption> = Vec::new();
    for (name, value) in pairs {
        let is_there = |option: &HeaderValueOption| {
            option
                .header
                .as_ref()
                .is_some_and(|header| header.key == name)
        };
        let again = options.iter().any(is_there);
        options.push(if again {
            adding((name, value))
        } else {
            replacing((name, value))
        });
    }
    options
}

/// Adds a header beside those of its name.
#[expect(
    deprecated,
    reason = "Envoy still asks for `append` where a request's header is to be added"
)]
fn adding(pair: (String, String)) -> HeaderValueOption {
    HeaderValueOption {
        append_action: HeaderAppendAction::AppendIfExistsOrAdd.into(),
        append: Some(BoolValue { value: true }),
        ..replacing(pair)
    }
}

fn object(members: Map<String, Json>) -> Struct {
    let members = members.into_iter();
    Struct {
        fields: members
            .map(|(name, member)| (name, value(member)))
            .collect(),
    }
}

/// Depth is bounded by `outcome`.
fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(flag) => Kind::BoolValue(flag),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(value).collect(),
        }),
        Json::Object(members) => Kind::StructValue(object(members)),
    };
    Value { kind: Some(kind) }
}
