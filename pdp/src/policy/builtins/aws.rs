//! `providers.aws.sign_req`: a request's headers, signed for AWS (Signature Version 4). The request is sent
//! by nobody here, and the time is the policy's to say.
//!
//! Errors here, where OPA has an answer: times before 1970, header names that are not ASCII or differ in case
//! only (OPA takes one of those by chance), and bodies with sets or fractions. A whole number that came
//! as `1.0` is signed as `1`. Nothing of the credentials is in an error.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use edgeward_core::revocation::hex;
use regorus::Value;

use super::arguments::Arguments;
use super::urls::Url;
use super::{Builtin, Failed, bodies};
use crate::crypto::AwsScope;

/// What is here.
pub(super) const ALL: &[Builtin] = &[("providers.aws.sign_req", 3, sign)];

/// What a request may have, as `http.send` has it.
const PARAMETERS: [&str; 28] = [
    "body",
    "cache",
    "cache_ignored_headers",
    "caching_mode",
    "enable_redirect",
    "force_cache",
    "force_cache_duration_seconds",
    "force_json_decode",
    "force_yaml_decode",
    "headers",
    "max_retry_attempts",
    "method",
    "raise_error",
    "raw_body",
    "timeout",
    "tls_ca_cert",
    "tls_ca_cert_env_variable",
    "tls_ca_cert_file",
    "tls_client_cert",
    "tls_client_cert_env_variable",
    "tls_client_cert_file",
    "tls_client_key",
    "tls_client_key_env_variable",
    "tls_client_key_file",
    "tls_insecure_skip_verify",
    "tls_server_name",
    "tls_use_system_certs",
    "url",
];
/// Headers that proxies change.
const UNSIGNED: [&str; 3] = ["authorization", "user-agent", "x-amzn-trace-id"];

/// Members of an object, by name.
struct Members<'a>(BTreeMap<&'a Value, &'a Value>);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(&Value::from(name)).copied()
    }

    /// A text that must be there.
    fn text(&self, name: &str) -> Result<&'a str, Failed> {
        match self.get(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Failed::Refused(format!(
                "missing or invalid parameter: {name}"
            ))),
        }
    }
}

/// A text, empty where it is none.
fn text_of(value: &Value) -> &str {
    match value {
        Value::String(text) => text,
        _ => "",
    }
}

/// Who signs and for what, and whether the body is signed too.
fn scope<'a>(config: &Members<'a>) -> Result<(AwsScope<'a>, bool), Failed> {
    let sign_payload = match config.get("disable_payload_signing") {
        None => true,
        Some(Value::Bool(disabled)) => !disabled,
        Some(_) => {
            return Err(Failed::refused(
                "invalid value for 'disable_payload_signing' in AWS config",
            ));
        }
    };
    let scope = AwsScope {
        access: config.text("aws_access_key")?,
        secret: config.text("aws_secret_access_key")?,
        region: config.text("aws_region")?,
        service: config.text("aws_service")?,
        session: config.get("aws_session_token").map_or("", text_of),
    };
    Ok((scope, sign_payload))
}

fn sign(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (request, config) = (Members(a.object(0)?), Members(a.object(1)?));
    let (scope, sign_payload) = scope(&config)?;
    let time = time(a)?;
    let known = |name: &Value| PARAMETERS.contains(&text_of(name));
    if !request.0.keys().all(|name| known(name)) {
        return Err(Failed::refused("operand 1 invalid request parameters(s)"));
    }
    let (method, url) = (request.text("method")?, request.text("url")?);
    let url = Url::parse(url.as_bytes()).ok_or_else(|| Failed::refused("cannot parse url"))?;
    let host = std::str::from_utf8(&url.host).map_err(|_| Failed::refused("cannot parse url"))?;
    let headers = headers(&request)?;
    let content = if sign_payload {
        hex(digest(&SHA256, &body(&request)?).as_ref())
    } else {
        "UNSIGNED-PAYLOAD".to_owned()
    };
    let added = scope.headers(host, &time, &content);
    let mut signed: BTreeMap<String, &str> = BTreeMap::new();
    for (name, value) in &added {
        signed.insert((*name).to_owned(), value);
    }
    for (name, value) in &headers {
        let name = name.to_ascii_lowercase();
        if !UNSIGNED.contains(&&*name) {
            signed.insert(name, value);
        }
    }
    let start = [method.as_bytes(), &url.escaped_path(), &url.raw_query].join(&b'\n');
    let authorization = scope.authorization(&time, start, &signed, &content);
    let mut all: BTreeMap<Value, Value> = (headers.iter())
        .map(|(name, value)| (Value::from(*name), Value::from(*value)))
        .collect();
    all.insert(Value::from("Authorization"), Value::from(authorization));
    let added = added.into_iter();
    all.extend(added.map(|(name, value)| (Value::from(name), Value::from(value))));
    let kept = request.0.into_iter();
    let mut out: BTreeMap<Value, Value> = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
    out.insert(Value::from("headers"), Value::from(all));
    Ok(Value::from(out))
}

/// The time of signing, from nanoseconds since 1970.
fn time(a: &Arguments<'_>) -> Result<String, Failed> {
    let Value::Number(number) = a.any(2) else {
        return Err(a.wrong(2, "number"));
    };
    let nanoseconds = number.as_i64().filter(|count| *count >= 0);
    let time = nanoseconds.and_then(|count| jiff::Timestamp::from_nanosecond(count.into()).ok());
    let time = time.ok_or_else(|| {
        Failed::refused("operand 3 could not convert time_ns value into a unix timestamp")
    })?;
    Ok(time.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// The request's own headers. Values that are no texts are empty, as in OPA.
fn headers<'a>(request: &Members<'a>) -> Result<BTreeMap<&'a str, &'a str>, Failed> {
    let given = match request.get("headers") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(headers)) => headers,
        Some(_) => return Err(Failed::refused("headers must be an object")),
    };
    let (mut headers, mut seen) = (BTreeMap::new(), std::collections::BTreeSet::new());
    for (name, value) in given.iter() {
        let Value::String(name) = name else {
            return Err(Failed::refused("the name of a header must be a string"));
        };
        if !name.is_ascii() || !seen.insert(name.to_ascii_lowercase()) {
            return Err(Failed::refused(
                "names of headers must be ASCII, and differ not only in case",
            ));
        }
        headers.insert(&**name, text_of(value));
    }
    Ok(headers)
}

fn body(request: &Members<'_>) -> Result<Vec<u8>, Failed> {
    match (request.get("raw_body"), request.get("body")) {
        (Some(raw), _) => Ok(text_of(raw).as_bytes().to_vec()),
        (None, Some(body)) => bodies::json(body),
        (None, None) => Ok(Vec::new()),
    }
}
