//! Which platform counts, and what is asked of a token service for its evidence.

use serde_json::{Value, json};

use super::platform::{Asked, Said, Service, ok};
use super::*;
use crate::attest::attestor::{AttestError, Attestor};
use crate::attest::exchange::{ExchangeError, MAX_ANSWER_BYTES, Order, TokenService};
use crate::client::{Client, Tls};
use crate::token_service::TokenKind;

/// What a token service says to whoever it gives a token to.
pub(super) fn issued(token: &str, lifetime: u64) -> Said {
    let body = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": lifetime,
        "issued_token_type": "urn:ietf:params:oauth:token-type:jwt",
    });
    ok(body.to_string())
}

pub(super) fn refused(code: &str) -> Said {
    let body = json!({
        "error": "invalid_request", "error_description": "as it is\u{1b}[2J", "code": code,
    });
    Said(
        400,
        ("content-type", "application/json".to_owned()),
        body.to_string(),
    )
}

/// Attests at `service`, with its metadata services where nobody is.
pub(super) fn attestor(service: &Service, variables: &[(&str, &str)]) -> Attestor {
    let nobody = super::platform::nobody().to_string();
    let places = [
        ("GCE_METADATA_HOST", nobody.as_str()),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &nobody),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &nobody),
    ];
    Attestor {
        surroundings: surroundings(&[&places[..], variables].concat()),
        platform: None,
        service: TokenService(Client {
            endpoint: service.url().parse().unwrap(),
            tls: Tls::default(),
            max_bytes: MAX_ANSWER_BYTES,
        }),
        order: Order {
            audiences: vec!["orders".to_owned(), "stock".to_owned()],
            scopes: vec!["read".to_owned(), "write".to_owned()],
            kind: TokenKind::AccessToken,
        },
        trust_domain: None,
        own: None,
    }
}

const JOB: [(&str, &str); 2] = [("GITLAB_CI", "true"), ("EDGEWARD_ID_TOKEN", "a.b.c")];

#[tokio::test]
async fn the_exchange_is_the_form_of_rfc_8693() {
    let service = Service::start(|_| issued("t.o.k", 300)).await;
    let token = attestor(&service, &JOB).obtain().await.unwrap();
    assert_eq!(token.text, "t.o.k");
    assert_eq!(token.lifetime(token.issued_at), 300);
    assert!(!format!("{token:?}").contains("t.o.k"));
    let [asked] = service.asked().try_into().unwrap();
    assert_eq!(asked.target, "/edgeward/v1/token");
    assert_eq!(
        asked.body,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=a.b.c\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &audience=orders&audience=stock&scope=read+write"
    );
}

#[tokio::test]
async fn the_first_platform_that_is_there_counts_and_stays() {
    let service = Service::start(|_| issued("t.o.k", 300)).await;
    let circle = [("CIRCLECI", "true"), ("CIRCLE_OIDC_TOKEN_V2", "d.e.f")];
    let mut attestor = attestor(&service, &[&circle[..], &JOB].concat());
    attestor.obtain().await.unwrap();
    assert_eq!(attestor.platform, Some(Platform::Gitlab));
    // Its token is gone: the other platform is not asked, though it is there.
    attestor.surroundings.variables = circle.iter().copied().collect();
    match attestor.obtain().await.unwrap_err() {
        AttestError::NoPlatform(probed) => {
            assert_eq!(
                probed,
                [(Platform::Gitlab, "GITLAB_CI is not set".to_owned())]
            );
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_platform_that_fails_is_not_passed_over() {
    let service = Service::start(|_| issued("t.o.k", 300)).await;
    let broken = [("SPIFFE_ENDPOINT_SOCKET", "unix:/nowhere/agent.sock")];
    let keys = [
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    let error = attestor(&service, &[&broken[..], &keys].concat())
        .obtain()
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("spiffe: "), "{error}");
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn where_there_is_no_platform_each_says_what_it_looked_for() {
    let service = Service::start(|_| issued("t.o.k", 300)).await;
    let error = attestor(&service, &[]).obtain().await.unwrap_err();
    let said = error.to_string();
    let lines: Vec<&str> = said.lines().skip(1).collect();
    let named: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(named, Platform::TRIED.map(Platform::as_str), "{said}");
    assert!(lines.iter().all(|line| line.len() > 25), "{said}");
}

#[tokio::test]
async fn a_refusal_is_told_by_its_code_and_other_answers_are_no_token_service_s() {
    let service = Service::start(|_| refused("client-workload-unknown")).await;
    let error = attestor(&service, &JOB).obtain().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "evidence of gitlab: refused: client-workload-unknown: as it is[2J (invalid_request, status 400)"
    );
    for said in [
        ok("{}"),
        ok("<html>"),
        Said(404, ("x-nothing", String::new()), "no".to_owned()),
        Said(
            307,
            ("location", "https://elsewhere.test/".to_owned()),
            String::new(),
        ),
        issued("two words", 300),
        ok(json!({ "access_token": "t.o.k", "token_type": "Bearer" }).to_string()),
    ] {
        let Said(status, (name, value), body) = said;
        let answer = move |_: &Asked| Said(status, (name, value.clone()), body.clone());
        let service = Service::start(answer).await;
        let error = attestor(&service, &JOB).obtain().await.unwrap_err();
        let is_answer = matches!(
            error,
            AttestError::Exchange {
                error: ExchangeError::Answer(_),
                ..
            }
        );
        assert!(is_answer, "{error}");
        assert_eq!(service.asked().len(), 1);
    }
}

/// For whom a token was asked, by what.
fn asked_for(service: &Service) -> Vec<(String, String)> {
    let asked = service.asked();
    let parts = asked.iter();
    parts
        .map(|asked| {
            (
                asked.parameter("audience"),
                asked.parameter("subject_token"),
            )
        })
        .collect()
}

#[tokio::test]
async fn with_a_trust_domain_tokens_are_renewed_by_tokens_until_evidence_is_needed() {
    let service = Service::start(|asked| {
        match (
            &*asked.parameter("audience"),
            &*asked.parameter("subject_token"),
        ) {
            ("spiffe://prod.example", "a.b.c") => issued("own.1.x", 300),
            ("spiffe://prod.example", "own.1.x") => issued("own.2.x", 300),
            // Attested too long ago.
            ("spiffe://prod.example", "own.2.x") => refused("attestation-too-old"),
            (_, own) if own.starts_with("own") => issued("t.o.k", 300),
            _ => refused("audience-not-granted"),
        }
    })
    .await;
    let mut attestor = attestor(&service, &JOB);
    attestor.trust_domain = Some("prod.example".to_owned());
    let itself = "spiffe://prod.example";
    for expected in [
        &[(itself, "a.b.c"), ("orders", "own.1.x")][..],
        &[(itself, "own.1.x"), ("orders", "own.2.x")],
        &[
            (itself, "own.2.x"),
            (itself, "a.b.c"),
            ("orders", "own.1.x"),
        ],
    ] {
        let token = attestor.obtain().await.unwrap();
        assert_eq!(token.audiences, ["orders", "stock"]);
        let asked = asked_for(&service);
        let asked: Vec<_> = asked
            .iter()
            .map(|(one, other)| (one.as_str(), other.as_str()))
            .collect();
        assert_eq!(asked, expected);
    }
}

#[tokio::test]
async fn a_token_for_programs_has_what_a_program_needs() {
    let service = Service::start(|_| issued("t.o.k", 300)).await;
    let token = attestor(&service, &JOB).obtain().await.unwrap();
    let shown: Value = crate::attest::socket::shown(&token, token.issued_at.plus(100));
    assert_eq!(
        shown,
        json!({
            "access_token": "t.o.k", "token_type": "Bearer", "audience": ["orders", "stock"],
            "issued_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "expires_in": 200, "expires_at": token.expires_at.0,
        })
    );
}
