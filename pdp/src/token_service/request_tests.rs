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

#[test]
fn a_client_proves_itself_by_an_assertion_or_by_the_certificate_of_its_session() {
    let credentials = |more: &[(&str, &str)]| {
        let whole = [("grant_type", CREDENTIALS), ("audience", "orders")];
        read(&[&whole[..], more].concat())
    };
    assert_eq!(credentials(&[]).unwrap().subject, Shown::Certificate);
    let (kind, assertion) = (
        ("client_assertion_type", CLIENT_ASSERTION),
        ("client_assertion", "a.b.c"),
    );
    let asserted = credentials(&[kind, assertion]).unwrap();
    assert_eq!(asserted.subject, Shown::Jwt("a.b.c".to_owned()));
    assert_eq!(
        credentials(&[assertion]),
        Err(RequestError::Missing("client_assertion_type"))
    );
    assert_eq!(
        credentials(&[assertion, ("client_assertion_type", SAML)]),
        Err(RequestError::TokenType("client_assertion_type"))
    );
    // An assertion that got lost on its way does not become the certificate's.
    for lost in [vec![kind], vec![kind, ("client_assertion", "")]] {
        assert_eq!(
            credentials(&lost),
            Err(RequestError::Missing("client_assertion"))
        );
    }
}

#[test]
fn beside_what_another_grant_is_shown_by_nobody_could_tell_who_asks() {
    let all = [
        (EXCHANGE, "subject_token"),
        (ASSERTION, "assertion"),
        (CREDENTIALS, "client_assertion"),
    ];
    for (grant, own) in all {
        for (_, other) in all.into_iter().filter(|(_, name)| *name != own) {
            let form = [
                ("grant_type", grant),
                ("subject_token", "a.b.c"),
                ("subject_token_type", JWT),
                ("client_assertion_type", CLIENT_ASSERTION),
                ("audience", "orders"),
                ("assertion", "a.b.c"),
                ("client_assertion", "a.b.c"),
            ];
            let is_there = |name: &str| name == own || name == other;
            let form: Vec<_> = form
                .into_iter()
                .filter(|(name, _)| !all.iter().any(|(_, shown)| shown == name) || is_there(name))
                .collect();
            let refused = read(&form).unwrap_err();
            assert!(
                matches!(refused, RequestError::Without(name, _) if name == other),
                "{grant} {other}: {refused}"
            );
            assert_eq!(refused.oauth_error(), "invalid_request");
            let alone: Vec<_> = form
                .into_iter()
                .filter(|(name, _)| *name != other)
                .collect();
            assert_eq!(
                read(&alone).unwrap().subject,
                Shown::Jwt("a.b.c".to_owned())
            );
        }
    }
}

#[test]
fn a_client_id_names_whose_assertion_it_is() {
    let of = |subject: &str| {
        let claims = format!(r#"{{"iss":"i","sub":"{subject}","aud":"e","exp":1}}"#);
        let claims = edgeward_core::jose::encode_base64url(claims.as_bytes());
        format!("eyJhbGciOiJFUzI1NiJ9.{claims}.c2ln")
    };
    let asked = |assertion: &str, client: &str| {
        read(&[
            ("grant_type", CREDENTIALS),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_assertion", assertion),
            ("client_id", client),
            ("audience", "orders"),
        ])
    };
    let batch = of("batch");
    let request = asked(&batch, "batch").unwrap();
    assert_eq!(request.subject, Shown::Jwt(batch.clone()));
    for (assertion, client) in [
        (batch.as_str(), "Batch"),
        (&batch, "other"),
        (&of("other"), "batch"),
        ("a.b.c", "batch"),
        ("opaque", "batch"),
    ] {
        assert_eq!(
            asked(assertion, client),
            Err(RequestError::Client),
            "{client}"
        );
    }
}

#[test]
fn an_access_token_that_is_no_jwt_is_opaque_and_may_say_whose_it_is() {
    let shown = |token: &str, kind: &str| {
        let form = [
            ("grant_type", EXCHANGE),
            ("subject_token", token),
            ("subject_token_type", kind),
            ("audience", "orders"),
            ("trust_provider", "op"),
        ];
        read(&form).unwrap()
    };
    let opaque = shown("a.b.c", ACCESS_TOKEN);
    assert_eq!(opaque.subject, Shown::Opaque("a.b.c".to_owned()));
    assert_eq!(opaque.provider, Some("op".parse().unwrap()));
    let jwt = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln";
    assert_eq!(shown(jwt, ACCESS_TOKEN).subject, Shown::Jwt(jwt.to_owned()));
    // What says that it is a JWT is read as one, or refused.
    assert_eq!(shown("a.b.c", JWT).subject, Shown::Jwt("a.b.c".to_owned()));
    assert_eq!(
        with(&[("trust_provider", "Op!")]),
        Err(RequestError::Provider)
    );
}
