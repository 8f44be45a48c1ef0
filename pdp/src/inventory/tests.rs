//! What is seen is kept, once each, within bounds; what is noticed never has the secret in it.

use edgeward_core::jose::encode_base64url;
use proptest::prelude::*;
use tempfile::TempDir;

use super::secrets::{SecretKind, find, find_in_header, find_in_target};
use super::*;

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

fn inventory(folder: &TempDir) -> Inventory {
    Inventory::open(InventorySettings {
        directory: folder.path().join("inventory"),
        secrets: true,
    })
    .unwrap()
}

fn cart() -> Who {
    Who::new("spiffe://prod.test/cart", Some("https://issuer.test"))
}

#[test]
fn an_identity_is_there_once_with_its_first_and_last_time_and_the_lifetimes_of_its_tokens() {
    let folder = TempDir::new().unwrap();
    let inventory = inventory(&folder);
    for (lifetime, audience, at) in [
        (300, "orders", 0),
        (60, "payments", 20),
        (600, "orders", 10),
    ] {
        let audiences = [audience.to_owned()];
        let issued = Outcome::Issued {
            lifetime,
            audiences: &audiences,
        };
        inventory.asked_for_token(cart(), ("cluster", Some("cart")), issued, NOW.plus(at));
    }
    let refused = Outcome::Refused("environment-mismatch");
    inventory.asked_for_token(cart(), ("cluster", Some("cart")), refused, NOW.plus(30));
    inventory.decided(Who::new("spiffe://prod.test/cart", None), NOW.plus(40));
    let report = inventory.report();
    let [seen] = report.identities.as_slice() else {
        panic!("{report:?}");
    };
    let identity = &seen.identity;
    assert_eq!(
        (identity.first_seen, identity.last_seen),
        (NOW, NOW.plus(40))
    );
    assert_eq!(
        (identity.shortest_token, identity.longest_token),
        (Some(60), Some(600))
    );
    assert_eq!(
        (
            identity.tokens_issued,
            identity.tokens_refused["environment-mismatch"]
        ),
        (3, 1)
    );
    assert_eq!(identity.decided_at, Some(NOW.plus(40)));
    assert_eq!(
        identity.audiences.iter().collect::<Vec<_>>(),
        ["orders", "payments"]
    );
}

#[test]
fn two_issuers_names_are_two_identities() {
    let folder = TempDir::new().unwrap();
    let inventory = inventory(&folder);
    for issuer in ["https://a.test", "https://b.test"] {
        inventory.decided(Who::new("alice", Some(issuer)), NOW);
    }
    assert_eq!(inventory.counts().0, 2);
}

#[test]
fn a_restart_knows_what_was_saved_and_a_broken_file_is_set_aside() {
    let folder = TempDir::new().unwrap();
    let before = inventory(&folder);
    before.decided(cart(), NOW);
    before.noticed((SecretKind::AwsAccessKey, "query"), "a", "b", NOW);
    before.save();
    let after = inventory(&folder);
    assert_eq!(after.report(), before.report());
    let file = folder.path().join("inventory/inventory.json");
    std::fs::write(&file, "{\"identities\":[").unwrap();
    assert_eq!(inventory(&folder).counts(), (0, 0, 0));
    assert!(
        folder
            .path()
            .join("inventory/inventory.json.broken")
            .is_file()
    );
}

#[test]
fn what_does_not_fit_is_counted() {
    let folder = TempDir::new().unwrap();
    let inventory = inventory(&folder);
    let refused = Outcome::Refused("client-workload-unknown");
    for number in 0..=MAX_IDENTITIES {
        let who = Who::new(&number.to_string(), None);
        inventory.asked_for_token(who, ("cluster", None), refused, NOW);
    }
    assert_eq!(inventory.counts(), (MAX_IDENTITIES, 0, 1));
    inventory.decided(Who::new("7", None), NOW.plus(1));
    assert_eq!(inventory.counts().2, 1);
}

#[test]
fn what_deciding_threads_saw_waits_within_bounds_and_what_does_not_fit_is_counted() {
    let folder = TempDir::new().unwrap();
    let inventory = inventory(&folder);
    for _ in 0..MAX_WAITING + 3 {
        inventory.decided(cart(), NOW);
    }
    assert_eq!(inventory.counts(), (1, 0, 3));
    inventory.decided(Who::new("other", None), NOW);
    assert_eq!(inventory.counts(), (2, 0, 3));
}

/// Made of parts, so that nobody takes this file for a leak.
fn samples() -> Vec<(SecretKind, String)> {
    let letters = |count: usize| "Ab3".repeat(count).chars().take(count).collect::<String>();
    vec![
        (SecretKind::AwsAccessKey, format!("AKIA{}", "A2".repeat(8))),
        (
            SecretKind::AzureStorageKey,
            format!("AccountKey={}==", letters(86)),
        ),
        (SecretKind::GithubToken, format!("ghp_{}", letters(36))),
        (
            SecretKind::GithubToken,
            format!("github_pat_{}_{}", letters(22), letters(59)),
        ),
        (SecretKind::GitlabToken, format!("glpat-{}", letters(20))),
        (SecretKind::GoogleApiKey, format!("AIza{}", letters(35))),
        (SecretKind::NpmToken, format!("npm_{}", letters(36))),
        (
            SecretKind::PrivateKey,
            "-----BEGIN EC PRIVATE KEY-----".to_owned(),
        ),
        (
            SecretKind::PrivateKey,
            "-----BEGIN PRIVATE KEY-----".to_owned(),
        ),
        (
            SecretKind::PypiToken,
            format!("pypi-AgEIcHlwaS5vcmc{}", letters(50)),
        ),
        (
            SecretKind::SendgridKey,
            format!("SG.{}.{}", letters(22), letters(43)),
        ),
        (
            SecretKind::SlackToken,
            format!("xoxb-{}-{}", "1".repeat(10), letters(20)),
        ),
        (SecretKind::StripeKey, format!("sk_live_{}", letters(24))),
        (SecretKind::VaultToken, format!("hvs.{}", letters(24))),
    ]
}

#[test]
fn secrets_are_known_by_their_format_and_nothing_else_is() {
    for (kind, secret) in samples() {
        for text in [
            secret.clone(),
            format!("a={secret}&b=1"),
            format!("\"{secret}\""),
        ] {
            assert_eq!(find(text.as_bytes()), [kind], "{kind:?}");
        }
    }
    for text in [
        "AKIA",
        "AKIAIOSFODNN7EXAMPL",
        "ASIAA2A2A2A2A2A2A2A2",
        "xAKIAA2A2A2A2A2A2A2A2",
        "ghp_short",
        "sk_test_Ab3Ab3Ab3Ab3Ab3Ab3Ab3Ab3",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "password=hunter2",
        "api_key=0123456789abcdef0123456789abcdef",
        "xoxb-1-short",
        "SG.a.b",
        "hvs.short",
        "npm_install",
        "AccountKey=short==",
    ] {
        assert_eq!(find(text.as_bytes()), [], "{text}");
    }
}

#[test]
fn credentials_in_authorization_are_static_where_they_do_not_end_soon() {
    let token = |claims: &str| {
        let part = |text: &str| encode_base64url(text.as_bytes());
        format!(
            "Bearer {}.{}.{}",
            part(r#"{"alg":"ES256"}"#),
            part(claims),
            part("s")
        )
    };
    for (value, must) in [
        ("Basic YTpi".to_owned(), Some(SecretKind::BasicCredentials)),
        ("basic YTpi".to_owned(), Some(SecretKind::BasicCredentials)),
        ("Basic ".to_owned(), None),
        (token(r#"{"iat":1700000000,"exp":1700000300}"#), None),
        (token(r#"{"iat":1700000000,"exp":1702592000}"#), None),
        (
            token(r#"{"iat":1700000000,"exp":1702592001}"#),
            Some(SecretKind::LongLivedToken),
        ),
        (
            token(r#"{"iat":1700000000}"#),
            Some(SecretKind::LongLivedToken),
        ),
        (token(r#"{"exp":1800000000}"#), None),
        ("Bearer opaque".to_owned(), None),
    ] {
        let found = find_in_header("authorization", value.as_bytes());
        assert_eq!(found.first().copied(), must, "{value}");
        assert!(find_in_header("x-other", b"Basic YTpi").is_empty());
    }
}

#[test]
fn a_percent_encoded_secret_is_found() {
    for (kind, secret) in samples() {
        let encoded: Vec<String> = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let encoded = encoded.concat();
        for query in [format!("a=%22{secret}%22"), format!("a%3D{encoded}&b=1")] {
            assert_eq!(find_in_target(&query), [kind], "{query}");
        }
    }
    let spaced = "pem=-----BEGIN+RSA+PRIVATE+KEY-----";
    assert_eq!(find_in_target(spaced), [SecretKind::PrivateKey]);
}

#[test]
fn names_that_a_caller_chooses_are_cut_and_no_password_is_kept_for_a_host() {
    let folder = TempDir::new().unwrap();
    let inventory = inventory(&folder);
    let place = format!("header {}", "x".repeat(60_000));
    for (service, must) in [
        ("shop.example:8443", "shop.example:8443"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("cart:hunter2@shop.example", "(no host)"),
        ("%67hp_shop.example", "(no host)"),
    ] {
        inventory.noticed((SecretKind::BasicCredentials, &place), "", service, NOW);
        let report = inventory.report();
        assert_eq!(report.secrets[0].at.service, must);
        assert_eq!(report.secrets[0].at.place.len(), 512);
        assert!(!format!("{report:?}").contains("hunter2"));
        inventory.lock().secrets.clear();
    }
}

proptest! {
    #[test]
    fn no_name_brings_a_secret_into_a_report(index in 0_usize..14, before in "[a-z.-]{0,9}", is_lower in any::<bool>()) {
        let (kind, secret) = samples()[index].clone();
        let said = if is_lower { secret.to_ascii_lowercase() } else { secret };
        let name = format!("{before} {said}");
        let folder = TempDir::new().unwrap();
        let inventory = inventory(&folder);
        inventory.noticed((kind, &format!("header {name}")), &name, &said, NOW);
        inventory.decided(Who::new(&name, Some(&name)), NOW);
        inventory.save();
        let file = std::fs::read_to_string(folder.path().join("inventory/inventory.json")).unwrap();
        let all = format!("{file} {:?}", inventory.report());
        prop_assert!(!all.contains(&said), "{}", all);
    }

    #[test]
    fn a_report_never_has_a_secret_in_it(index in 0_usize..14, before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
        let (_, secret) = samples()[index].clone();
        let folder = TempDir::new().unwrap();
        let inventory = inventory(&folder);
        let text = format!("{before} {secret} {after}");
        let found = find(text.as_bytes());
        prop_assert!(!found.is_empty());
        for kind in found {
            inventory.noticed((kind, "body"), "spiffe://prod.test/cart", "shop.test", NOW);
        }
        inventory.save();
        let file = std::fs::read_to_string(folder.path().join("inventory/inventory.json")).unwrap();
        let said = format!("{file} {:?}", inventory.report());
        prop_assert!(!said.contains(&secret));
        prop_assert_eq!(inventory.report().secrets.len(), 1);
    }
}
