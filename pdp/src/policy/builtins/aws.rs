//! `providers.aws.sign_req`: a request's headers, signed for AWS (Signature Version 4). The request is sent
//! by nobody here, and the time is the policy's to say.
//!
//! Errors here, where OPA has an answer: times before 1970, header names that are not ASCII or differ in case
//! only (OPA takes one of those by chance), and bodies with sets or fractions. A whole number that came
//! as `1.0` is signed as `1`. Nothing of the credentials is in an error.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use edgeward_core::revocation::hex;
use regorus::Value;

use super::arguments::Arguments;
use super::urls::Url;
use super::{Builtin, Failed, bodies};

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
const CONTENT: &str = "x-amz-content-sha256";

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

/// Who signs, and for what.
struct Scope<'a> {
    access: &'a str,
    secret: &'a str,
    region: &'a str,
    service: &'a str,
    session: &'a str,
    sign_payload: bool,
}

impl<'a> Scope<'a> {
    fn read(config: &Members<'a>) -> Result<Self, Failed> {
        let sign_payload = match config.get("disable_payload_signing") {
            None => true,
            Some(Value::Bool(disabled)) => !disabled,
            Some(_) => {
                return Err(Failed::refused(
                    "invalid value for 'disable_payload_signing' in AWS config",
                ));
            }
        };
        Ok(Self {
            access: config.text("aws_access_key")?,
            secret: config.text("aws_secret_access_key")?,
            region: config.text("aws_region")?,
            service: config.text("aws_service")?,
            session: config.get("aws_session_token").map_or("", text_of),
            sign_payload,
        })
    }

    /// The key that is good for one day, region and service.
    fn key(&self, day: &str) -> hmac::Tag {
        let mac = |key: &[u8], message: &str| {
            hmac::sign(&hmac::Key::new(HMAC_SHA256, key), message.as_bytes())
        };
        let of_day = mac(format!("AWS4{}", self.secret).as_bytes(), day);
        let of_region = mac(of_day.as_ref(), self.region);
        let of_service = mac(of_region.as_ref(), self.service);
        mac(of_service.as_ref(), "aws4_request")
    }

    /// Headers that signing adds.
    fn headers(&self, host: &str, time: &str, content: &str) -> BTreeMap<&'static str, String> {
        let mut added =
            BTreeMap::from([("host", host.to_owned()), ("x-amz-date", time.to_owned())]);
        if matches!(self.service, "s3" | "glacier") {
            added.insert(CONTENT, content.to_owned());
        }
        if !self.session.is_empty() {
            added.insert("x-amz-security-token", self.session.to_owned());
        }
        added
    }
}

fn sign(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (request, config) = (Members(a.object(0)?), Members(a.object(1)?));
    let scope = Scope::read(&config)?;
    let time = time(a)?;
    let known = |name: &Value| PARAMETERS.contains(&text_of(name));
    if !request.0.keys().all(|name| known(name)) {
        return Err(Failed::refused("operand 1 invalid request parameters(s)"));
    }
    let (method, url) = (request.text("method")?, request.text("url")?);
    let url = Url::parse(url.as_bytes()).ok_or_else(|| Failed::refused("cannot parse url"))?;
    let host = std::str::from_utf8(&url.host).map_err(|_| Failed::refused("cannot parse url"))?;
    let headers = headers(&request)?;
    let content = if scope.sign_payload {
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
    let authorization = authorization(&scope, &time, start, &signed, &content);
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

/// The header that carries the signature. `start` is method, path and query.
fn authorization(
    scope: &Scope<'_>,
    time: &str,
    start: Vec<u8>,
    signed: &BTreeMap<String, &str>,
    content: &str,
) -> String {
    let names: Vec<&str> = signed.keys().map(String::as_str).collect();
    let names = names.join(";");
    let mut canonical = start;
    canonical.push(b'\n');
    for (name, value) in signed {
        canonical.extend_from_slice(format!("{name}:{value}\n").as_bytes());
    }
    canonical.extend_from_slice(format!("\n{names}\n{content}").as_bytes());
    let (day, _) = time.split_once('T').unwrap_or((time, ""));
    let within = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let canonical = hex(digest(&SHA256, &canonical).as_ref());
    let message = format!("AWS4-HMAC-SHA256\n{time}\n{within}\n{canonical}");
    let key = hmac::Key::new(HMAC_SHA256, scope.key(day).as_ref());
    let signature = hex(hmac::sign(&key, message.as_bytes()).as_ref());
    let access = scope.access;
    format!(
        "AWS4-HMAC-SHA256 Credential={access}/{within},SignedHeaders={names},Signature={signature}"
    )
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
