//! Revocations: tags and JSON as properties, and who is found.

use proptest::prelude::*;

use super::*;
use crate::time::UnixSeconds;

const ISSUER: &str = "https://issuer.test";

fn issuer() -> KeyOwner {
    KeyOwner::Issuer(ISSUER.parse().unwrap())
}

fn owner() -> impl Strategy<Value = KeyOwner> {
    prop_oneof![
        "[!-{}~]{1,20}".prop_map(|name| KeyOwner::Issuer(name.parse().unwrap())),
        "[a-z0-9.-]{1,20}".prop_map(|name| KeyOwner::TrustDomain(name.parse().unwrap())),
    ]
}

fn revoked() -> impl Strategy<Value = Revoked> {
    // Few characters, of those that tags are divided by, so that confusions would be found.
    let name = || prop_oneof!["[ |a/:-]{1,6}", "\\PC{1,20}"];
    prop_oneof![
        (owner(), name()).prop_map(|(owner, token_id)| Revoked::Token { owner, token_id }),
        (owner(), name()).prop_map(|(owner, key_id)| Revoked::Key { owner, key_id }),
        (owner(), name()).prop_map(|(owner, session)| Revoked::Session { owner, session }),
        owner().prop_map(Revoked::Owner),
        ("[!-{}~]{1,9}", name())
            .prop_map(|(issuer, sub)| Revoked::Subject(format!("{issuer}|{sub}"))),
        "spiffe://[a-z]{1,5}/[a-z]{1,5}".prop_map(Revoked::Subject),
        any::<[u8; 32]>().prop_map(Revoked::TokenDigest),
        any::<[u8; 32]>().prop_map(Revoked::Certificate),
        name().prop_map(Revoked::Policy),
    ]
}

fn expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![
        Just(Expiry::Never),
        any::<u64>().prop_map(|seconds| Expiry::At(UnixSeconds(seconds)))
    ]
}

proptest! {
    #[test]
    fn tags_are_one_to_one_and_begin_with_their_kind(one in revoked(), two in revoked()) {
        prop_assert_eq!(one.tag() == two.tag(), one == two);
        prop_assert_eq!(one.id() == two.id(), one == two);
        let tag = one.tag();
        prop_assert_eq!(tag.split(' ').next(), Some(one.kind().word()));
    }

    #[test]
    fn what_is_written_is_read_back_the_same(
        revoked in revoked(),
        reason in proptest::option::of("[^\\pC]{1,40}"),
        at in any::<u64>(),
        expires_at in expiry(),
        given in proptest::option::of(expiry()),
    ) {
        let order = Order { revoked: revoked.clone(), reason: reason.clone(), expires_at: given };
        prop_assume!(!order.reason.as_ref().is_some_and(String::is_empty));
        prop_assert_eq!(Order::parse(order.to_json().to_string().as_bytes()).unwrap(), order);
        let revocation = Revocation { revoked, reason, at: UnixSeconds(at), expires_at };
        let text = revocation.to_json().to_string();
        prop_assert_eq!(Revocation::parse(text.as_bytes()).unwrap(), revocation);
    }

    #[test]
    fn a_set_survives_the_feed_and_holds_what_went_in_and_nothing_else(
        list in proptest::collection::vec(revoked(), 0..20),
        other in revoked(),
    ) {
        let set = Revocations::of(&list);
        prop_assert_eq!(&Revocations::from_tags(set.tags().to_vec()).unwrap(), &set);
        prop_assert_eq!(set.is_empty(), list.is_empty());
        for one in list.iter().chain([&other]) {
            let found = set.tags().contains(&one.tag());
            prop_assert_eq!(found, list.contains(one));
            if let Revoked::Policy(revision) = one {
                prop_assert_eq!(set.has_policy(revision), found);
            }
        }
    }
}

#[test]
fn tags_of_an_unknown_kind_or_out_of_order_are_refused() {
    let tags = |tags: &[&str]| Revocations::from_tags(tags.iter().map(|&tag| tag.into()).collect());
    assert!(tags(&["issuer a", "policy b"]).is_ok());
    for unknown in [
        "",
        "issuer",
        "issuers a",
        "Issuer a",
        "tenant a",
        " issuer a",
    ] {
        assert_eq!(
            tags(&[unknown]),
            Err(RevocationsError::UnknownKind),
            "{unknown}"
        );
    }
    assert_eq!(
        tags(&["policy b", "issuer a"]),
        Err(RevocationsError::Order)
    );
    assert_eq!(
        tags(&["issuer a", "issuer a"]),
        Err(RevocationsError::Order)
    );
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    assert!(words.is_sorted());
}

/// Everything that may be known of one caller with a token, and of one with a certificate.
fn callers() -> [Identity<'static>; 2] {
    const DIGEST: [u8; 32] = [7; 32];
    [
        Identity {
            token: Some("a.b.c"),
            token_id: Some("j"),
            session: Some("s"),
            key_id: Some("k"),
            ..Identity::of_subject("https://issuer.test|job")
        },
        Identity {
            certificate: Some(&DIGEST),
            ..Identity::of_subject("spiffe://example.org/w")
        },
    ]
}

#[test]
fn each_kind_finds_its_caller_and_no_other() {
    let domain = |name: &str| KeyOwner::TrustDomain(name.parse().unwrap());
    let other = || KeyOwner::Issuer("https://other.test".parse().unwrap());
    let named = |owner: KeyOwner, name: &str| {
        let (o, n) = (owner, name.to_owned());
        [
            Revoked::Token {
                owner: o.clone(),
                token_id: n.clone(),
            },
            Revoked::Session {
                owner: o.clone(),
                session: n.clone(),
            },
            Revoked::Key {
                owner: o,
                key_id: n,
            },
        ]
    };
    let [token, _, _] = named(issuer(), "j");
    let [_, session, _] = named(issuer(), "s");
    let [_, _, key] = named(issuer(), "k");
    // Of what was signed: another signature makes no other token.
    let digest: [u8; 32] = Sha256::digest(b"a.b").into();
    for (revoked, found) in [
        (token, [Some(Kind::Token), None]),
        (session, [Some(Kind::Session), None]),
        (key, [Some(Kind::Key), None]),
        (
            Revoked::TokenDigest(digest),
            [Some(Kind::TokenDigest), None],
        ),
        (Revoked::TokenDigest([7; 32]), [None, None]),
        (
            Revoked::Certificate([7; 32]),
            [None, Some(Kind::Certificate)],
        ),
        (Revoked::Certificate(digest), [None, None]),
        (Revoked::Owner(issuer()), [Some(Kind::Issuer), None]),
        (Revoked::Owner(other()), [None, None]),
        (
            Revoked::Owner(domain("example.org")),
            [None, Some(Kind::TrustDomain)],
        ),
        (Revoked::Owner(domain("example.or")), [None, None]),
        (
            Revoked::Subject("https://issuer.test|job".to_owned()),
            [Some(Kind::Subject), None],
        ),
        (
            Revoked::Subject("spiffe://example.org/w".to_owned()),
            [None, Some(Kind::Subject)],
        ),
        (
            Revoked::Subject("spiffe://example.org/w/w".to_owned()),
            [None, None],
        ),
        (Revoked::Policy("j".to_owned()), [None, None]),
    ]
    .into_iter()
    .chain(named(other(), "k").map(|revoked| (revoked, [None, None])))
    .chain(named(issuer(), "x").map(|revoked| (revoked, [None, None])))
    .chain(named(domain("https"), "j").map(|revoked| (revoked, [None, None])))
    {
        let set = Revocations::of([&revoked]);
        assert_eq!(
            callers().map(|caller| set.find(&caller)),
            found,
            "{}",
            revoked.tag()
        );
        assert_eq!(Revocations::default().find(&callers()[0]), None);
    }
}

#[test]
fn what_is_no_order_is_refused_by_the_name_of_its_fault() {
    let long = "k".repeat(MAX_NAME_BYTES + 1);
    for (body, fault) in [
        ("", "revocation: not acceptable JSON"),
        ("{}", "kind: must be given"),
        (r#"{"kind":"tenant"}"#, "kind: must be `token`, `subject`"),
        (
            r#"{"kind":"token-digest","sha256":"00"}"#,
            "kind: must be `token`",
        ),
        (
            r#"{"kind":"token","jti":"j"}"#,
            "issuer: give it or `trust_domain`",
        ),
        (r#"{"kind":"token","issuer":"i"}"#, "jti: must be given"),
        (
            r#"{"kind":"token","sha256":"00"}"#,
            "sha256: must be a SHA-256 digest",
        ),
        (
            r#"{"kind":"key","issuer":"i","trust_domain":"d","kid":"k"}"#,
            "issuer: give it or",
        ),
        (
            r#"{"kind":"key","issuer":"i","kid":"a\nb"}"#,
            "kid: must be at most 512 bytes",
        ),
        (
            &format!(r#"{{"kind":"session","issuer":"i","sid":"{long}"}}"#),
            "sid: must be at most",
        ),
        (
            r#"{"kind":"subject","subject":"job"}"#,
            "subject: must be a SPIFFE ID, or",
        ),
        (
            r#"{"kind":"subject","subject":"|job"}"#,
            "subject: must be a SPIFFE ID, or",
        ),
        (
            r#"{"kind":"subject","subject":"spiffe://UPPER/x"}"#,
            "subject: ",
        ),
        (
            r#"{"kind":"trust-domain","trust_domain":"Not One"}"#,
            "trust_domain: ",
        ),
        (
            r#"{"kind":"trust-domain","issuer":"i"}"#,
            "trust_domain: must be given",
        ),
        (
            r#"{"kind":"policy","revision":"r","more":1}"#,
            "more: is not known here",
        ),
        (
            r#"{"kind":"policy","revision":"r","expires_at":-1}"#,
            "expires_at: must be seconds",
        ),
        (
            r#"{"kind":"policy","revision":"r","expires_at":"soon"}"#,
            "expires_at: must be seconds",
        ),
        (
            r#"{"kind":"policy","kind":"policy","revision":"r"}"#,
            "revocation: not acceptable JSON",
        ),
    ] {
        let error = Order::parse(body.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(fault), "{body}: {error}");
    }
    let openssl = format!(
        r#"{{"kind":"certificate","sha256":"{}"}}"#,
        ["AB"; 32].join(":")
    );
    let order = Order::parse(openssl.as_bytes()).unwrap();
    assert_eq!(order.revoked, Revoked::Certificate([0xab; 32]));
}
