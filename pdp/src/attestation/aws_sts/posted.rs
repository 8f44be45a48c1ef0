//! A posted request, as Vault's `aws` method takes it: method, URL, body and headers as JSON, of which
//! all but the method are in base64. (Headers may also stand there as an object.)

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_core::json;
use edgeward_core::time::UnixSeconds;
use serde_json::{Map, Value};

use super::signing::{ALGORITHM, LONGEST, Scope, signature, signed_headers};
use super::{AwsStsRefusal, AwsStsSettings, CallerRequest, SERVER_ID_HEADER};

/// The longest evidence of this form, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The most headers.
const MAX_HEADERS: usize = 32;
/// The longest name of one.
const MAX_NAME_BYTES: usize = 64;
/// The one body that is sent: its digest is signed, so that it is this one to the letter.
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
/// The type of that body.
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads `evidence` and makes its request anew.
pub(super) fn read(
    evidence: &str,
    settings: &AwsStsSettings,
    now: UnixSeconds,
) -> Result<CallerRequest, AwsStsRefusal> {
    if evidence.len() > MAX_BYTES {
        return Err(AwsStsRefusal::TooLong(MAX_BYTES));
    }
    let mut members =
        json::parse_object(evidence.as_bytes()).map_err(|_| AwsStsRefusal::Unreadable)?;
    let mut take = |name: &str| match members.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(AwsStsRefusal::Unreadable),
    };
    let method = take("iam_http_request_method")?;
    let target = text(&take("iam_request_url")?)?;
    let body = text(&take("iam_request_body")?)?;
    let headers = headers(members.remove("iam_request_headers"))?;
    if !members.is_empty() {
        return Err(AwsStsRefusal::Unreadable);
    }
    if method != "POST" || body != BODY {
        return Err(AwsStsRefusal::Action);
    }
    let told = |name: &'static str| {
        let value = headers.get(name).map(String::as_str);
        value.ok_or(AwsStsRefusal::Signing(name))
    };
    let authorization = Authorization::read(told("authorization")?)?;
    let signed = signed_headers(authorization.headers)?;
    if headers.get(SERVER_ID_HEADER) != Some(&settings.server_id) {
        return Err(AwsStsRefusal::ServerId);
    }
    let scope = Scope::read(authorization.credential, told("x-amz-date")?)?;
    let url = settings.endpoints.find(scope.region, &target)?;
    let expires_at = scope.expiry(LONGEST, now)?;
    Ok(CallerRequest {
        url,
        headers: rebuilt(&headers, &signed, settings)?,
        body: Some(BODY),
        signature: signature(authorization.signature)?,
        expires_at,
    })
}

/// The headers that are sent: those that are signed, and the signature. The names are ours.
fn rebuilt(
    headers: &BTreeMap<String, String>,
    signed: &[&str],
    settings: &AwsStsSettings,
) -> Result<Vec<(&'static str, String)>, AwsStsRefusal> {
    let told = |name: &'static str| {
        let value = headers.get(name).cloned();
        value.ok_or(AwsStsRefusal::Signing(name))
    };
    let mut sent = vec![("authorization", told("authorization")?)];
    let mut is_typed = false;
    for name in signed {
        match *name {
            // Both are told by what is sent, and are as they were signed or STS refuses.
            "host" => {}
            "content-length" if told("content-length")? == BODY.len().to_string() => {}
            SERVER_ID_HEADER => sent.push((SERVER_ID_HEADER, settings.server_id.clone())),
            "x-amz-date" => sent.push(("x-amz-date", told("x-amz-date")?)),
            "x-amz-security-token" => {
                sent.push(("x-amz-security-token", told("x-amz-security-token")?));
            }
            "content-type" => {
                let value = told("content-type")?;
                let kind = value.split(';').next().unwrap_or_default();
                if !kind.eq_ignore_ascii_case(FORM) {
                    return Err(AwsStsRefusal::Action);
                }
                is_typed = true;
                sent.push(("content-type", value));
            }
            other => return Err(AwsStsRefusal::Header(other.to_owned())),
        }
    }
    if !signed.contains(&"x-amz-date") {
        return Err(AwsStsRefusal::Signing("x-amz-date"));
    }
    if headers.contains_key("x-amz-security-token") && !signed.contains(&"x-amz-security-token") {
        return Err(AwsStsRefusal::Signing("x-amz-security-token"));
    }
    if !is_typed {
        sent.push(("content-type", FORM.to_owned()));
    }
    Ok(sent)
}

/// The headers by their names in lower case, each once, with one value of visible ASCII.
fn headers(member: Option<Value>) -> Result<BTreeMap<String, String>, AwsStsRefusal> {
    let members: Map<String, Value> = match member {
        Some(Value::Object(members)) => members,
        Some(Value::String(encoded)) => {
            json::parse_object(text(&encoded)?.as_bytes()).map_err(|_| AwsStsRefusal::Unreadable)?
        }
        _ => return Err(AwsStsRefusal::Unreadable),
    };
    if members.len() > MAX_HEADERS {
        return Err(AwsStsRefusal::Unreadable);
    }
    let mut headers = BTreeMap::new();
    for (name, value) in members {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(is_name) {
            return Err(AwsStsRefusal::Unreadable);
        }
        let value = match value {
            Value::String(value) => value,
            Value::Array(mut values) => match (values.pop(), values.is_empty()) {
                (Some(Value::String(value)), true) => value,
                (Some(_), false) => return Err(AwsStsRefusal::Duplicate(name)),
                _ => return Err(AwsStsRefusal::Unreadable),
            },
            _ => return Err(AwsStsRefusal::Unreadable),
        };
        let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if !value.bytes().all(is_plain) || value.trim() != value {
            return Err(AwsStsRefusal::Unreadable);
        }
        if headers.insert(name.to_ascii_lowercase(), value).is_some() {
            return Err(AwsStsRefusal::Duplicate(name));
        }
    }
    Ok(headers)
}

/// Text in base64.
fn text(encoded: &str) -> Result<String, AwsStsRefusal> {
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|_| AwsStsRefusal::Unreadable)?;
    String::from_utf8(bytes).map_err(|_| AwsStsRefusal::Unreadable)
}

/// What the `Authorization` header says: three parts in the order in which AWS writes them.
struct Authorization<'h> {
    credential: &'h str,
    headers: &'h str,
    signature: &'h str,
}

impl<'h> Authorization<'h> {
    fn read(header: &'h str) -> Result<Self, AwsStsRefusal> {
        let wrong = || AwsStsRefusal::Signing("authorization");
        let rest = header
            .strip_prefix(ALGORITHM)
            .and_then(|rest| rest.strip_prefix(' '));
        let parts: Vec<&str> = rest.ok_or_else(wrong)?.split(',').collect();
        let [credential, headers, signature] = parts.as_slice() else {
            return Err(wrong());
        };
        let part = |part: &'h str, name: &str| {
            let part = part.strip_prefix(' ').unwrap_or(part);
            part.strip_prefix(name).ok_or_else(wrong)
        };
        Ok(Self {
            credential: part(credential, "Credential=")?,
            headers: part(headers, "SignedHeaders=")?,
            signature: part(signature, "Signature=")?,
        })
    }
}
