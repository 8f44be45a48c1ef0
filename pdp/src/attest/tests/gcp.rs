//! Google Cloud's metadata server, and what is none.

use std::time::{Duration, Instant};

use http::Method;

use super::platform::{Asked, Said, Service, nobody, ok, silent, status};
use super::*;

const IDENTITY: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

fn google(status: u16, body: &str) -> Said {
    Said(
        status,
        ("metadata-flavor", "Google".to_owned()),
        body.to_owned(),
    )
}

/// As the real one: without its header nobody is answered.
fn metadata_server(asked: &Asked) -> Said {
    if asked.header("metadata-flavor") != "Google" {
        return google(403, "Missing Metadata-Flavor:Google header.");
    }
    match asked.path() {
        "/" => google(200, "0.1/\ncomputeMetadata/\n"),
        IDENTITY => google(200, "head.claims.sign"),
        _ => google(404, ""),
    }
}

async fn probe_at(host: &str) -> Result<Probed, ProbeError> {
    probe(Platform::Gcp, &[("GCE_METADATA_HOST", host)]).await
}

#[tokio::test]
async fn google_is_asked_for_a_full_token_for_our_audience() {
    let service = Service::start(metadata_server).await;
    let evidence = found(probe_at(&service.address.to_string()).await);
    assert_eq!(
        (evidence.text(), evidence.kind()),
        ("head.claims.sign", EvidenceType::Jwt)
    );
    let [_, asked] = service.asked().try_into().unwrap();
    assert!(asked.is(&Method::GET, IDENTITY));
    assert!(
        asked
            .target
            .ends_with("?audience=https%3A%2F%2Fedgeward.example&format=full"),
        "{}",
        asked.target
    );
}

#[tokio::test]
async fn an_instance_without_a_service_account_is_told_so() {
    let service = Service::start(|asked| match asked.path() {
        "/" => google(200, ""),
        _ => google(404, ""),
    })
    .await;
    let why = absent(probe_at(&service.url()).await);
    assert!(why.contains("no service account"), "{why}");
}

#[tokio::test]
async fn what_does_not_say_that_it_is_google_s_is_not_asked_for_a_token() {
    let service = Service::start(|_| ok("head.claims.sign")).await;
    let why = absent(probe_at(&service.url()).await);
    assert!(why.contains("not Google's"), "{why}");
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_an_error_is_no_absence() {
    let other = Service::start(metadata_server).await;
    let location = other.url();
    let service = Service::start(move |asked| match asked.path() {
        "/" => google(200, ""),
        _ => Said(302, ("location", location.clone()), String::new()),
    })
    .await;
    let error = failed(probe_at(&service.url()).await);
    assert!(error.contains("status 302"), "{error}");
    assert!(other.asked().is_empty());
    let service = Service::start(|asked| match asked.path() {
        "/" => google(200, ""),
        _ => status(200),
    })
    .await;
    let error = failed(probe_at(&service.url()).await);
    assert!(error.contains("Metadata-Flavor"), "{error}");
}

#[tokio::test]
async fn where_nobody_answers_the_probe_ends_soon() {
    let (silent, _tasks) = silent().await;
    for address in [nobody(), silent] {
        let started = Instant::now();
        absent(probe_at(&address.to_string()).await);
        assert!(
            started.elapsed() < Duration::from_millis(1500),
            "{:?}",
            started.elapsed()
        );
    }
    let error = failed(probe_at("http://192.0.2.7").await);
    assert!(error.contains("192.0.2.7"), "{error}");
}
