//! Attested documents that are taken, and those that are refused.

use super::super::cms::AuthoritiesError;
use super::super::cms::test_messages::{TestAuthority, TestMessage, TestSigner, changed, in_lines};
use super::*;

/// 2026-06-01T12:00:00Z, when the document of these tests was made.
const CREATED: u64 = 1_780_315_200;
const NOW: UnixSeconds = UnixSeconds(CREATED + 60);
const SERVER: &str = "https://edgeward.example";
const NAME: &str = "westeurope.metadata.azure.com";

struct World {
    root: TestAuthority,
    intermediate: TestAuthority,
    signer: TestSigner,
}

impl World {
    fn new() -> Self {
        let root = TestAuthority::new("root");
        let intermediate = root.below("intermediate");
        let signer = intermediate.issue(NAME, 1);
        Self {
            root,
            intermediate,
            signer,
        }
    }

    fn settings(&self) -> AzureDocumentSettings {
        let (root, intermediate) = (self.root.pem(), self.intermediate.pem());
        AzureDocumentSettings {
            authorities: Authorities::from_pem(root.as_bytes(), intermediate.as_bytes()).unwrap(),
            names: METADATA_NAMES.map(str::to_owned).into(),
            subscriptions: BTreeSet::from(["5f130ffc-0a3e-4795-b691-4f56a12a5547".to_owned()]),
            audience: SERVER.to_owned(),
            max_age: Duration::from_mins(5),
        }
    }

    /// The code of what becomes of `document`, well signed.
    fn code(&self, document: &str) -> &'static str {
        let message = changed!(TestMessage::of(document.as_bytes(), &self.signer); bag: vec![&self.signer.der]);
        code(&message.text(), &self.settings(), NOW)
    }
}

fn code(evidence: &str, settings: &AzureDocumentSettings, now: UnixSeconds) -> &'static str {
    verify(evidence, settings, now).map_or_else(|refusal| refusal.code(), |_| "taken")
}

/// As Azure writes them.
fn document() -> String {
    format!(
        r#"{{"licenseType":"","nonce":"{}","plan":{{"name":"","product":"","publisher":"canonical"}},"sku":"20_04-lts-gen2","subscriptionId":"5F130FFC-0a3e-4795-b691-4f56a12a5547","timeStamp":{{"createdOn":"06/01/26 12:00:00 -0000","expiresOn":"06/01/26 18:00:00 -0000"}},"vmId":"bd8e7443-24a0-41f3-b949-8baf4fd1c573"}}"#,
        nonce(SERVER, UnixSeconds(CREATED))
    )
}

#[test]
fn a_machine_is_told_by_subscription_and_id_and_its_document_counts_once() {
    let world = World::new();
    let document = document();
    // As Azure signs: the content itself, by a digest that is named like a signature.
    let message = changed!(TestMessage::of(document.as_bytes(), &world.signer); attributes: None, digest: "1.2.840.113549.1.1.11", bag: vec![&world.signer.der]);
    let whole = format!(
        r#"{{"encoding":"pkcs7","signature":"{}"}}"#,
        message.text().replace('\n', "")
    );
    let attested = verify(&whole, &world.settings(), NOW).unwrap();
    assert_eq!(
        verify(&message.text(), &world.settings(), NOW).unwrap(),
        attested
    );
    let told: Vec<_> = attested
        .attributes
        .iter()
        .map(|(name, values)| (name.as_str(), values[0].as_str()))
        .collect();
    let expected = [
        ("plan_publisher", "canonical"),
        ("sku", "20_04-lts-gen2"),
        ("subscription_id", "5f130ffc-0a3e-4795-b691-4f56a12a5547"),
        ("vm_id", "bd8e7443-24a0-41f3-b949-8baf4fd1c573"),
    ];
    assert_eq!(told, expected);
    assert_eq!(attested.expires_at, UnixSeconds(CREATED + 300));
    let once = attested.once.unwrap();
    assert!(once.id.starts_with("azure-document:") && once.id.len() == 79);
    assert_eq!(once.until, Some(attested.expires_at));
    let other = whole.replace("pkcs7", "jws");
    assert_eq!(
        code(&other, &world.settings(), NOW),
        "evidence-document-invalid"
    );
    assert_eq!(
        code(r#"{"encoding":"pkcs7"}"#, &world.settings(), NOW),
        "evidence-document-invalid"
    );
}

#[test]
fn only_the_real_signer_counts_and_only_where_a_pinned_authority_vouches_for_it() {
    let world = World::new();
    let settings = world.settings();
    let document = document();
    let (content, genuine) = (document.as_bytes(), &world.signer);
    let strangers = TestAuthority::new("intermediate");
    let foreign = strangers.issue(NAME, 2);
    let twin = strangers.issue(NAME, 1);
    let signed = |signer, bag| changed!(TestMessage::of(content, signer); bag: bag);
    for (message, expected) in [
        (signed(genuine, vec![&genuine.der]), "taken"),
        (
            signed(genuine, vec![world.intermediate.der(), &genuine.der]),
            "taken",
        ),
        (signed(genuine, vec![&foreign.der, &genuine.der]), "taken"),
        // A genuine certificate first, and a foreign signer behind it.
        (
            signed(&foreign, vec![&genuine.der, &foreign.der]),
            "evidence-signer-untrusted",
        ),
        (
            signed(&foreign, vec![&genuine.der, &foreign.der, strangers.der()]),
            "evidence-signer-untrusted",
        ),
        (
            changed!(signed(&foreign, vec![&genuine.der, &foreign.der]); signers: vec![(genuine, &foreign)]),
            "evidence-signature-invalid",
        ),
        // Named exactly as the genuine one, in both orders, and alone.
        (
            signed(&twin, vec![&genuine.der, &twin.der]),
            "evidence-signer-ambiguous",
        ),
        (
            signed(genuine, vec![&twin.der, &genuine.der]),
            "evidence-signer-ambiguous",
        ),
        (signed(&twin, vec![&twin.der]), "evidence-signer-untrusted"),
        (
            signed(&twin, vec![&genuine.der]),
            "evidence-signature-invalid",
        ),
        (
            changed!(signed(genuine, vec![&genuine.der]); signers: vec![(genuine, genuine), (&foreign, &foreign)]),
            "evidence-message-signers",
        ),
        (signed(genuine, vec![]), "evidence-signer-unknown"),
        (
            signed(genuine, vec![b"\x30\x00"]),
            "evidence-signer-unknown",
        ),
        (
            changed!(signed(genuine, vec![&genuine.der]); content: Some(b"{}")),
            "evidence-digest-mismatch",
        ),
        (
            changed!(signed(genuine, vec![&genuine.der]); content: None),
            "evidence-message-content-missing",
        ),
    ] {
        assert_eq!(code(&message.text(), &settings, NOW), expected);
    }
    let honest = signed(genuine, vec![&genuine.der]).text();
    let late = UnixSeconds(1_800_000_000);
    assert_eq!(code(&honest, &settings, late), "evidence-signer-expired");
    let root = world.root.pem();
    let authorities = Authorities::from_pem(root.as_bytes(), b"").unwrap();
    let settings = AzureDocumentSettings {
        authorities,
        ..settings
    };
    assert_eq!(code(&honest, &settings, NOW), "evidence-signer-untrusted");
    assert_eq!(
        Authorities::from_pem(b"", b"").unwrap_err(),
        AuthoritiesError::NoRoot
    );
}

#[test]
fn a_certificate_for_another_name_signs_no_document() {
    let world = World::new();
    let document = document();
    for (name, expected) in [
        ("metadata.azure.com", "taken"),
        ("a.b.metadata.azure.us", "taken"),
        (
            "metadata.azure.com.example.org",
            "evidence-signer-name-mismatch",
        ),
        ("*.metadata.azure.com", "evidence-signer-name-mismatch"),
        ("evilmetadata.azure.com", "evidence-signer-name-mismatch"),
        ("azure.com", "evidence-signer-name-mismatch"),
    ] {
        let signer = world.intermediate.issue(name, 3);
        let message = TestMessage::of(document.as_bytes(), &signer);
        let text = changed!(message; bag: vec![&signer.der]).text();
        assert_eq!(code(&text, &world.settings(), NOW), expected, "{name}");
    }
}

#[test]
fn a_document_for_another_audience_time_or_subscription_is_refused() {
    let world = World::new();
    let document = document();
    assert_eq!(world.code(&document), "taken");
    let honest = nonce(SERVER, UnixSeconds(CREATED));
    let before = nonce(SERVER, UnixSeconds(CREATED - 700));
    let theirs = nonce("https://other.example", UnixSeconds(CREATED));
    for (from, to, expected) in [
        (honest.as_str(), theirs.as_str(), "evidence-nonce-mismatch"),
        (&honest, &before, "evidence-nonce-mismatch"),
        (&honest, "", "evidence-document-invalid"),
        ("\"nonce\"", "\"other\"", "evidence-document-invalid"),
        ("5F130FFC", "00000000", "evidence-account-unknown"),
        (
            "\"subscriptionId\"",
            "\"other\"",
            "evidence-document-invalid",
        ),
        ("\"vmId\"", "\"other\"", "evidence-document-invalid"),
        (
            "\"vmId\"",
            "\"vmId\":\"x\",\"vmId\"",
            "evidence-document-invalid",
        ),
        (
            "\"bd8e7443",
            "[\"x\"],\"x\":\"bd8e7443",
            "evidence-document-invalid",
        ),
        ("\"20_04-lts-gen2\"", "7", "evidence-document-invalid"),
        ("06/01/26 12:00", "06/01/26 11:54", "evidence-too-old"),
        ("06/01/26 12:00", "06/01/26 12:07", "evidence-too-old"),
        ("06/01/26 18:00", "06/01/26 12:01", "evidence-too-old"),
        (
            "06/01/26 18:00:00 -0000",
            "tomorrow",
            "evidence-document-invalid",
        ),
        (
            "06/01/26 18:00:00 -0000",
            "13/01/26 18:00:00 -0000",
            "evidence-document-invalid",
        ),
        ("\"timeStamp\"", "\"other\"", "evidence-document-invalid"),
    ] {
        assert!(document.contains(from), "{from}");
        assert_eq!(world.code(&document.replace(from, to)), expected, "{to}");
    }
    assert_eq!(world.code("<html>"), "evidence-document-invalid");
    assert_eq!(world.code(&"x".repeat(20_000)), "evidence-message-too-long");
    assert_eq!(
        code("", &world.settings(), NOW),
        "evidence-message-unreadable"
    );
}

#[test]
fn a_changed_byte_of_a_document_is_refused_or_changes_nothing() {
    let world = World::new();
    let settings = world.settings();
    let document = document();
    let message = changed!(TestMessage::of(document.as_bytes(), &world.signer); bag: vec![&world.signer.der, world.intermediate.der()]);
    let honest = verify(&message.text(), &settings, NOW).unwrap();
    let bytes = message.bytes();
    for at in 0..bytes.len() {
        let mut mutated = bytes.clone();
        mutated[at] ^= 0x01;
        if let Ok(attested) = verify(&in_lines(&mutated), &settings, NOW) {
            assert_eq!(attested, honest, "byte {at}");
        }
    }
}

#[test]
fn a_nonce_is_ten_digits_of_its_own_for_each_audience_and_five_minutes() {
    // `printf 'edgeward-azure-nonce\nhttps://edgeward.example\n5934384' | sha256sum`
    assert_eq!(nonce(SERVER, UnixSeconds(CREATED)), "1323984707");
    let all: BTreeSet<String> = (0..1000).map(|window| nonce_of(SERVER, window)).collect();
    assert_eq!(all.len(), 1000);
    assert!(all.iter().all(|nonce| nonce.len() == 10));
}
