//! The body of a request as `opa-envoy-plugin` reads it: JSON and forms, where Envoy sends it
//! (`with_request_body`).
//!
//! What is not read: parts (`multipart/form-data`), which are refused rather than shown as nothing, and
//! messages of gRPC, which the plugin too only reads where it was given their descriptors.

use std::collections::BTreeMap;

use edgeward_core::json;
use serde_json::Value as Json;
use url::form_urlencoded;

/// A body as a policy sees it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Body {
    /// What it says; null where there is none that can be read.
    pub(super) parsed: Json,
    /// Whether it is longer than what Envoy sent of it.
    pub(super) truncated: bool,
}

impl Body {
    /// Of which there is more.
    const PART: Self = Self {
        parsed: Json::Null,
        truncated: true,
    };
}

/// The reason code of a body that is not what its type says.
const UNREADABLE: &str = "ext-authz-body-unreadable";

/// Reads `bytes`, which are of the type `kind` and were said to be `length` long; `is_part` is Envoy's word that
/// there is more.
pub(super) fn read(
    bytes: &[u8],
    kind: Option<&str>,
    length: Option<&str>,
    is_part: bool,
) -> Result<Body, &'static str> {
    let kind = kind.unwrap_or_default();
    let is = |other: &str| kind.contains(other);
    let is_read = is("application/json")
        || is("application/x-www-form-urlencoded")
        || is("multipart/form-data");
    if bytes.is_empty() || !is_read {
        return Ok(Body::default());
    }
    if let Some(length) = length {
        let length: i64 = length.parse().map_err(|_| UNREADABLE)?;
        if usize::try_from(length).is_ok_and(|length| length > bytes.len()) {
            return Ok(Body::PART);
        }
    }
    if is_part {
        return Ok(Body::PART);
    }
    let parsed = if is("application/json") {
        json::parse(bytes).map_err(|_| UNREADABLE)?
    } else if is("application/x-www-form-urlencoded") {
        let text = std::str::from_utf8(bytes).map_err(|_| UNREADABLE)?;
        if !is_form(text) {
            return Err(UNREADABLE);
        }
        let pairs: Vec<_> = form_urlencoded::parse(bytes).into_owned().collect();
        lists(&pairs)
    } else {
        return Err(UNREADABLE);
    };
    Ok(Body {
        parsed,
        truncated: false,
    })
}

/// Whether Go's `net/url` would read it: each `%` has two digits behind it, and no `;` parts anything.
fn is_form(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    let digits = |part: &str| {
        part.get(..2)
            .is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    !text.contains(';') && parts.all(digits)
}

/// Names with all their values, in the order in which they came.
pub(super) fn lists(pairs: &[(String, String)]) -> Json {
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        lists.entry(name).or_default().push(value);
    }
    serde_json::json!(lists)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The plugin's own table (`TestGetParsedBody`), and what is refused here.
    #[test]
    fn a_body_is_what_the_plugin_makes_of_it_or_refused() {
        let json_type = Some("application/json");
        let form = Some("application/x-www-form-urlencoded");
        let good = |bytes: &str, kind, length, parsed: Json, truncated| {
            let body = read(bytes.as_bytes(), kind, length, false).unwrap();
            assert_eq!(body, Body { parsed, truncated }, "{bytes}");
        };
        good("", None, Some("0"), Json::Null, false);
        good("<p>", Some("text/html"), None, Json::Null, false);
        good("\"foo\"", json_type, None, json!("foo"), false);
        good("true", json_type, Some("4"), json!(true), false);
        good("42", json_type, Some("-1"), json!(42), false);
        good("null", json_type, None, Json::Null, false);
        good(
            "{\"a\": [1]}",
            Some("application/json; charset=utf-8"),
            None,
            json!({"a": [1]}),
            false,
        );
        good("", json_type, None, Json::Null, false);
        good("true", json_type, Some("1000"), Json::Null, true);
        good(
            "a=1&b=2&b=x+y",
            form,
            None,
            json!({"a": ["1"], "b": ["2", "x y"]}),
            false,
        );
        good(
            "t=a%0D%0Ab&u=%c3%a9",
            form,
            None,
            json!({"t": ["a\r\nb"], "u": ["é"]}),
            false,
        );
        let part = read(b"a=1", form, None, true);
        assert_eq!(part, Ok(Body::PART));
        good("a=1", form, Some("1000"), Json::Null, true);
        good("\0\0", Some("application/grpc"), None, Json::Null, false);
        for (bytes, kind, length) in [
            ("[\"foo\" : 42}", json_type, None),
            ("{\"a\": 1, \"a\": 2}", json_type, None),
            ("true", json_type, Some("many")),
            ("a=%zz", form, None),
            ("--x\r\n", Some("multipart/form-data; boundary=x"), None),
        ] {
            assert_eq!(
                read(bytes.as_bytes(), kind, length, false),
                Err(UNREADABLE),
                "{bytes}"
            );
        }
    }
}
