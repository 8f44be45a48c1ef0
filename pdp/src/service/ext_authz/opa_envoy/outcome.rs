//! A policy's result as `opa-envoy-plugin` reads it: a boolean, or an object with `allowed` and what is to
//! be changed. What has another shape is no result.

use serde_json::{Map, Value as Json};

use edgeward_core::headers;
use envoy_types::pb::envoy::r#type::v3::StatusCode;

/// Names and values, in the order of their names.
type Pairs = Vec<(String, String)>;

/// Levels of metadata: Envoy reads no message that nests more than a hundred, and each level here is three of
/// those. What it cannot read would be an error to it, and no deny.
const MAX_DEPTH: usize = 16;
/// Bytes of a result, written as JSON.
const MAX_BYTES: usize = 256 * 1024;

/// What a policy wants done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) allowed: bool,
    /// For the request that passes, or for the response that refuses it. Names in lower case.
    pub(super) headers: Pairs,
    /// For the response to a request that passes.
    pub(super) response_headers: Pairs,
    /// To be removed from the request.
    pub(super) remove: Vec<String>,
    pub(super) query_set: Pairs,
    pub(super) query_remove: Vec<String>,
    /// Of the response that refuses.
    pub(super) status: Option<u16>,
    pub(super) body: String,
    pub(super) metadata: Map<String, Json>,
}

impl Outcome {
    /// Reads a result, or says what is wrong with it.
    pub(super) fn read(document: Json) -> Result<Self, String> {
        let mut members = match document {
            Json::Bool(allowed) => {
                return Ok(Self {
                    allowed,
                    ..Self::default()
                });
            }
            Json::Object(members) => members,
            _ => return Err("it must be a boolean or an object with `allowed`".to_owned()),
        };
        let Some(Json::Bool(allowed)) = members.remove("allowed") else {
            return Err("`allowed` must be there, and a boolean".to_owned());
        };
        let size = serde_json::to_string(&members).map_or(usize::MAX, |text| text.len());
        if size > MAX_BYTES {
            return Err(format!("it is longer than {MAX_BYTES} bytes"));
        }
        let mut member = |name: &'static str| members.remove(name);
        let body = match member("body") {
            None => String::new(),
            Some(Json::String(body)) => body,
            Some(_) => return Err("`body` must be a text".to_owned()),
        };
        let metadata = match member("dynamic_metadata") {
            None => Map::new(),
            Some(Json::Object(metadata)) if metadata.values().all(|of| is_flat(of, MAX_DEPTH)) => {
                metadata
            }
            Some(Json::Object(_)) => {
                return Err(format!(
                    "`dynamic_metadata` is more than {MAX_DEPTH} levels deep"
                ));
            }
            Some(_) => return Err("`dynamic_metadata` must be an object".to_owned()),
        };
        let read = Self {
            allowed,
            headers: header_pairs("headers", member("headers"))?,
            response_headers: header_pairs(
                "response_headers_to_add",
                member("response_headers_to_add"),
            )?,
            remove: texts(
                "request_headers_to_remove",
                member("request_headers_to_remove"),
            )?,
            query_set: query_pairs(member("query_parameters_to_set"))?,
            query_remove: texts(
                "query_parameters_to_remove",
                member("query_parameters_to_remove"),
            )?,
            status: status(member("http_status"))?,
            body,
            metadata,
        };
        let removed = read.remove.iter().map(|name| name.to_ascii_lowercase());
        let remove: Vec<String> = removed.collect();
        match remove.iter().find(|name| !headers::may_be_set(name)) {
            Some(name) => Err(format!("the header `{name}` may not be removed")),
            None => Ok(Self { remove, ..read }),
        }
    }
}

/// A status that says how a request was refused; one that HTTP has.
fn status(written: Option<Json>) -> Result<Option<u16>, String> {
    let Some(written) = written else {
        return Ok(None);
    };
    let status = written
        .as_u64()
        .and_then(|status| u16::try_from(status).ok());
    match status {
        // Envoy knows no others.
        Some(status) if status >= 200 && StatusCode::try_from(i32::from(status)).is_ok() => {
            Ok(Some(status))
        }
        _ => Err("`http_status` must be a status of HTTP from 200 on".to_owned()),
    }
}

/// Whether `of` is at most so many levels deep.
fn is_flat(of: &Json, levels: usize) -> bool {
    let Some(inside) = levels.checked_sub(1) else {
        return false;
    };
    match of {
        Json::Array(items) => items.iter().all(|item| is_flat(item, inside)),
        Json::Object(members) => members.values().all(|member| is_flat(member, inside)),
        _ => true,
    }
}

/// Parameters as they may stand in a query: Envoy writes them into it as they are.
fn query_pairs(written: Option<Json>) -> Result<Pairs, String> {
    const WHAT: &str = "query_parameters_to_set";
    let all = pairs(WHAT, written)?;
    let may_stand = |text: &str| {
        let may = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@/?+%=".contains(&byte);
        text.bytes().all(may)
    };
    match all
        .iter()
        .find(|(name, value)| !may_stand(name) || name.contains('=') || !may_stand(value))
    {
        Some((name, _)) => Err(format!("`{WHAT}`: `{name}` is not percent-encoded")),
        None => Ok(all),
    }
}

fn header_pairs(what: &str, written: Option<Json>) -> Result<Pairs, String> {
    let mut all = Vec::new();
    for (name, value) in pairs(what, written)? {
        let name = name.to_ascii_lowercase();
        if !headers::may_be_set(&name) {
            return Err(format!("`{what}`: the header `{name}` may not be set"));
        }
        if value
            .bytes()
            .any(|byte| byte.is_ascii_control() && byte != b'\t')
        {
            return Err(format!(
                "`{what}`: the value of `{name}` has a control character"
            ));
        }
        all.push((name, value));
    }
    Ok(all)
}

/// An object of texts or lists of texts, or a list of such objects.
fn pairs(what: &str, written: Option<Json>) -> Result<Pairs, String> {
    let wrong = || format!("`{what}` must be an object of texts or lists of texts");
    let objects = match written {
        None => return Ok(Vec::new()),
        Some(Json::Array(objects)) => objects,
        Some(object) => vec![object],
    };
    let mut all = Vec::new();
    for object in objects {
        let Json::Object(members) = object else {
            return Err(wrong());
        };
        for (name, value) in members {
            match value {
                Json::String(value) => all.push((name, value)),
                value => {
                    for value in texts(what, Some(value)).map_err(|_| wrong())? {
                        all.push((name.clone(), value));
                    }
                }
            }
        }
    }
    Ok(all)
}

fn texts(what: &str, written: Option<Json>) -> Result<Vec<String>, String> {
    let items = match written {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) => Some(items),
        Some(_) => None,
    };
    let text = |item| match item {
        Json::String(text) => Some(text),
        _ => None,
    };
    items
        .and_then(|items| items.into_iter().map(text).collect())
        .ok_or_else(|| format!("`{what}` must be a list of texts"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_plugin_takes_is_read_as_it_reads_it() {
        let read = |document| Outcome::read(document).unwrap();
        assert!(read(json!(true)).allowed);
        assert_eq!(read(json!(false)), Outcome::default());
        let outcome = read(json!({
            "allowed": true, "headers": {"X-A": "1", "b": ["2", "3"]},
            "response_headers_to_add": [{"c": "4"}, {"d": "5"}], "request_headers_to_remove": ["X-E"],
            "query_parameters_to_set": {"q": ["1", "2"]}, "query_parameters_to_remove": ["r"],
            "http_status": 401, "body": "no", "dynamic_metadata": {"m": {"n": 1}}, "more": 1,
        }));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            outcome.headers,
            [pair("x-a", "1"), pair("b", "2"), pair("b", "3")]
        );
        assert_eq!(outcome.response_headers, [pair("c", "4"), pair("d", "5")]);
        assert_eq!(
            (outcome.remove, outcome.query_remove),
            (vec!["x-e".to_owned()], vec!["r".to_owned()])
        );
        assert_eq!(outcome.query_set, [pair("q", "1"), pair("q", "2")]);
        assert_eq!((outcome.status, &*outcome.body), (Some(401), "no"));
        assert_eq!(outcome.metadata["m"]["n"], 1);
    }

    fn deep(levels: usize) -> Json {
        (0..levels).fold(json!(1), |inside, _| json!({ "a": inside }))
    }

    #[test]
    fn what_is_no_result_is_none() {
        let whole = json!({"allowed": true, "dynamic_metadata": deep(16)});
        assert!(Outcome::read(whole).is_ok());
        let allowed = |name: &str, value: Json| json!({ "allowed": true, name: value });
        for document in [
            json!(null),
            json!("true"),
            json!([true]),
            json!({}),
            json!({"allow": true}),
            json!({"allowed": "true"}),
            allowed("headers", json!({"a": 1})),
            allowed("headers", json!("a")),
            allowed("headers", json!({"a": ["b", 1]})),
            allowed("headers", json!({":path": "/admin"})),
            allowed("headers", json!({"Host": "admin"})),
            allowed("headers", json!({"a": "b\r\nc: d"})),
            allowed("response_headers_to_add", json!({"content-length": "0"})),
            allowed("request_headers_to_remove", json!(["host"])),
            allowed("request_headers_to_remove", json!("a")),
            allowed("query_parameters_to_set", json!({"a": null})),
            allowed("query_parameters_to_remove", json!([1])),
            allowed("http_status", json!(99)),
            allowed("http_status", json!(100)),
            allowed("http_status", json!(600)),
            allowed("http_status", json!(299)),
            allowed("query_parameters_to_set", json!({"a": "x&admin=1"})),
            allowed("query_parameters_to_set", json!({"a": "x HTTP/1.1"})),
            allowed("query_parameters_to_set", json!({"a=b": "x"})),
            allowed("query_parameters_to_set", json!({"a": "x#"})),
            allowed("dynamic_metadata", deep(17)),
            allowed("body", json!("x".repeat(MAX_BYTES))),
            allowed("http_status", json!("403")),
            allowed("http_status", json!(403.5)),
            allowed("body", json!({})),
            allowed("dynamic_metadata", json!([])),
        ] {
            assert!(Outcome::read(document.clone()).is_err(), "{document}");
        }
    }
}
