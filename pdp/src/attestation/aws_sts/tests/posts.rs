//! What a posted request must be.

use super::*;

#[tokio::test]
async fn a_posted_request_is_get_caller_identity_with_signed_headers_only() {
    let settings = settings(None);
    let url = "https://sts.eu-central-1.amazonaws.com/";
    let honest = posted(HOST, url);
    let encoded = |text: &str| json!(STANDARD.encode(text));
    for (name, value, expected) in [
        (
            "iam_http_request_method",
            json!("GET"),
            "evidence-request-action",
        ),
        (
            "iam_http_request_method",
            json!(["POST"]),
            "evidence-unreadable",
        ),
        (
            "iam_request_url",
            encoded("https://169.254.169.254/"),
            "evidence-request-host",
        ),
        (
            "iam_request_url",
            encoded("https://sts.eu-central-1.amazonaws.com/?Action=AssumeRole"),
            "evidence-request-url",
        ),
        (
            "iam_request_url",
            encoded("https://sts.eu-central-1.amazonaws.com/x/"),
            "evidence-request-url",
        ),
        (
            "iam_request_url",
            json!("https://sts.eu-central-1.amazonaws.com/"),
            "evidence-unreadable",
        ),
        (
            "iam_request_body",
            encoded("Action=AssumeRole&Version=2011-06-15"),
            "evidence-request-action",
        ),
        (
            "iam_request_body",
            encoded("Action=GetCallerIdentity&Version=2011-06-15&action=AssumeRole"),
            "evidence-request-action",
        ),
        ("iam_request_body", encoded(""), "evidence-request-action"),
        ("iam_request_headers", json!([]), "evidence-unreadable"),
        ("iam_request_headers", encoded("[]"), "evidence-unreadable"),
        ("iam_request_headers", json!({}), "evidence-request-signing"),
        (
            "iam_request_headers",
            json!({"a\nb": "x"}),
            "evidence-unreadable",
        ),
        (
            "iam_request_headers",
            json!({"a": "x\r\nb: c"}),
            "evidence-unreadable",
        ),
        (
            "iam_request_headers",
            json!({"a": ["x", "y"]}),
            "evidence-request-duplicate",
        ),
        (
            "iam_request_headers",
            json!({"a": []}),
            "evidence-unreadable",
        ),
        (
            "iam_request_headers",
            json!({"a": "x", "A": "y"}),
            "evidence-request-duplicate",
        ),
        (
            "iam_request_headers",
            encoded(r#"{"a":"x","a":"y"}"#),
            "evidence-unreadable",
        ),
        ("role", json!("admin"), "evidence-unreadable"),
    ] {
        let mut members = honest.clone();
        members.insert(name, value.clone());
        assert_eq!(
            code(&text(&members), &settings).await,
            expected,
            "{name} {value}"
        );
    }
}

#[tokio::test]
async fn what_is_signed_is_sent_to_sts_and_what_must_be_signed_is() {
    let settings = settings(None);
    let url = "https://sts.eu-central-1.amazonaws.com/";
    let base = [("X-Amz-Date", TIME), ("X-Edgeward-Server-ID", SERVER)];
    let all = ["host", "x-amz-date", SERVER_ID_HEADER];
    for (extra, names, expected) in [
        (("X-Amz-Target", "x"), None, "evidence-request-header"),
        (
            ("Transfer-Encoding", "chunked"),
            None,
            "evidence-request-header",
        ),
        (("Content-Length", "9999"), None, "evidence-request-header"),
        (
            ("Content-Type", "text/html"),
            None,
            "evidence-request-action",
        ),
        (
            ("User-Agent", "x"),
            Some(&all[..2]),
            "evidence-server-id-unsigned",
        ),
        (
            ("User-Agent", "x"),
            Some(&[all[0], all[2]][..]),
            "evidence-request-signing",
        ),
        (
            ("User-Agent", "x"),
            Some(&all[1..]),
            "evidence-request-signing",
        ),
        (
            ("X-Amz-Security-Token", "x"),
            Some(&all[..]),
            "evidence-request-signing",
        ),
    ] {
        let headers: Value = base
            .iter()
            .chain([&extra])
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let members = signed_post(HOST, url, headers, names);
        assert_eq!(
            code(&text(&members), &settings).await,
            expected,
            "{extra:?} {names:?}"
        );
    }
}

#[tokio::test]
async fn an_authorization_has_its_three_parts_in_order() {
    let settings = settings(None);
    let url = "https://sts.eu-central-1.amazonaws.com/";
    let honest = posted(HOST, url);
    for authorization in [
        "",
        "Bearer x",
        "AWS4-HMAC-SHA256 x",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b",
        "AWS4-HMAC-SHA256 Credential=a, Credential=a, SignedHeaders=b, Signature=c",
        "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date;x-edgeward-server-id, Credential=a, Signature=c",
    ] {
        let headers = json!({"Authorization": authorization, "X-Amz-Date": TIME, "X-Edgeward-Server-ID": SERVER});
        let mut members = honest.clone();
        members.insert("iam_request_headers", headers);
        assert_eq!(
            code(&text(&members), &settings).await,
            "evidence-request-signing",
            "{authorization}"
        );
    }
}
