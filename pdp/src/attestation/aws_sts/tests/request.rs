//! Requests as a workload signs them, with any one thing wrong.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edgeward_core::revocation::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::crypto::AwsScope;

/// 2026-06-01T12:00:00Z.
pub(super) const TIME: &str = "20260601T120000Z";
pub(super) const SIGNED_AT: u64 = 1_780_315_200;
pub(super) const SERVER: &str = "https://edgeward.example";
pub(super) const SCOPE: AwsScope<'_> = AwsScope {
    access: "ASIAIOSFODNN7EXAMPLE",
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    session: "",
    region: "eu-central-1",
    service: "sts",
};
pub(super) const CREDENTIAL: &str =
    "ASIAIOSFODNN7EXAMPLE%2F20260601%2Feu-central-1%2Fsts%2Faws4_request";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEA%2F%2B%3D";
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// The presigned URL for `host`, over these headers beside `host`, by its parts.
pub(super) fn presigned_url(host: &str, scheme: &str, headers: &[(&str, &str)]) -> String {
    let mut signed: BTreeMap<&str, &str> = headers.iter().copied().collect();
    signed.insert("host", host);
    let names: Vec<&str> = signed.keys().copied().collect();
    let query = format!(
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential={CREDENTIAL}&X-Amz-Date={TIME}&X-Amz-Expires=900\
         &X-Amz-Security-Token={TOKEN}&X-Amz-SignedHeaders={}",
        names.join("%3B")
    );
    let start = format!("GET\n/\n{query}");
    let empty = hex(&Sha256::digest(""));
    let header = SCOPE.authorization(TIME, start.into(), &signed, &empty);
    let (_, signature) = header.split_once("Signature=").unwrap();
    format!("{scheme}://{host}/?{query}&X-Amz-Signature={signature}")
}

/// A token around any text.
pub(super) fn token(url: &str) -> String {
    format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
}

/// The members of a posted request for `url`, signed for `host`.
pub(super) fn posted(host: &str, url: &str) -> BTreeMap<&'static str, Value> {
    let headers = json!({
        "Content-Type": ["application/x-www-form-urlencoded; charset=utf-8"],
        "Content-Length": ["43"],
        "X-Amz-Date": [TIME],
        "X-Amz-Security-Token": ["IQoJb3JpZ2luX2VjEA/+="],
        "X-Edgeward-Server-ID": [SERVER],
        "User-Agent": ["aws-sdk-go/1.55"],
    });
    signed_post(host, url, headers, None)
}

/// As [`posted`], with these headers, of which all but `User-Agent` (or `names` alone) are signed.
pub(super) fn signed_post(
    host: &str,
    url: &str,
    mut headers: Value,
    names: Option<&[&str]>,
) -> BTreeMap<&'static str, Value> {
    let all = headers.as_object_mut().unwrap();
    let mut signed: BTreeMap<String, String> = all
        .iter()
        .filter(|(name, _)| *name != "User-Agent")
        .map(|(name, value)| {
            let value = value.as_str().or_else(|| value[0].as_str()).unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect();
    signed.insert("host".to_owned(), host.to_owned());
    if let Some(names) = names {
        signed.retain(|name, _| names.contains(&name.as_str()));
    }
    let content = hex(&Sha256::digest(BODY));
    let authorization = SCOPE.authorization(TIME, "POST\n/\n".into(), &signed, &content);
    all.insert("Authorization".to_owned(), json!([authorization]));
    BTreeMap::from([
        ("iam_http_request_method", json!("POST")),
        ("iam_request_url", json!(STANDARD.encode(url))),
        ("iam_request_body", json!(STANDARD.encode(BODY))),
        (
            "iam_request_headers",
            json!(STANDARD.encode(headers.to_string())),
        ),
    ])
}
