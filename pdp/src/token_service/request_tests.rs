//! Forms, as clients send them and as they should not.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<TokenRequest, RequestError> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        form.append_pair(name, value);
    }
    TokenRequest::parse(form.finish().as_bytes())
}

const SAML: &str = "urn:ietf:params:oauth:token-type:saml2";
const WHOLE: [(&str, &str); 4] = [
    ("grant_type", EXCHANGE),
    ("subject_token", "a.b.c"),
    ("subject_token_type", JWT),
    ("audience", "orders"),
];

fn with(more: &[(&'static str, &'static str)]) -> Result<TokenRequest, RequestError> {
    read(&[&WHOLE[..], more].concat())
}

#[test]
fn an_exchange_and_an_assertion_ask_for_the_same() {
    let request = with(&[]).unwrap();
    assert_eq!(request.subject, Shown::Jwt("a.b.c".to_owned()));
    assert_eq!(request.audiences, ["orders"]);
    assert_eq!(request.kind, TokenKind::JwtSvid);
    let assertion = read(&[
        ("grant_type", ASSERTION),
        ("assertion", "a.b.c"),
        ("audience", "orders"),
    ]);
    assert_eq!(assertion.unwrap(), request);
    let more = with(&[
        ("resource", "https://pay.test/"),
        ("scope", " read  write "),
        ("actor_token", "d.e.f"),
        ("actor_token_type", ID_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("unknown", "x"),
        ("unknown", "y"),
    ]);
    let more = more.unwrap();
    assert_eq!(more.audiences, ["orders", "https://pay.test/"]);
    assert_eq!(more.scopes, ["read", "write"]);
    assert_eq!(more.actor, Some(Shown::Jwt("d.e.f".to_owned())));
    assert_eq!(more.kind, TokenKind::AccessToken);
}

#[test]
fn a_form_that_could_be_read_in_two_ways_is_refused() {
    for (name, value) in WHOLE
        .iter()
        .chain(&[("scope", "a")])
        .filter(|(name, _)| *name != "audience")
    {
        let twice = read(&[&WHOLE[..], &[(name, value), (name, "other")]].concat());
        assert_eq!(
            twice.unwrap_err().oauth_error(),
            "invalid_request",
            "{name}"
        );
    }
}

#[test]
fn what_is_missing_or_of_another_type_is_said_by_name() {
    for name in [
        "grant_type",
        "subject_token",
        "subject_token_type",
        "audience",
    ] {
        let rest: Vec<_> = WHOLE
            .into_iter()
            .filter(|(there, _)| *there != name)
            .collect();
        assert_eq!(read(&rest).unwrap_err(), RequestError::Missing(name));
        // RFC 6749 section 3.2: a parameter without a value is one that is not there.
        let empty: Vec<_> = rest.into_iter().chain([(name, "")]).collect();
        assert_eq!(read(&empty).unwrap_err(), RequestError::Missing(name));
    }
    let refused = |more: &[(&'static str, &'static str)]| with(more).unwrap_err();
    assert_eq!(
        refused(&[("actor_token", "x")]),
        RequestError::Missing("actor_token_type")
    );
    assert_eq!(
        refused(&[("actor_token_type", JWT)]),
        RequestError::Without("actor_token_type", "actor_token")
    );
    assert_eq!(
        refused(&[("requested_token_type", SAML)]),
        RequestError::TokenType("requested_token_type")
    );
    let many: Vec<_> = (0..MAX_AUDIENCES).map(|_| ("audience", "x")).collect();
    assert_eq!(refused(&many), RequestError::Audiences);
    let grant = read(&[("grant_type", "password")]).unwrap_err();
    assert_eq!(grant.oauth_error(), "unsupported_grant_type");
}
