//! A ruling written as a `CheckResponse`: `ok_response` or `denied_response`, never
//! `error_response`, which `failure_mode_allow` could turn into an allow.
//!
//! Source: `envoy/service/auth/v3/external_auth.proto`, Envoy 1.40.

use edgeward_core::refusal::{Refusal, Reply};
use envoy_types::ext_authz::v3::pb::{
    CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption,
    HttpResponse, HttpStatus, OkHttpResponse,
};
use envoy_types::pb::google::protobuf::{Struct, Value, value::Kind};
use envoy_types::pb::google::rpc::Status;

use super::ruling::{Changes, Ruling};

/// Writes `ruling` down.
pub(super) fn write(ruling: Ruling) -> CheckResponse {
    match ruling {
        Ruling::Pass(changes) => pass(changes),
        Ruling::Refuse(reply) => refuse(&reply),
    }
}

fn pass(changes: Changes) -> CheckResponse {
    let Changes {
        decision_id,
        subject,
        set,
        remove,
        on_response,
    } = changes;
    let told = metadata([
        ("decision_id", decision_id.to_string()),
        ("subject", subject),
    ]);
    let ok = OkHttpResponse {
        headers: set.into_iter().map(replacing).collect(),
        headers_to_remove: remove,
        response_headers_to_add: on_response.into_iter().map(replacing).collect(),
        ..OkHttpResponse::default()
    };
    CheckResponse {
        // Code 0: the only one that allows.
        status: Some(Status::default()),
        dynamic_metadata: Some(told),
        http_response: Some(HttpResponse::OkResponse(ok)),
    }
}

fn refuse(reply: &Reply) -> CheckResponse {
    let mut headers = reply.headers();
    let body = if reply.grpc {
        // Envoy turns status and body into `grpc-status` and `grpc-message`, but knows no 400.
        headers.retain(|(name, _)| *name != "content-type");
        headers.push(("grpc-status", reply.refusal.grpc_status().to_string()));
        reply.grpc_message()
    } else {
        String::from_utf8(reply.body()).unwrap_or_default()
    };
    let told = metadata([
        ("decision_id", reply.decision_id.to_string()),
        ("code", reply.code.clone()),
    ]);
    let headers = headers
        .into_iter()
        .map(|(name, value)| replacing((name.to_owned(), value)));
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus {
            code: http_status(reply.refusal),
        }),
        headers: headers.collect(),
        body,
    };
    CheckResponse {
        status: Some(Status {
            code: grpc_code(reply.refusal),
            message: reply.code.clone(),
            details: Vec::new(),
        }),
        dynamic_metadata: Some(told),
        http_response: Some(HttpResponse::DeniedResponse(denied)),
    }
}

/// Sets a header, and leaves none of its name that was there.
pub(super) fn replacing((key, value): (String, String)) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key,
            value,
            raw_value: Vec::new(),
        }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: true,
        ..HeaderValueOption::default()
    }
}

/// For Envoy's access log: `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:decision_id)%`.
fn metadata<const N: usize>(texts: [(&str, String); N]) -> Struct {
    let field = |(name, text): (&str, String)| {
        let value = Value {
            kind: Some(Kind::StringValue(text)),
        };
        (name.to_owned(), value)
    };
    Struct {
        fields: texts.into_iter().map(field).collect(),
    }
}

/// The number of the status in `envoy.type.v3.StatusCode`, which is the status itself.
pub(super) fn http_status(refusal: Refusal) -> i32 {
    i32::try_from(refusal.status()).unwrap_or(403)
}

/// Never 0, which would allow.
pub(super) fn grpc_code(refusal: Refusal) -> i32 {
    const PERMISSION_DENIED: i32 = 7;
    match i32::try_from(refusal.grpc_status()) {
        Ok(code) if code != 0 => code,
        _ => PERMISSION_DENIED,
    }
}
