//! CI systems, Kubernetes' file, and evidence that is named.

use http::Method;
use serde_json::json;

use super::platform::{Said, Service, ok, status};
use super::*;

fn github(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("GITHUB_ACTIONS", "true".to_owned()),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            format!("{url}/token?api-version=2.0"),
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SECRET.to_owned()),
    ]
}

async fn probe_github(service: &Service) -> Result<Probed, ProbeError> {
    let variables = github(&service.url());
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    probe(Platform::Github, &variables).await
}

#[tokio::test]
async fn github_is_asked_with_the_runner_s_token_for_our_audience() {
    let service = Service::start(|asked| {
        if asked.header("authorization") != format!("Bearer {SECRET}") {
            return status(401);
        }
        ok(json!({ "count": 3, "value": "head.claims.sign" }).to_string())
    })
    .await;
    let evidence = found(probe_github(&service).await);
    assert_eq!(evidence.text(), "head.claims.sign");
    assert!(!format!("{evidence:?}").contains("claims"));
    let [asked] = service.asked().try_into().unwrap();
    assert!(asked.is(&Method::GET, "/token"));
    assert_eq!(
        asked.target,
        "/token?api-version=2.0&audience=https%3A%2F%2Fedgeward.example"
    );
}

#[tokio::test]
async fn github_that_gives_no_token_is_a_failure_and_no_other_platform_s_turn() {
    for (said, expected) in [(403, "status 403"), (200, "`value`"), (302, "redirects")] {
        let service = Service::start(move |_| {
            let location = ("location", format!("/other?{SECRET}"));
            Said(said, location, json!({ "value": 7 }).to_string())
        })
        .await;
        let error = failed(probe_github(&service).await);
        assert!(error.contains(expected), "{said}: {error}");
        assert_eq!(service.asked().len(), 1, "{said}");
    }
    let error = failed(
        probe(
            Platform::Github,
            &[
                (
                    "ACTIONS_ID_TOKEN_REQUEST_URL",
                    &format!("http://192.0.2.1/{SECRET}"),
                ),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
            ],
        )
        .await,
    );
    assert!(
        error.starts_with("ACTIONS_ID_TOKEN_REQUEST_URL: is no `https://` URL"),
        "{error}"
    );
}

#[tokio::test]
async fn a_job_without_the_permission_is_told_which() {
    let why = absent(probe(Platform::Github, &[("GITHUB_ACTIONS", "true")]).await);
    assert!(why.contains("id-token: write"), "{why}");
    let why = absent(probe(Platform::Github, &[]).await);
    assert_eq!(why, "GITHUB_ACTIONS is not set");
}

#[tokio::test]
async fn tokens_in_variables_are_taken_in_jobs_of_their_system_only() {
    for (platform, sign, variable, help) in [
        (
            Platform::Gitlab,
            "GITLAB_CI",
            "EDGEWARD_ID_TOKEN",
            "id_tokens",
        ),
        (
            Platform::CircleCi,
            "CIRCLECI",
            "CIRCLE_OIDC_TOKEN_V2",
            "OIDC tokens",
        ),
        (
            Platform::Bitbucket,
            "BITBUCKET_BUILD_NUMBER",
            "BITBUCKET_STEP_OIDC_TOKEN",
            "oidc: true",
        ),
        (
            Platform::Terraform,
            "TFC_RUN_ID",
            "TFC_WORKLOAD_IDENTITY_TOKEN",
            "TFC_WORKLOAD_IDENTITY_AUDIENCE",
        ),
    ] {
        let evidence = found(probe(platform, &[(sign, "1"), (variable, " a.b.c\n")]).await);
        assert_eq!(
            (evidence.text(), evidence.kind()),
            ("a.b.c", EvidenceType::Jwt)
        );
        let why = absent(probe(platform, &[(sign, "1"), (variable, "  ")]).await);
        assert!(why.contains(variable) && why.contains(help), "{why}");
        let why = absent(probe(platform, &[(variable, "a.b.c")]).await);
        assert_eq!(why, format!("{sign} is not set"));
        let wrong = format!("two {SECRET}");
        let error = failed(probe(platform, &[(sign, "1"), (variable, &wrong)]).await);
        assert!(
            error.starts_with(variable) && error.contains("is no token"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_pod_s_token_is_read_from_its_file_and_the_missing_mount_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let mut here = surroundings(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]);
    here.evidence_file = Some(file.clone());
    let why = absent(Platform::Kubernetes.probe(&here).await);
    assert!(why.contains("projected serviceAccountToken"), "{why}");
    assert!(why.contains(AUDIENCE), "{why}");
    std::fs::write(&file, "a.b.c\n").unwrap();
    assert_eq!(
        found(Platform::Kubernetes.probe(&here).await).text(),
        "a.b.c"
    );
    std::fs::write(&file, format!("{SECRET} {SECRET}")).unwrap();
    failed(Platform::Kubernetes.probe(&here).await);
    std::fs::write(&file, "a".repeat(70_000)).unwrap();
    let error = failed(Platform::Kubernetes.probe(&here).await);
    assert!(error.contains("65536"), "{error}");
}

#[tokio::test]
async fn evidence_that_is_named_is_taken_as_what_it_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document");
    std::fs::write(&file, "{\"encoding\": \"pkcs7\"}\n").unwrap();
    let mut named = surroundings(&[("EVIDENCE", "a.b.c")]);
    named.evidence_file = Some(file.clone());
    named.evidence_type =
        EvidenceType::Other(crate::attestation::evidence::EvidenceKind::AzureDocument);
    let evidence = found(Platform::File.probe(&named).await);
    assert_eq!(
        evidence.kind().as_urn(),
        "urn:edgeward:evidence:azure-document"
    );
    std::fs::remove_file(&file).unwrap();
    let why = absent(Platform::File.probe(&named).await);
    assert!(why.starts_with("there is no `"), "{why}");

    named.evidence_type = EvidenceType::Jwt;
    named.evidence_variable = Some("EVIDENCE".to_owned());
    assert_eq!(
        found(Platform::Variable.probe(&named).await).text(),
        "a.b.c"
    );
    named.evidence_variable = Some("OTHER".to_owned());
    assert_eq!(
        absent(Platform::Variable.probe(&named).await),
        "OTHER is not set"
    );
}
