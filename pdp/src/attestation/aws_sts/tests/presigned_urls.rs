//! What a presigned URL must be.

use super::*;

/// What is changed in a URL that is taken, and the code that it then gets.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "&X-Amz-Date",
        "&x-amz-date=1&X-Amz-Date",
        "evidence-request-parameter",
    ),
    (
        "&Version=2011-06-15",
        "&Version=2011-06-15&action=AssumeRole",
        "evidence-request-duplicate",
    ),
    (
        "Action=GetCallerIdentity",
        "Action=GetCallerIdentity&Action=GetCallerIdentity",
        "evidence-request-duplicate",
    ),
    (
        "Action=GetCallerIdentity",
        "Action=GetCallerIdentity&%41ction=AssumeRole",
        "evidence-request-duplicate",
    ),
    (
        "&X-Amz-Expires=900",
        "&X-Amz-Expires=900&X-AMZ-EXPIRES=900",
        "evidence-request-duplicate",
    ),
    (
        "&X-Amz-Expires=900",
        "&X-Amz-Expires=900&RoleArn=x",
        "evidence-request-parameter",
    ),
    ("Action=", "action=", "evidence-request-parameter"),
    ("GetCallerIdentity", "AssumeRole", "evidence-request-action"),
    (
        "GetCallerIdentity",
        "getcalleridentity",
        "evidence-request-action",
    ),
    ("2011-06-15", "2010-05-08", "evidence-request-action"),
    ("Action=GetCallerIdentity&", "", "evidence-request-action"),
    (
        "AWS4-HMAC-SHA256",
        "AWS4-ECDSA-P256-SHA256",
        "evidence-request-signing",
    ),
    ("%2Fsts%2F", "%2Fs3%2F", "evidence-request-signing"),
    ("%2Faws4_request", "", "evidence-request-signing"),
    (
        "%2F20260601%2F",
        "%2F20260602%2F",
        "evidence-request-signing",
    ),
    (
        "X-Amz-Date=20260601T120000Z",
        "X-Amz-Date=20260601T120000",
        "evidence-request-signing",
    ),
    (
        "X-Amz-Date=20260601T120000Z",
        "X-Amz-Date=20260601T126000Z",
        "evidence-request-signing",
    ),
    (
        "host%3Bx-edgeward",
        "x-edgeward",
        "evidence-request-signing",
    ),
    (
        "host%3Bx-edgeward",
        "host%3Bhost%3Bx-edgeward",
        "evidence-request-signing",
    ),
    (
        "host%3Bx-edgeward",
        "host%3BX-edgeward",
        "evidence-request-signing",
    ),
    ("Expires=900", "Expires=901", "evidence-request-expires"),
    ("Expires=900", "Expires=-1", "evidence-request-expires"),
    ("Expires=900", "Expires=", "evidence-request-expires"),
    ("Expires=900", "Expires=9e2", "evidence-request-expires"),
    ("Expires=900", "Expires=0", "evidence-expired"),
    ("Expires=900", "Expires=60", "evidence-expired"),
    (
        "X-Amz-Signature=",
        "X-Amz-Signature=A",
        "evidence-request-signing",
    ),
    (
        "&X-Amz-Signature=",
        "&X-Amz-Signature",
        "evidence-unreadable",
    ),
    ("Expires=900", "Expires=9+0", "evidence-unreadable"),
    ("Expires=900", "Expires=9%0", "evidence-unreadable"),
    ("Expires=900", "Expires=9%00", "evidence-unreadable"),
    ("Expires=900", "Expires=9 0", "evidence-unreadable"),
    ("Expires=900", "Expires=9\u{e9}", "evidence-unreadable"),
];

#[tokio::test]
async fn a_presigned_url_is_get_caller_identity_and_has_one_reading() {
    let honest = presigned_url(HOST, "https", HEADERS);
    let unsigned = presigned_url(HOST, "https", &[]);
    assert_eq!(url_code(&unsigned).await, "evidence-server-id-unsigned");
    let more = presigned_url(
        HOST,
        "https",
        &[(SERVER_ID_HEADER, SERVER), ("x-other", "x")],
    );
    assert_eq!(url_code(&more).await, "evidence-request-header");
    for (from, to, expected) in CHANGES {
        assert!(honest.contains(*from), "{from}");
        let found = url_code(&honest.replacen(from, to, 1)).await;
        assert_eq!(found, *expected, "{to}");
    }
    for name in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ] {
        let pairs: Vec<&str> = honest
            .split('&')
            .filter(|pair| !pair.starts_with(name))
            .collect();
        assert_eq!(
            url_code(&pairs.join("&")).await,
            "evidence-request-signing",
            "{name}"
        );
    }
}
