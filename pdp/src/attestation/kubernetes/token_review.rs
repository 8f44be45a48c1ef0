//! The TokenReview: what is asked, and what of the answer must agree with the token.
//!
//! Source: kubernetes.io, API reference `authentication.k8s.io/v1`, TokenReview.

use serde_json::{Value, json};

use super::ReviewRefusal;
use super::json::{Object, object, text};
use crate::attestation::Attributes;

/// Where reviews are made.
pub(super) const PATH: &[&str] = &["apis", "authentication.k8s.io", "v1", "tokenreviews"];

/// What the API server adds to the user of a bound token, with the attribute that must say the same.
const EXTRA: [(&str, &str); 4] = [
    ("authentication.kubernetes.io/pod-name", "pod"),
    ("authentication.kubernetes.io/pod-uid", "pod_uid"),
    ("authentication.kubernetes.io/node-name", "node"),
    ("authentication.kubernetes.io/node-uid", "node_uid"),
];

/// Asks whether `token` holds, for one of `audiences`.
pub(super) fn question(token: &str, audiences: &[String]) -> Value {
    json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": { "token": token, "audiences": audiences },
    })
}

/// Whether the answer stands behind the token, for us, and for what `attributes` say.
pub(super) fn check(
    answer: &Object,
    audiences: &[String],
    attributes: &Attributes,
) -> Result<(), ReviewRefusal> {
    if text(answer, "kind")? != Some("TokenReview") {
        return Err(ReviewRefusal::Answer("kind"));
    }
    let status = object(answer, "status")?;
    match status.get("authenticated") {
        Some(Value::Bool(true)) => {}
        None | Some(Value::Bool(false)) => return Err(ReviewRefusal::Rejected),
        Some(_) => return Err(ReviewRefusal::Answer("authenticated")),
    }
    if text(status, "error")?.is_some() {
        return Err(ReviewRefusal::Rejected);
    }
    check_audiences(status, audiences)?;
    let user = object(status, "user")?;
    let name = text(user, "username")?;
    let parts = ["namespace", "service_account"].map(|name| attributes.single(name));
    let [Some(namespace), Some(account)] = parts else {
        return Err(ReviewRefusal::Disagreement("username"));
    };
    if name != Some(&format!("system:serviceaccount:{namespace}:{account}")) {
        return Err(ReviewRefusal::Disagreement("username"));
    }
    if text(user, "uid")? != attributes.single("service_account_uid") {
        return Err(ReviewRefusal::Disagreement("uid"));
    }
    check_extra(user, attributes)
}

/// An API server that does not know of audiences tells none: it would take a token for anybody.
fn check_audiences(status: &Object, audiences: &[String]) -> Result<(), ReviewRefusal> {
    let told = status.get("audiences").and_then(Value::as_array);
    let is_ours = |name: &Value| {
        name.as_str()
            .is_some_and(|name| audiences.iter().any(|ours| ours == name))
    };
    match told {
        Some(told) if !told.is_empty() && told.iter().all(is_ours) => Ok(()),
        _ => Err(ReviewRefusal::Disagreement("audiences")),
    }
}

/// What it tells of the pod and node is what the token says; older servers tell less.
fn check_extra(user: &Object, attributes: &Attributes) -> Result<(), ReviewRefusal> {
    let Some(extra) = user.get("extra").filter(|extra| !extra.is_null()) else {
        return Ok(());
    };
    let extra = extra.as_object().ok_or(ReviewRefusal::Answer("extra"))?;
    for (name, attribute) in EXTRA {
        let Some(told) = extra.get(name) else {
            continue;
        };
        let told = match told.as_array().map(Vec::as_slice) {
            Some([Value::String(only)]) => only,
            _ => return Err(ReviewRefusal::Answer("extra")),
        };
        if attributes.single(attribute) != Some(told) {
            return Err(ReviewRefusal::Disagreement("extra"));
        }
    }
    Ok(())
}
