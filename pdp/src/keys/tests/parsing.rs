//! Every parser of this room against arbitrary input: no panic, and no keys unless well-formed.

use edgeward_core::token::Issuer;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{jwks, signer};
use crate::fetch::{Plaintext, SourceUrl};
use crate::keys::discovery::jwks_url;
use crate::keys::document::{Document, DocumentKind};

/// JSON that looks like key documents in places.
fn json_like() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "keys",
        "kty",
        "use",
        "kid",
        "alg",
        "n",
        "e",
        "x",
        "y",
        "crv",
        "x5c",
        "issuer",
        "jwks_uri",
        "spiffe_sequence",
        "spiffe_refresh_hint",
    ]);
    let text = prop::sample::select(vec![
        "RSA",
        "EC",
        "OKP",
        "oct",
        "P-256",
        "Ed25519",
        "sig",
        "jwt-svid",
        "x509-svid",
        "AQAB",
        "",
        "https://i.test",
        "https://i.test/keys",
        "k",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(n, v)| (n.to_owned(), v))
                        .collect(),
                )
            }),
        ]
    })
}

fn keys_of(kind: DocumentKind, bytes: &[u8]) -> usize {
    Document::parse(kind, bytes.to_vec()).map_or(0, |document| document.keys.len())
}

fn leads(bytes: &[u8]) -> bool {
    let issuer: Issuer = "https://i.test".parse().unwrap();
    let at = SourceUrl::parse("https://i.test/c", Plaintext::Refused).unwrap();
    jwks_url(bytes, &issuer, &at, &[], Plaintext::Refused).is_ok()
}

proptest! {
    #[test]
    fn arbitrary_bytes_give_no_keys(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(keys_of(DocumentKind::JwkSet, &bytes), 0);
        prop_assert_eq!(keys_of(DocumentKind::Bundle, &bytes), 0);
        prop_assert!(!leads(&bytes));
    }

    #[test]
    fn only_well_formed_documents_give_keys_or_lead_to_them(value in json_like()) {
        let bytes = value.to_string().into_bytes();
        for kind in [DocumentKind::JwkSet, DocumentKind::Bundle] {
            let entries = value["keys"].as_array().map_or(0, Vec::len);
            prop_assert!(keys_of(kind, &bytes) <= entries);
        }
        if leads(&bytes) {
            prop_assert_eq!(&value["issuer"], &json!("https://i.test"));
            prop_assert_eq!(&value["jwks_uri"], &json!("https://i.test/keys"));
        }
    }

    #[test]
    fn a_cut_document_gives_no_keys(cut in 0_usize..100) {
        let good = jwks(&[&signer("k")]);
        prop_assert_eq!(keys_of(DocumentKind::JwkSet, &good), 1);
        let end = good.len() * cut / 100;
        prop_assert_eq!(keys_of(DocumentKind::JwkSet, &good[..end]), 0);
    }

    #[test]
    fn no_text_is_both_a_source_and_something_else(text in "(https?|file|ftp)?:?/{0,3}[a-z@:#?\\[\\]/.0-9]{0,30}") {
        if let Ok(url) = SourceUrl::parse(&text, Plaintext::Refused) {
            prop_assert!(url.is_https());
            prop_assert!(url.as_url().has_host());
            prop_assert!(url.as_url().username().is_empty());
        }
    }
}
