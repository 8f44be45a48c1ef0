//! What answers may say, and what they must not. A real server's are tried in `tests/tests/e2e/oidc_provider.rs`.

mod asking;

use serde_json::{Value, json};

use super::*;
use crate::fetch::Plaintext;

const AUDIENCE: &str = "https://edgeward.test";
const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

fn settings() -> IntrospectionSettings {
    let url = |text: &str| SourceUrl::parse(text, Plaintext::Refused).unwrap();
    IntrospectionSettings {
        endpoint: url("https://op.test/token/introspection"),
        issuer: Some("https://op.test".parse().unwrap()),
        audiences: vec![AUDIENCE.to_owned(), "edgeward".to_owned()],
        client: Client {
            id: "edgeward".to_owned(),
            authentication: Authentication::Basic("secret".into()),
        },
        claims: vec!["tenant".to_owned(), "groups".to_owned()],
        leeway: Duration::from_mins(1),
        max_lifetime: Duration::from_hours(1),
        recheck_after: Duration::ZERO,
        fetch: FetchSettings::default(),
    }
}

fn answer(changes: &Value) -> Value {
    let mut answer = json!({
        "active": true, "iss": "https://op.test", "aud": AUDIENCE, "client_id": "batch",
        "scope": "read write", "token_type": "Bearer", "jti": "t-1",
        "iat": NOW.0 - 60, "exp": NOW.0 + 600, "tenant": 7, "groups": ["a", "b"], "other": "x",
    });
    for (name, value) in changes.as_object().unwrap() {
        answer[name] = value.clone();
    }
    answer
}

fn read(changes: &Value) -> Result<Introspected, &'static str> {
    let body = answer(changes).to_string();
    super::answer::read(body.as_bytes(), &settings(), NOW).map_err(|refusal| refusal.code())
}

#[test]
fn an_active_token_for_us_tells_whose_it_is() {
    let said = read(&json!({})).unwrap();
    let attributes = &said.attested.attributes;
    assert_eq!(attributes.single("client_id"), Some("batch"));
    assert_eq!(attributes.values("scope"), ["read", "write"]);
    assert_eq!(attributes.single("tenant"), Some("7"));
    assert_eq!(attributes.values("groups"), ["a", "b"]);
    assert!(attributes.values("other").is_empty() && attributes.values("subject").is_empty());
    assert_eq!(
        (said.subject.as_str(), said.token_id.as_deref()),
        ("https://op.test|batch", Some("t-1"))
    );
    assert_eq!(said.attested.expires_at, NOW.plus(660));
    let of_a_user = read(&json!({ "sub": "user-1", "token_type": "bearer" })).unwrap();
    assert_eq!(of_a_user.subject, "https://op.test|user-1");
    read(&json!({ "aud": [AUDIENCE, "edgeward"], "token_type": null })).unwrap();
}

#[test]
fn whatever_else_an_answer_says_is_no_evidence() {
    let (missing, invalid) = ("evidence-claim-missing", "evidence-claim-invalid");
    for (changes, code) in [
        (json!({ "active": false }), "token-inactive"),
        (json!({ "active": "true" }), "introspection-answer-invalid"),
        (json!({ "active": 1 }), "introspection-answer-invalid"),
        (json!({ "active": null }), "introspection-answer-invalid"),
        (json!({ "iss": "https://op.test/" }), "token-issuer-unknown"),
        (json!({ "iss": null }), "token-issuer-unknown"),
        (json!({ "iss": ["https://op.test"] }), invalid),
        (json!({ "aud": null }), "token-audience-mismatch"),
        (
            json!({ "aud": "https://vault.test" }),
            "token-audience-mismatch",
        ),
        (json!({ "aud": [] }), "token-audience-mismatch"),
        (
            json!({ "aud": [AUDIENCE, "https://vault.test"] }),
            "evidence-audience-shared",
        ),
        (json!({ "aud": [[AUDIENCE]] }), invalid),
        (json!({ "aud": { "a": AUDIENCE } }), invalid),
        (json!({ "cnf": { "jkt": "x" } }), "evidence-bound"),
        (json!({ "cnf": {} }), "evidence-bound"),
        (json!({ "token_type": "DPoP" }), "evidence-bound"),
        (json!({ "token_type": "refresh_token" }), "evidence-bound"),
        (json!({ "exp": null }), missing),
        (json!({ "exp": NOW.0 - 60 }), "token-expired"),
        (json!({ "exp": "1800000000" }), invalid),
        (json!({ "exp": 1.5e9 }), invalid),
        (json!({ "exp": NOW.0 + 3_600 }), "token-lifetime-too-long"),
        (json!({ "iat": NOW.0 + 61 }), "token-not-yet-valid"),
        (json!({ "nbf": NOW.0 + 61 }), "token-not-yet-valid"),
        (
            json!({ "iat": null, "exp": NOW.0 + 3_601 }),
            "token-lifetime-too-long",
        ),
        (json!({ "client_id": null }), missing),
        (json!({ "client_id": ["batch"] }), invalid),
        (json!({ "sub": "" }), invalid),
        (json!({ "sub": 7 }), invalid),
        (json!({ "scope": ["read"] }), invalid),
        (json!({ "tenant": { "id": 7 } }), invalid),
        (json!({ "jti": 1 }), invalid),
    ] {
        assert_eq!(read(&changes).err(), Some(code), "{changes}");
    }
    let doubled = br#"{"active":true,"active":false}"#;
    let refused = super::answer::read(doubled, &settings(), NOW).unwrap_err();
    assert_eq!(refused.code(), "introspection-answer-invalid");
}

#[test]
fn a_server_without_a_configured_name_is_called_what_it_says_or_where_it_is_asked() {
    let settings = IntrospectionSettings {
        issuer: None,
        ..settings()
    };
    let subject = |iss: Value| {
        let body = answer(&json!({ "iss": iss })).to_string();
        let said = super::answer::read(body.as_bytes(), &settings, NOW);
        said.map(|said| said.subject)
            .map_err(|refusal| refusal.code())
    };
    assert_eq!(
        subject(json!("https://op.test")).unwrap(),
        "https://op.test|batch"
    );
    assert_eq!(
        subject(Value::Null).unwrap(),
        "https://op.test/token/introspection|batch"
    );
    // It would be another's name where that is revoked, or nobody's.
    for iss in [json!("https://a.test|b"), json!("a b"), json!(7)] {
        assert_eq!(subject(iss), Err("evidence-claim-invalid"));
    }
}

#[tokio::test]
async fn what_no_server_issues_is_asked_of_nobody() {
    for token in [
        "a b".to_owned(),
        "a\n".to_owned(),
        "é".to_owned(),
        "a".repeat(MAX_TOKEN_BYTES + 1),
    ] {
        let refused = settings().introspect(&token, NOW).await.unwrap_err();
        assert_eq!(refused.code(), "evidence-unreadable");
    }
    // And nobody is asked without our own secret.
    let refused = settings().introspect("a", NOW).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.is_outage()),
        ("introspection-forbidden", true)
    );
}
