//! Signed requests that are sent on, those that are refused, and answers that are not believed.

mod answers;
mod moto;
mod request;
mod sts;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::request::*;
use self::sts::Sts;
use super::*;
use crate::fetch::AddressRule;

const NOW: UnixSeconds = UnixSeconds(SIGNED_AT + 60);
const HEADERS: &[(&str, &str)] = &[(SERVER_ID_HEADER, SERVER)];
const HOST: &str = "sts.eu-central-1.amazonaws.com";

/// Known: one account, one region, where `sts` is, or AWS.
fn settings(sts: Option<&Sts>) -> AwsStsSettings {
    let regions = BTreeSet::from(["eu-central-1".to_owned()]);
    AwsStsSettings {
        server_id: SERVER.to_owned(),
        accounts: BTreeSet::from(["123456789012".parse().unwrap()]),
        endpoints: StsEndpoints::new(regions, sts.map(Sts::url)).unwrap(),
        fetch: FetchSettings {
            timeout: Duration::from_secs(5),
            addresses: AddressRule {
                allow_loopback: sts.is_some(),
                allow_link_local: false,
            },
            ..FetchSettings::default()
        },
    }
}

/// What STS says of a role's session.
fn identity(account: &str) -> String {
    json!({"GetCallerIdentityResponse": {
        "GetCallerIdentityResult": {
            "Account": account,
            "Arn": format!("arn:aws:sts::{account}:assumed-role/deploy/i-0123"),
            "UserId": "AROAEXAMPLE:i-0123",
        },
        "ResponseMetadata": {"RequestId": "6f2e"},
    }})
    .to_string()
}

async fn code(evidence: &str, settings: &AwsStsSettings) -> &'static str {
    verify(evidence, settings, NOW)
        .await
        .map_or_else(|refusal| refusal.code(), |_| "taken")
}

/// The code of a presigned URL for AWS: nothing is sent where the refusal is right.
async fn url_code(url: &str) -> &'static str {
    code(&token(url), &settings(None)).await
}

fn text(members: &BTreeMap<&str, Value>) -> String {
    json!(members).to_string()
}

#[tokio::test]
async fn both_forms_arrive_well_signed_and_tell_the_role_with_its_account() {
    let sts = Sts::start().await;
    let settings = settings(Some(&sts));
    sts.say(
        "200 OK",
        "content-type: application/json\r\n",
        &identity("123456789012"),
    );
    let presigned = token(&presigned_url(&sts.host(), "http", HEADERS));
    let posted = text(&posted(&sts.host(), sts.url().as_str()));
    let mut ids = Vec::new();
    for evidence in [presigned, posted] {
        let attested = verify(&evidence, &settings, NOW).await.unwrap();
        let role = "arn:aws:iam::123456789012:role/deploy";
        for (name, value) in [
            ("account", "123456789012"),
            ("arn", role),
            ("role", role),
            ("session", "i-0123"),
            ("user_id", "AROAEXAMPLE"),
            (
                "caller_arn",
                "arn:aws:sts::123456789012:assumed-role/deploy/i-0123",
            ),
        ] {
            assert_eq!(attested.attributes.single(name), Some(value), "{name}");
        }
        assert_eq!(attested.expires_at, UnixSeconds(SIGNED_AT + 900));
        let once = attested.once.unwrap();
        assert_eq!(once.until, Some(attested.expires_at));
        ids.push(once.id);
        let [request] = sts.seen().try_into().unwrap();
        assert!(!request.contains("aws-sdk-go"), "{request}");
        assert!(request.contains("edgeward/"), "{request}");
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_role_of_the_same_name_in_another_account_is_another_role() {
    let sts = Sts::start().await;
    let mut settings = settings(Some(&sts));
    sts.say("200 OK", "", &identity("999999999999"));
    let evidence = token(&presigned_url(&sts.host(), "http", HEADERS));
    assert_eq!(code(&evidence, &settings).await, "evidence-account-unknown");
    settings.accounts.insert("999999999999".parse().unwrap());
    let attested = verify(&evidence, &settings, NOW).await.unwrap();
    // No attribute is the bare name, which both accounts have.
    for (name, values) in attested
        .attributes
        .iter()
        .filter(|(name, _)| *name != "session")
    {
        let is_theirs = values.iter().all(|value| value.contains("999999999999"));
        assert!(is_theirs || name == "user_id", "{name}: {values:?}");
    }
}

#[tokio::test]
async fn a_changed_signature_or_another_audience_is_refused_by_the_service() {
    let sts = Sts::start().await;
    let settings = settings(Some(&sts));
    sts.say("200 OK", "", &identity("123456789012"));
    let honest = presigned_url(&sts.host(), "http", HEADERS);
    let theirs = presigned_url(
        &sts.host(),
        "http",
        &[(SERVER_ID_HEADER, "https://other.example")],
    );
    for url in [
        // Signed for another party: we send our own name, and it does not verify.
        theirs,
        honest.replace("Expires=900", "Expires=899"),
        honest.replace("Security-Token=IQo", "Security-Token=IQp"),
        presigned_url("127.0.0.1:1", "http", HEADERS).replace("127.0.0.1:1", &sts.host()),
    ] {
        assert_eq!(
            code(&token(&url), &settings).await,
            "evidence-rejected",
            "{url}"
        );
    }
    let mut members = posted("other.example", sts.url().as_str());
    assert_eq!(code(&text(&members), &settings).await, "evidence-rejected");
    members = signed_post(
        &sts.host(),
        sts.url().as_str(),
        json!({"X-Amz-Date": TIME, SERVER_ID_HEADER: "https://other.example"}),
        None,
    );
    assert_eq!(
        code(&text(&members), &settings).await,
        "evidence-server-id-mismatch"
    );
    assert_eq!(sts.seen().len(), 5);
}

#[tokio::test]
async fn only_sts_of_a_configured_region_is_asked() {
    let honest = presigned_url(HOST, "https", HEADERS);
    for (host, expected) in [
        ("169.254.169.254", "evidence-request-host"),
        ("127.0.0.1", "evidence-request-host"),
        ("localhost", "evidence-request-host"),
        ("sts.evil.example", "evidence-request-host"),
        (
            "sts.eu-central-1.amazonaws.com.evil.example",
            "evidence-request-host",
        ),
        ("sts.eu-central-1.amazonaws.com.", "evidence-request-host"),
        ("STS.eu-central-1.amazonaws.com", "evidence-request-host"),
        ("sts.us-east-1.amazonaws.com", "evidence-request-host"),
        ("sts.amazonaws.com", "evidence-request-host"),
        ("s3.eu-central-1.amazonaws.com", "evidence-request-host"),
        (
            "sts.eu-central-1.amazonaws.com:8443",
            "evidence-request-url",
        ),
        (
            "user@sts.eu-central-1.amazonaws.com",
            "evidence-request-url",
        ),
        ("[::ffff:169.254.169.254]", "evidence-request-url"),
    ] {
        assert_eq!(
            url_code(&honest.replace(HOST, host)).await,
            expected,
            "{host}"
        );
    }
    for (from, to, expected) in [
        ("https://", "http://", "evidence-request-url"),
        ("https://", "https:\\\\", "evidence-request-url"),
        (".com/?", ".com/x?", "evidence-request-url"),
        (".com/?", ".com//?", "evidence-request-url"),
        (".com/?", ".com?", "evidence-request-url"),
        (".com/?", ".com/?a?", "evidence-request-url"),
        ("&X-Amz-Date", "#&X-Amz-Date", "evidence-request-url"),
        (
            "eu-central-1%2Fsts",
            "us-east-1%2Fsts",
            "evidence-region-unknown",
        ),
        (
            "eu-central-1%2Fsts",
            "x.evil%2Fsts",
            "evidence-region-unknown",
        ),
    ] {
        assert!(honest.contains(from), "{from}");
        assert_eq!(url_code(&honest.replace(from, to)).await, expected, "{to}");
    }
    // An operator's own place is not exempt from the rules of addresses.
    for place in [
        "https://169.254.169.254/",
        "https://169.254.7.7/",
        "https://127.0.0.1:1/",
    ] {
        let url = crate::fetch::SourceUrl::parse(place, crate::fetch::Plaintext::Refused).unwrap();
        let regions = BTreeSet::from(["eu-central-1".to_owned()]);
        let endpoints = StsEndpoints::new(regions, Some(url.clone())).unwrap();
        let settings = AwsStsSettings {
            endpoints,
            ..settings(None)
        };
        let evidence = token(&presigned_url(url.authority(), "https", HEADERS));
        let refused = verify(&evidence, &settings, NOW).await.unwrap_err();
        assert_eq!(refused.code(), "provider-unavailable");
        assert!(
            refused
                .to_string()
                .contains("nothing is fetched from there"),
            "{refused}"
        );
    }
}

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
    for (from, to, expected) in [
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
    ] {
        assert!(honest.contains(from), "{from}");
        let found = url_code(&honest.replacen(from, to, 1)).await;
        assert_eq!(found, expected, "{to}");
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

#[tokio::test]
async fn evidence_that_is_neither_form_or_too_long_or_too_old_is_refused() {
    let settings = settings(None);
    let honest = token(&presigned_url(HOST, "https", HEADERS));
    for (evidence, expected) in [
        (String::new(), "evidence-unreadable"),
        ("k8s-aws-v1.".to_owned(), "evidence-request-url"),
        ("k8s-aws-v2.aaaa".to_owned(), "evidence-unreadable"),
        (
            honest.replace("k8s-aws-v1.", "k8s-aws-v1.="),
            "evidence-unreadable",
        ),
        (presigned_url(HOST, "https", HEADERS), "evidence-unreadable"),
        (
            format!("k8s-aws-v1.{}", "A".repeat(4096)),
            "evidence-too-long",
        ),
        ("{}".to_owned(), "evidence-unreadable"),
        ("{".to_owned(), "evidence-unreadable"),
        (
            format!("{{\"a\":\"{}\"}}", "A".repeat(16 * 1024)),
            "evidence-too-long",
        ),
    ] {
        assert_eq!(code(&evidence, &settings).await, expected, "{evidence:.40}");
    }
    for (at, expected) in [
        (SIGNED_AT - 301, "evidence-expired"),
        (SIGNED_AT + 900, "evidence-expired"),
        (u64::MAX, "evidence-expired"),
        (0, "evidence-expired"),
    ] {
        let posted = text(&posted(HOST, "https://sts.eu-central-1.amazonaws.com/"));
        for evidence in [&honest, &posted] {
            let refused = verify(evidence, &settings, UnixSeconds(at))
                .await
                .unwrap_err();
            assert_eq!(refused.code(), expected, "{at}");
        }
    }
}

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

#[test]
fn endpoints_are_whole_hosts_of_real_regions() {
    let one = |region: &str| BTreeSet::from([region.to_owned()]);
    let place =
        |url: &str| crate::fetch::SourceUrl::parse(url, crate::fetch::Plaintext::Refused).unwrap();
    assert_eq!(
        StsEndpoints::new(BTreeSet::new(), None).unwrap_err(),
        StsEndpointsError::NoRegion
    );
    for region in ["", "evil.example/", "eu-central-1.evil", "a@b", "-", "EU"] {
        assert!(
            matches!(
                StsEndpoints::new(one(region), None),
                Err(StsEndpointsError::Region(_))
            ),
            "{region}"
        );
    }
    for url in ["https://sts.example/x", "https://sts.example/?x"] {
        let refused = StsEndpoints::new(one("eu-west-1"), Some(place(url)));
        assert!(matches!(refused, Err(StsEndpointsError::Place(_))), "{url}");
    }
    for (region, url) in [
        ("us-east-1", "https://sts.amazonaws.com/"),
        ("us-east-1", "https://sts.us-east-1.amazonaws.com/"),
        ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/"),
        ("us-west-2", "https://sts-fips.us-west-2.amazonaws.com/"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"),
    ] {
        let endpoints = StsEndpoints::new(one(region), None).unwrap();
        assert_eq!(endpoints.find(region, url).unwrap().as_str(), url);
    }
}
