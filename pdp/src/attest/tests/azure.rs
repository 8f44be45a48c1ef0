//! Azure's metadata service: identities, documents, and machines that have none.

use serde_json::json;

use super::platform::{Asked, Said, Service, ok, status};
use super::*;
use crate::attestation::azure_document::nonce;

const VERSIONS: &str = "/metadata/versions";
const TOKEN: &str = "/metadata/identity/oauth2/token";
const DOCUMENT: &str = "/metadata/attested/document";

/// As the real one: without `Metadata: true` nobody is answered.
fn imds(asked: &Asked) -> Said {
    if asked.header("metadata") != "true" {
        return status(400);
    }
    match asked.path() {
        VERSIONS => ok(json!({ "apiVersions": ["2018-02-01", "2021-02-01"] }).to_string()),
        TOKEN => {
            ok(json!({ "access_token": "head.claims.sign", "expires_in": "3599" }).to_string())
        }
        DOCUMENT => ok(json!({ "encoding": "pkcs7", "signature": "MII…" }).to_string()),
        _ => status(404),
    }
}

async fn probe_at(platform: Platform, service: &Service) -> Result<Probed, ProbeError> {
    probe(
        platform,
        &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &service.url())],
    )
    .await
}

#[tokio::test]
async fn azure_is_asked_for_a_token_of_the_managed_identity() {
    let service = Service::start(imds).await;
    let evidence = found(probe_at(Platform::Azure, &service).await);
    assert_eq!(
        (evidence.text(), evidence.kind()),
        ("head.claims.sign", EvidenceType::Jwt)
    );
    let [_, asked] = service.asked().try_into().unwrap();
    assert_eq!(
        asked.target,
        format!("{TOKEN}?api-version=2018-02-01&resource=https%3A%2F%2Fedgeward.example")
    );
    let variables = [
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url()),
        ("AZURE_CLIENT_ID", "a&b".to_owned()),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    found(probe(Platform::Azure, &variables).await);
    let [_, asked] = service.asked().try_into().unwrap();
    assert!(
        asked.target.ends_with("&client_id=a%26b"),
        "{}",
        asked.target
    );
}

#[tokio::test]
async fn app_service_is_asked_with_its_own_header() {
    let service = Service::start(|asked| {
        if asked.header("x-identity-header") != SECRET {
            return status(403);
        }
        ok(json!({ "access_token": "a.b.c" }).to_string())
    })
    .await;
    let endpoint = format!("{}/msi/token", service.url());
    let variables = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", SECRET),
    ];
    assert_eq!(
        found(probe(Platform::Azure, &variables).await).text(),
        "a.b.c"
    );
    let [asked] = service.asked().try_into().unwrap();
    assert!(
        asked
            .target
            .starts_with("/msi/token?api-version=2019-08-01&resource=")
    );
    // Its secret goes to no other machine.
    let variables = [
        ("IDENTITY_ENDPOINT", "http://192.0.2.1/msi"),
        ("IDENTITY_HEADER", SECRET),
    ];
    let error = failed(probe(Platform::Azure, &variables).await);
    assert!(error.contains("neither this machine"), "{error}");
}

#[tokio::test]
async fn a_machine_without_an_identity_has_its_document_asked_for_with_our_nonce() {
    let service = Service::start(|asked| match asked.path() {
        TOKEN => {
            let body =
                json!({ "error": "invalid_request", "error_description": "Identity not found" });
            Said(400, ("x-nothing", String::new()), body.to_string())
        }
        _ => imds(asked),
    })
    .await;
    let why = absent(probe_at(Platform::Azure, &service).await);
    assert!(why.contains("no managed identity"), "{why}");
    service.asked();
    let before = Surroundings::now();
    let evidence = found(probe_at(Platform::AzureDocument, &service).await);
    assert_eq!(
        evidence.kind().as_urn(),
        "urn:edgeward:evidence:azure-document"
    );
    assert!(
        evidence.text().contains("\"encoding\":\"pkcs7\""),
        "the whole answer is sent"
    );
    let [_, asked] = service.asked().try_into().unwrap();
    let told = asked.target.split("nonce=").nth(1).unwrap().to_owned();
    let good = [before, Surroundings::now()].map(|now| nonce(AUDIENCE, now));
    assert!(good.contains(&told), "{told}");
}

#[tokio::test]
async fn another_error_is_a_failure_and_another_service_is_not_azure() {
    let service = Service::start(|asked| match asked.path() {
        TOKEN => {
            let body = json!({ "error": "invalid_resource", "error_description": SECRET });
            Said(400, ("x-nothing", String::new()), body.to_string())
        }
        DOCUMENT => ok("{}"),
        _ => imds(asked),
    })
    .await;
    let error = failed(probe_at(Platform::Azure, &service).await);
    assert!(
        error.contains("`invalid_resource`") && error.contains("--evidence-audience"),
        "{error}"
    );
    let error = failed(probe_at(Platform::AzureDocument, &service).await);
    assert!(error.contains("`signature`"), "{error}");
    let other = Service::start(|_| ok("latest")).await;
    for platform in [Platform::Azure, Platform::AzureDocument] {
        let why = absent(probe_at(platform, &other).await);
        assert!(why.contains("not Azure's"), "{why}");
    }
}
