//! `edgeward token mint` and how its tokens fare with `edgeward token verify`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Place, Said};

const DEVELOPMENT: &str = "
environment: development
issuers:
  - { issuer: 'https://idp.example', keys: { file: jwks.json }, audiences: [edgeward, other] }
  - { issuer: 'https://far.example', keys: { jwks_url: 'https://far.example/k' }, audiences: [edgeward] }
trust_domains:
  - { name: example.org, bundle: { file: bundle.json }, audiences: [edgeward] }
";
const CART: [&str; 2] = ["--as", "spiffe://example.org/cart"];
pub(crate) const ALICE: [&str; 4] = ["--issuer", "https://idp.example", "--subject", "alice"];

pub(crate) fn development() -> Place {
    // The trust file of whoever is not minted for must be there: an empty set verifies nothing.
    Place::with(&[
        ("dev.yaml", DEVELOPMENT),
        ("jwks.json", r#"{"keys":[]}"#),
        ("bundle.json", r#"{"keys":[],"spiffe_sequence":7}"#),
    ])
}

pub(crate) fn mint(place: &Place, arguments: &[&str]) -> String {
    let said = place.run(&[&["token", "mint", "--config", "dev.yaml"], arguments].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    said.out.trim_end().to_owned()
}

fn verify(place: &Place, arguments: &[&str]) -> Said {
    place.run(&[&["token", "verify", "--config", "dev.yaml"], arguments].concat())
}

fn reason(place: &Place, token: &str) -> Value {
    let said = verify(place, &["--output", "json", token]);
    let line: Value = serde_json::from_str(&said.out).expect("JSON");
    line["reason"].clone()
}

#[test]
fn a_minted_token_is_accepted_and_a_forged_one_is_not() {
    let place = development();
    let (cart, alice) = (mint(&place, &CART), mint(&place, &ALICE));
    let forged = mint(&place, &[&CART[..], &["--forged"]].concat());
    let said = verify(&place, &[&cart, &alice]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let lines: Vec<&str> = said.out.lines().collect();
    let expected = [
        "accepted  jwt-svid  -  spiffe://example.org/cart  (",
        "accepted  oidc  -  https://idp.example|alice  (",
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}");
    }
    let said = verify(&place, &[&forged]);
    assert_eq!(said.code, 1);
    assert_eq!(
        said.out,
        "refused  jwt-svid  token-signature-invalid  -  (signature does not verify)\n"
    );
}

#[test]
fn every_algorithm_can_be_minted_and_verified() {
    let place = development();
    for algorithm in [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ] {
        let token = mint(&place, &[&ALICE[..], &["--algorithm", algorithm]].concat());
        assert_eq!(verify(&place, &[&token]).code, 0, "{algorithm}");
    }
    let said = place.run(
        &[
            &[
                "token",
                "mint",
                "--config",
                "dev.yaml",
                "--algorithm",
                "EdDSA",
            ],
            &CART[..],
        ]
        .concat(),
    );
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("`--algorithm EdDSA` is not among the `algorithms` of `example.org`"),
        "{}",
        said.err
    );
}

#[test]
fn claims_audience_and_times_are_as_asked_for() {
    let place = development();
    let token = mint(
        &place,
        &[&ALICE[..], &["--audience", "somebody-else"]].concat(),
    );
    assert_eq!(reason(&place, &token), "token-audience-mismatch");
    let token = mint(
        &place,
        &[
            &ALICE[..],
            &["--issued-at", "2026-01-31T12:00:00Z", "--ttl", "1h"],
        ]
        .concat(),
    );
    assert_eq!(reason(&place, &token), "token-expired");
    let said = verify(&place, &["--at", "1769863600", &token]);
    assert_eq!(said.code, 0, "{}", said.out);
    let token = mint(&place, &[&ALICE[..], &["--claim", "nbf=\"soon\""]].concat());
    assert_eq!(reason(&place, &token), "token-claim-invalid");
    let token = mint(&place, &[&ALICE[..], &["--ttl", "25h"]].concat());
    assert_eq!(reason(&place, &token), "token-lifetime-too-long");
}

#[test]
fn private_keys_are_for_their_owner_only() {
    let place = development();
    mint(&place, &CART);
    let keys = std::fs::read_dir(place.path("dev-keys")).expect("the key directory");
    let pem = keys
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "pem"))
        .expect("a key");
    let mode = std::fs::metadata(&pem)
        .expect("the key")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let bundle = std::fs::read_to_string(place.path("bundle.json")).expect("the bundle");
    let bundle: Value = serde_json::from_str(&bundle).expect("JSON");
    assert!(bundle["keys"][0].get("d").is_none(), "{bundle}");
    assert_eq!(
        bundle["spiffe_sequence"], 8,
        "the bundle's sequence grows with its content"
    );

    std::fs::set_permissions(&pem, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let said = place.run(&[&["token", "mint", "--config", "dev.yaml"], &CART[..]].concat());
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("is readable for others: run `chmod 600"),
        "{}",
        said.err
    );
}

#[test]
fn nothing_is_minted_where_it_should_not_be() {
    let place = development();
    place.write(
        "prod.yaml",
        &DEVELOPMENT.replace("development", "production"),
    );
    for (config, who, expected) in [
        (
            "prod.yaml",
            &CART[..],
            "prod.yaml: is a production configuration",
        ),
        (
            "dev.yaml",
            &["--as", "spiffe://other.org/x"],
            "dev.yaml: trust_domains: has no `other.org`",
        ),
        (
            "dev.yaml",
            &["--issuer", "i", "--subject", "s"],
            "dev.yaml: issuers: has no `i`",
        ),
        (
            "dev.yaml",
            &["--issuer", "https://far.example", "--subject", "s"],
            "do not come from a file",
        ),
    ] {
        let said = place.run(&[&["token", "mint", "--config", config], who].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{who:?}");
        assert!(said.err.contains(expected), "{who:?}: {}", said.err);
    }
    assert!(
        !place.path("dev-keys").exists(),
        "a refusal leaves no traces"
    );
}

#[test]
fn many_minters_at_once_agree_on_one_key() {
    let place = development();
    let arguments = [&["token", "mint", "--config", "dev.yaml"], &CART[..]].concat();
    let running: Vec<_> = (0..6)
        .map(|_| {
            place
                .command(&arguments)
                .stdout(Stdio::piped())
                .spawn()
                .expect("starts")
        })
        .collect();
    for child in running {
        let output = child.wait_with_output().expect("ends");
        let token = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(verify(&place, &[token.trim_end()]).code, 0);
    }
    let bundle = std::fs::read_to_string(place.path("bundle.json")).expect("the bundle");
    let bundle: Value = serde_json::from_str(&bundle).expect("JSON");
    assert_eq!(bundle["keys"].as_array().map(Vec::len), Some(1));
}

#[test]
fn garbage_on_standard_input_is_refused_line_by_line() {
    let place = development();
    let token = mint(&place, &CART);
    let long = "A".repeat(3_000_000);
    let mut input = b"\n  \r\n\x00\xff\xfe\x80\n\x1b[2J\n".to_vec();
    input.extend_from_slice(format!("{long}\n{token}\r\n{long}").as_bytes());
    let said = place.run_with(&["token", "verify", "--config", "dev.yaml"], &input);
    assert_eq!(said.code, 1, "{}", said.err);
    let results: Vec<&str> = said
        .out
        .lines()
        .filter_map(|line| line.split("  ").next())
        .collect();
    assert_eq!(
        results,
        ["refused", "refused", "refused", "accepted", "refused"]
    );
    assert!(
        !said.out.contains('\x1b'),
        "a token must not reach the terminal raw"
    );
    assert!(said.out.len() < 2000, "a token is never repeated whole");
}

#[test]
fn a_dead_issuer_is_a_warning_and_does_not_hide_the_others() {
    let place = development();
    let token = mint(&place, &CART);
    let said = verify(&place, &[&token]);
    assert_eq!(said.code, 0);
    assert_eq!(
        said.err,
        "warning: no keys of issuer `https://far.example`: not fetched: use --fetch\n"
    );
}

#[test]
fn a_bound_token_is_accepted_with_a_word_on_what_it_is_bound_to() {
    let place = development();
    let digest = "A".repeat(43);
    let claim = format!("cnf={{\"x5t#S256\":\"{digest}\"}}");
    let token = mint(&place, &[&ALICE[..], &["--claim", &claim]].concat());
    let said = verify(&place, &[&token]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(
        said.out
            .contains("only on a connection with the client certificate"),
        "{}",
        said.out
    );
}
