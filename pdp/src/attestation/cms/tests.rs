//! What is read of signed messages, and what is refused.

use super::test_messages::{TestMessage, TestSigner, changed, element};
use super::*;

const CONTENT: &[u8] = br#"{"instanceId":"i-1"}"#;

/// The content, when one of `known` signed the message.
fn verified(bytes: &[u8], known: &[SignerCertificate]) -> Result<Vec<u8>, CmsRefusal> {
    let verified = Message::read(bytes)?.verify(known)?;
    Ok(verified.content)
}

fn read(signer: &TestSigner) -> SignerCertificate {
    SignerCertificate::from_der(&signer.der).unwrap()
}

fn code(message: &TestMessage<'_>, known: &[SignerCertificate]) -> &'static str {
    verified(&message.bytes(), known).map_or_else(|refusal| refusal.code(), |_| "taken")
}

#[test]
fn what_openssl_signed_is_read_in_every_form_that_platforms_send() {
    let known = SignerCertificate::all_from_pem(include_bytes!("testdata/openssl.pem")).unwrap();
    let content = include_bytes!("testdata/openssl.json");
    for text in [
        include_str!("testdata/openssl-stream.b64"),
        include_str!("testdata/openssl-noattr.b64"),
        include_str!("testdata/openssl-keyid.b64"),
    ] {
        let bytes = bytes_of(text).unwrap();
        assert_eq!(verified(&bytes, &known).unwrap(), content);
        assert_eq!(verified(&bytes, &[]), Err(CmsRefusal::SignerUnknown));
    }
    let weak = bytes_of(include_str!("testdata/openssl-sha1.b64")).unwrap();
    assert_eq!(verified(&weak, &known), Err(CmsRefusal::Algorithm));
}

#[test]
fn content_is_told_only_where_one_known_signer_signed_exactly_it() {
    let signer = TestSigner::self_signed("signer", 7);
    let other = TestSigner::self_signed("other", 8);
    // Calls itself by the same name, which costs nothing.
    let twin = TestSigner::self_signed("signer", 7);
    let known = [read(&signer), read(&other)];
    let honest = TestMessage::of(CONTENT, &signer);
    let cases: &[(TestMessage<'_>, &str)] = &[
        (honest.clone(), "taken"),
        (changed!(honest; in_pieces: true), "taken"),
        (changed!(honest; attributes: None), "taken"),
        (
            changed!(honest; bag: vec![&other.der, &signer.der]),
            "taken",
        ),
        (
            changed!(honest; content: Some(b"{}")),
            "evidence-digest-mismatch",
        ),
        (
            changed!(honest; content: Some(b"{}"), attributes: None),
            "evidence-signature-invalid",
        ),
        (
            changed!(honest; content: None),
            "evidence-message-content-missing",
        ),
        (
            changed!(honest; signers: vec![]),
            "evidence-message-signers",
        ),
        (
            changed!(honest; signers: vec![(&signer, &signer); 2]),
            "evidence-message-signers",
        ),
        (
            changed!(honest; signers: vec![(&signer, &signer), (&twin, &twin)]),
            "evidence-message-signers",
        ),
        (
            changed!(honest; signers: vec![(&signer, &twin)]),
            "evidence-signature-invalid",
        ),
        (
            changed!(honest; signers: vec![(&signer, &other)]),
            "evidence-signature-invalid",
        ),
    ];
    for (number, (message, expected)) in cases.iter().enumerate() {
        assert_eq!(code(message, &known), *expected, "case {number}");
    }
    assert_eq!(code(&honest, &[read(&other)]), "evidence-signer-unknown");
    assert_eq!(code(&honest, &[read(&twin)]), "evidence-signature-invalid");
    let both = [read(&twin), read(&signer)];
    assert_eq!(code(&honest, &both), "evidence-signer-ambiguous");
    assert_eq!(code(&honest, &[read(&signer), read(&signer)]), "taken");
}

#[test]
fn a_message_of_another_kind_or_form_or_strength_is_refused() {
    let signer = TestSigner::self_signed("signer", 7);
    let known = [read(&signer)];
    let honest = TestMessage::of(CONTENT, &signer);
    let cases: &[(TestMessage<'_>, &str)] = &[
        (
            changed!(honest; attributes: Some((0, 1))),
            "evidence-message-attributes",
        ),
        (
            changed!(honest; attributes: Some((1, 0))),
            "evidence-message-attributes",
        ),
        (
            changed!(honest; attributes: Some((1, 2))),
            "evidence-message-attributes",
        ),
        (
            changed!(honest; attributes: Some((2, 1))),
            "evidence-message-attributes",
        ),
        (
            changed!(honest; kind: "1.2.840.113549.1.7.3"),
            "evidence-message-type",
        ),
        (
            changed!(honest; content_kind: "1.2.840.113549.1.9.16.1.4"),
            "evidence-message-type",
        ),
        // SHA-1, and DSA with SHA-256.
        (
            changed!(honest; digest: "1.3.14.3.2.26"),
            "evidence-algorithm-unsupported",
        ),
        (
            changed!(honest; algorithm: "2.16.840.1.101.3.4.3.2"),
            "evidence-algorithm-unsupported",
        ),
        // SHA-384 over what is said to be SHA-256, and RSA with a key that is none.
        (
            changed!(honest; algorithm: "1.2.840.10045.4.3.3"),
            "evidence-algorithm-unsupported",
        ),
        (
            changed!(honest; algorithm: "1.2.840.113549.1.1.1"),
            "evidence-algorithm-unsupported",
        ),
        (
            changed!(honest; bag: vec![&signer.der; MAX_CERTIFICATES + 1]),
            "evidence-message-unreadable",
        ),
        (
            changed!(honest; bag: vec![&signer.der; 80]),
            "evidence-message-too-long",
        ),
    ];
    for (number, (message, expected)) in cases.iter().enumerate() {
        assert_eq!(code(message, &known), *expected, "case {number}");
    }
}

#[test]
fn signed_attributes_of_one_message_are_not_the_content_of_another() {
    let signer = TestSigner::self_signed("signer", 7);
    let attributes = element(0x31, &[&element(0x30, &[CONTENT])]);
    let message = changed!(TestMessage::of(&attributes, &signer); attributes: None);
    assert_eq!(
        code(&message, &[read(&signer)]),
        "evidence-message-attributes"
    );
}

#[test]
fn a_changed_byte_is_refused_or_changes_nothing() {
    let signer = TestSigner::self_signed("signer", 7);
    let known = [read(&signer)];
    for (attributes, in_pieces) in [(Some((1, 1)), true), (Some((1, 1)), false), (None, false)] {
        let message = changed!(TestMessage::of(CONTENT, &signer); attributes: attributes, in_pieces: in_pieces, bag: vec![&signer.der]);
        let honest = message.bytes();
        assert_eq!(verified(&honest, &known).unwrap(), CONTENT);
        let mut unchanged = 0;
        for at in 0..honest.len() {
            for change in [0x01, 0x20, 0x80, 0xff] {
                let mut mutated = honest.clone();
                mutated[at] ^= change;
                if let Ok(content) = verified(&mutated, &known) {
                    assert_eq!(content, CONTENT, "byte {at} ^ {change}");
                    unchanged += 1;
                }
            }
        }
        // The certificate that came along and what names versions: not signed, and not believed.
        assert!(unchanged > 0);
    }
}

#[test]
fn what_is_cut_off_or_has_more_behind_it_is_refused() {
    let signer = TestSigner::self_signed("signer", 7);
    let known = [read(&signer)];
    for in_pieces in [false, true] {
        let message = changed!(TestMessage::of(CONTENT, &signer); in_pieces: in_pieces);
        let honest = message.bytes();
        for length in 0..honest.len() {
            assert!(verified(&honest[..length], &known).is_err(), "{length}");
        }
        let longer = [honest.as_slice(), &[0]].concat();
        assert_eq!(verified(&longer, &known), Err(CmsRefusal::Unreadable));
    }
}

#[test]
fn what_is_nested_deep_or_long_without_end_is_refused() {
    for tag in [0x30, 0x24, 0xa0, 0x31] {
        let deep = [tag, 0x80].repeat(MAX_MESSAGE_BYTES / 2);
        assert_eq!(Message::read(&deep).unwrap_err(), CmsRefusal::Unreadable);
    }
    let long = vec![0x30; MAX_MESSAGE_BYTES + 1];
    assert_eq!(Message::read(&long).unwrap_err(), CmsRefusal::TooLong);
    assert_eq!(
        bytes_of(&"A".repeat(MAX_MESSAGE_BYTES * 2)),
        Err(CmsRefusal::TooLong)
    );
    for text in ["", "AAA", "AA A", "MII=", "-----BEGIN PKCS7-----", "__8="] {
        let read = bytes_of(text).and_then(|bytes| verified(&bytes, &[]));
        assert_eq!(read, Err(CmsRefusal::Unreadable), "{text}");
    }
}
