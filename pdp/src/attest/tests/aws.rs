//! AWS: credentials from each of their places, signed for the token service and read by its own reader; the
//! instance's document.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_core::time::UnixSeconds;
use http::Method;
use serde_json::{Value, json};

use super::platform::{Asked, Said, Service, nobody, ok, silent, status};
use super::*;
use crate::attestation::aws_instance::{self, AwsInstanceSettings, RegionCertificates};
use crate::attestation::aws_sts::{self, AwsStsSettings, StsEndpoints};
use crate::attestation::cms::SignerCertificate;
use crate::fetch::{AddressRule, FetchSettings, Plaintext, SourceUrl};

const KEY: &str = "ASIAIOSFODNN7EXAMPLE";
const ROLE: &str = "/latest/meta-data/iam/security-credentials/";

fn keys() -> Value {
    json!({
        "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": KEY, "SecretAccessKey": SECRET,
        "Token": "IQoJb3JpZ2luX2VjEA/+=", "Expiration": "2099-01-01T00:00:00Z",
    })
}

/// EC2's, which answers nothing without a session.
fn imds(asked: &Asked) -> Said {
    if asked.is(&Method::PUT, "/latest/api/token") {
        assert_eq!(asked.header("x-aws-ec2-metadata-token-ttl-seconds"), "60");
        return ok("a-session");
    }
    if asked.method != Method::GET || asked.header("x-aws-ec2-metadata-token") != "a-session" {
        return status(401);
    }
    match asked.path() {
        ROLE => ok("deploy"),
        path if path == format!("{ROLE}deploy") => ok(keys().to_string()),
        "/latest/meta-data/placement/region" => ok("eu-central-1"),
        "/latest/dynamic/instance-identity/rsa2048" => ok("MIIB\nAAAA\n"),
        _ => status(404),
    }
}

/// STS, which says who signed. Whether the signature is good is moto's to say, in the end-to-end tests.
async fn sts() -> Service {
    Service::start(|_| {
        ok(
            json!({ "GetCallerIdentityResponse": { "GetCallerIdentityResult": {
            "Account": "123456789012", "UserId": "AROAEXAMPLE:i-0123",
            "Arn": "arn:aws:sts::123456789012:assumed-role/deploy/i-0123",
        } } })
            .to_string(),
        )
    })
    .await
}

/// The token service's own reading of the evidence, with STS at `sts`.
async fn attested(evidence: &Evidence, sts: &Service) -> String {
    let url = SourceUrl::parse(&format!("{}/", sts.url()), Plaintext::Loopback).unwrap();
    let regions = BTreeSet::from(["eu-central-1".to_owned()]);
    let settings = AwsStsSettings {
        server_id: AUDIENCE.to_owned(),
        accounts: BTreeSet::from(["123456789012".parse().unwrap()]),
        endpoints: StsEndpoints::new(regions, Some(url)).unwrap(),
        fetch: FetchSettings {
            addresses: AddressRule {
                allow_loopback: true,
                allow_link_local: false,
            },
            ..FetchSettings::default()
        },
    };
    let attested = aws_sts::verify(evidence.text(), &settings, Surroundings::now()).await;
    let attested = attested.unwrap();
    attested.attributes.single("arn").unwrap().to_owned()
}

fn url_of(evidence: &Evidence) -> String {
    let encoded = evidence.text().strip_prefix("k8s-aws-v1.").unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

#[tokio::test]
async fn credentials_from_each_place_sign_what_the_token_service_reads() {
    let sts = sts().await;
    let metadata = Service::start(imds).await;
    let container = Service::start(|asked| {
        if asked.header("authorization") == "container-token" {
            ok(keys().to_string())
        } else {
            status(403)
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "container-token\n").unwrap();
    let endpoint = sts.url();
    let of_variables = [
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", "a/b+c="),
        ("AWS_REGION", "eu-central-1"),
    ];
    let url = format!("{}/v1/credentials?a=1", container.url());
    let of_container = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            token_file.to_str().unwrap(),
        ),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
    ];
    let imds_url = metadata.url();
    let of_instance = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds_url.as_str())];
    for place in [&of_variables[..], &of_container, &of_instance] {
        let variables = [place, &[("AWS_ENDPOINT_URL_STS", endpoint.as_str())]].concat();
        let evidence = found(probe(Platform::Aws, &variables).await);
        assert_eq!(evidence.kind().as_urn(), "urn:edgeward:evidence:aws-sts");
        let arn = attested(&evidence, &sts).await;
        assert_eq!(arn, "arn:aws:iam::123456789012:role/deploy", "{place:?}");
        let [asked] = sts.asked().try_into().unwrap();
        assert_eq!(asked.header("x-edgeward-server-id"), AUDIENCE);
        assert!(
            !url_of(&evidence).contains(SECRET),
            "the secret key is sent"
        );
    }
    assert_eq!(container.asked()[0].target, "/v1/credentials?a=1");
}

#[tokio::test]
async fn without_an_endpoint_of_its_own_the_request_is_signed_for_the_region_s_sts() {
    let base = [
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    for (more, host) in [
        (
            &[("AWS_REGION", "eu-central-1")][..],
            "sts.eu-central-1.amazonaws.com",
        ),
        (
            &[("AWS_REGION", "cn-north-1")],
            "sts.cn-north-1.amazonaws.com.cn",
        ),
        (
            &[
                ("AWS_REGION", "us-gov-west-1"),
                ("AWS_USE_FIPS_ENDPOINT", "true"),
            ],
            "sts-fips.us-gov-west-1.amazonaws.com",
        ),
    ] {
        let evidence = found(probe(Platform::Aws, &[&base[..], more].concat()).await);
        let url = url_of(&evidence);
        assert!(
            url.starts_with(&format!("https://{host}/?Action=GetCallerIdentity&")),
            "{url}"
        );
        assert!(!url.contains("Security-Token"), "{url}");
    }
    let error = failed(probe(Platform::Aws, &base).await);
    assert!(error.contains("set AWS_REGION"), "{error}");
    let wrong = [&base[..], &[("AWS_REGION", "x.evil.test/")]].concat();
    let error = failed(probe(Platform::Aws, &wrong).await);
    assert!(error.contains("is no region"), "{error}");
    let half = [("AWS_ACCESS_KEY_ID", KEY)];
    let error = failed(probe(Platform::Aws, &half).await);
    assert!(error.starts_with("AWS_SECRET_ACCESS_KEY"), "{error}");
}

#[tokio::test]
async fn an_instance_without_a_role_has_its_document() {
    let service = Service::start(|asked| match asked.path() {
        ROLE => status(404),
        _ => imds(asked),
    })
    .await;
    let url = service.url();
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
    let why = absent(probe(Platform::Aws, &variables).await);
    assert_eq!(why, "this instance has no role: give it one");
    let evidence = found(probe(Platform::AwsInstance, &variables).await);
    assert_eq!(
        evidence.kind().as_urn(),
        "urn:edgeward:evidence:aws-instance"
    );
    assert_eq!(evidence.text(), "MIIB\nAAAA");
    // Questions have a session, or are the one that opens it.
    for asked in service.asked() {
        let has_session = asked.header("x-aws-ec2-metadata-token") == "a-session";
        assert!(has_session || asked.method == Method::PUT, "{asked:?}");
    }
}

#[tokio::test]
async fn the_document_that_an_instance_shows_is_read_by_the_token_service() {
    // Signed by OpenSSL in the very form that AWS sends, line breaks and all.
    let document = include_str!("../../attestation/cms/testdata/openssl-stream.b64");
    let pinned = include_bytes!("../../attestation/cms/testdata/openssl.pem");
    let service = Service::start(move |asked| match asked.path() {
        "/latest/dynamic/instance-identity/rsa2048" => ok(document),
        _ => imds(asked),
    })
    .await;
    let url = service.url();
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
    let evidence = found(probe(Platform::AwsInstance, &variables).await);
    let pinned = SignerCertificate::all_from_pem(pinned).unwrap();
    let settings = AwsInstanceSettings {
        certificates: RegionCertificates::new([("eu-central-1".to_owned(), pinned)].into())
            .unwrap(),
        accounts: BTreeSet::from(["123456789012".parse().unwrap()]),
        max_age: None,
    };
    // While its certificate was good.
    let now = UnixSeconds(1_796_000_000);
    let attested = aws_instance::verify(evidence.text(), &settings, now).unwrap();
    let id = attested.attributes.single("instance_id");
    assert_eq!(id, Some("i-0123456789abcdef0"));
}

#[tokio::test]
async fn where_there_is_no_imds_of_version_2_it_is_not_aws() {
    let version_1 = Service::start(|asked| match asked.method {
        Method::PUT => status(405),
        _ => ok("deploy"),
    })
    .await;
    let (silent, _tasks) = silent().await;
    for (place, expected) in [
        (version_1.url(), "status 405"),
        (format!("http://{silent}"), "hop limit"),
        (format!("http://{}", nobody()), "cannot be reached"),
    ] {
        for platform in [Platform::Aws, Platform::AwsInstance] {
            let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", place.as_str())];
            let why = absent(probe(platform, &variables).await);
            assert!(why.contains(expected), "{why}");
        }
    }
    assert!(
        version_1
            .asked()
            .iter()
            .all(|asked| asked.method == Method::PUT)
    );
    let disabled = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let why = absent(probe(Platform::AwsInstance, &disabled).await);
    assert_eq!(why, "AWS_EC2_METADATA_DISABLED is set");
    let elsewhere = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1")];
    let error = failed(probe(Platform::AwsInstance, &elsewhere).await);
    assert!(error.contains("neither this machine"), "{error}");
}

#[tokio::test]
async fn answers_that_are_not_as_documented_are_failures() {
    for (role, credentials) in [
        ("../../../x", keys().to_string()),
        (
            "deploy",
            json!({ "Code": "Failed", "Message": SECRET }).to_string(),
        ),
        ("deploy", SECRET.to_owned()),
    ] {
        let service = Service::start(move |asked| match asked.path() {
            ROLE => ok(role),
            path if path.starts_with(ROLE) => ok(credentials.clone()),
            _ => imds(asked),
        })
        .await;
        let url = service.url();
        let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
        let error = failed(probe(Platform::Aws, &variables).await);
        assert!(error.contains("not as documented"), "{error}");
    }
    let refusing = Service::start(|_| status(403)).await;
    let url = refusing.url();
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", SECRET),
    ];
    let error = failed(probe(Platform::Aws, &variables).await);
    assert!(error.contains("status 403"), "{error}");
    let elsewhere = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", SECRET),
    ];
    let error = failed(probe(Platform::Aws, &elsewhere).await);
    assert!(error.contains("neither this machine"), "{error}");
}
