//! How a server is asked, and answers that are none: of another form, from elsewhere, too long, too late.

use edgeward_core::jose::{Algorithm, CompactJws};

use super::*;
use crate::attestation::introspection::test_server::TestServer;
use crate::crypto::Signer;
use crate::fetch::AddressRule;

const JSON: &str = "content-type: application/json\r\n";

fn asking(server: &TestServer, authentication: Authentication) -> IntrospectionSettings {
    IntrospectionSettings {
        endpoint: server.endpoint(),
        client: Client {
            id: "edge:ward".to_owned(),
            authentication,
        },
        fetch: FetchSettings {
            timeout: Duration::from_millis(500),
            addresses: AddressRule {
                allow_loopback: true,
                allow_link_local: false,
            },
            ..FetchSettings::default()
        },
        ..settings()
    }
}

/// Settings with a secret, whose file is in the folder.
fn with_secret(server: &TestServer) -> (tempfile::TempDir, IntrospectionSettings) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "a secret: é+\n").unwrap();
    (folder, asking(server, Authentication::Basic(file)))
}

#[tokio::test]
async fn answers_that_are_none_are_outages_each_with_its_code() {
    let server = TestServer::start();
    let (_folder, settings) = with_secret(&server);
    let good = answer(&json!({})).to_string();
    let long = answer(&json!({ "padding": "x".repeat(MAX_ANSWER_BYTES) })).to_string();
    let (invalid, forbidden, unavailable) = (
        "introspection-answer-invalid",
        "introspection-forbidden",
        "introspection-unavailable",
    );
    let elsewhere = format!("location: {}\r\n{JSON}", server.endpoint().as_str());
    let gzip = format!("content-encoding: gzip\r\n{JSON}");
    // RFC 9701: signed answers are not read, whatever they say.
    let signed = "content-type: application/token-introspection+jwt\r\n";
    for (status, headers, body, code) in [
        ("200 OK", signed, good.as_str(), invalid),
        ("200 OK", signed, "eyJhbGciOiJub25lIn0.e30.", invalid),
        ("200 OK", "content-type: text/html\r\n", &good, invalid),
        ("200 OK", &gzip, &good, invalid),
        ("200 OK", JSON, &long, invalid),
        ("200 OK", JSON, "", invalid),
        ("200 OK", JSON, "[]", invalid),
        ("200 OK", JSON, &format!("{good}{good}"), invalid),
        ("302 Found", &elsewhere, &good, invalid),
        ("307 Temporary Redirect", &elsewhere, &good, invalid),
        ("304 Not Modified", JSON, "", invalid),
        ("201 Created", JSON, &good, unavailable),
        ("400 Bad Request", JSON, &good, forbidden),
        ("401 Unauthorized", JSON, &good, forbidden),
        ("403 Forbidden", JSON, &good, forbidden),
        ("404 Not Found", JSON, &good, unavailable),
        ("500 Oh", JSON, &good, unavailable),
        ("503 Oh", JSON, &good, unavailable),
    ] {
        server.say(status, headers, body);
        let refused = settings.introspect("opaque", NOW).await.unwrap_err();
        let seen = (refused.code(), refused.is_outage());
        assert_eq!(seen, (code, true), "{status} {headers} {refused}");
        assert_eq!(server.asked().len(), 1, "nobody is asked twice: {status}");
    }
    server.say("200 OK", JSON, &good);
    settings.introspect("opaque", NOW).await.unwrap();
    server.slow(Duration::from_secs(2));
    let refused = settings.introspect("opaque", NOW).await.unwrap_err();
    assert_eq!((refused.code(), refused.is_outage()), (unavailable, true));
    assert!(!refused.to_string().contains("opaque"), "{refused}");
}

#[tokio::test]
async fn a_secret_is_sent_where_it_belongs_and_nowhere_else() {
    let server = TestServer::start();
    server.tell(&answer(&json!({})));
    let (folder, basic) = with_secret(&server);
    basic.introspect("a+b/c=", NOW).await.unwrap();
    let asked = server.asked().remove(0);
    // RFC 6749 section 2.3.1: both are form-encoded first, so that a colon in the id ends nothing.
    let both = "edge%3Award:a+secret%3A+%C3%A9%2B";
    let header = format!("Basic {}", base64_of(both));
    assert!(asked.contains(&header), "{asked}");
    assert!(
        asked.ends_with("\r\n\r\ntoken=a%2Bb%2Fc%3D&token_type_hint=access_token"),
        "{asked}"
    );
    let post = asking(&server, Authentication::Post(folder.path().join("secret")));
    post.introspect("t", NOW).await.unwrap();
    let asked = server.asked().remove(0);
    assert!(
        asked.ends_with("&client_id=edge%3Award&client_secret=a+secret%3A+%C3%A9%2B"),
        "{asked}"
    );
    assert!(
        !asked.to_ascii_lowercase().contains("authorization"),
        "{asked}"
    );
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn an_assertion_is_for_this_server_short_and_never_the_same() {
    let server = TestServer::start();
    server.tell(&answer(&json!({})));
    let folder = tempfile::tempdir().unwrap();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let file = folder.path().join("key");
        let key = Signer::generate(algorithm).unwrap();
        std::fs::write(&file, key.to_pkcs8_pem().unwrap()).unwrap();
        let settings = asking(
            &server,
            Authentication::PrivateKey {
                file,
                algorithm: None,
                audience: "https://op.test".to_owned(),
            },
        );
        let mut ids = Vec::new();
        for _ in 0..2 {
            settings.introspect("t", NOW).await.unwrap();
            let asked = server.asked().remove(0);
            let (_, form) = asked.split_once("\r\n\r\n").unwrap();
            let assertion = url::form_urlencoded::parse(form.as_bytes())
                .find(|(name, _)| name == "client_assertion")
                .unwrap()
                .1
                .into_owned();
            let jws = CompactJws::parse(&assertion).unwrap();
            assert_eq!(jws.algorithm, algorithm);
            let claims: Value = serde_json::from_slice(&jws.payload).unwrap();
            assert_eq!(claims["aud"], "https://op.test");
            assert_eq!(
                (&claims["iss"], &claims["sub"]),
                (&json!("edge:ward"), &json!("edge:ward"))
            );
            assert_eq!(
                claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
                60
            );
            ids.push(claims["jti"].as_str().unwrap().to_owned());
        }
        assert_ne!(ids[0], ids[1]);
    }
}
