//! Signed requests that are sent on, those that are refused, and answers that are not believed.

mod answers;
mod moto;
mod places;
mod posts;
mod presigned_urls;
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
