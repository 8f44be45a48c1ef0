//! Instance identity documents that are taken, and those that are refused.

use super::super::cms::test_messages::{TestMessage, TestSigner, changed, in_lines};
use super::*;

/// 2026-02-16T00:38:27Z, when the instance of `openssl.json` was started.
const STARTED: u64 = 1_771_202_307;
const NOW: UnixSeconds = UnixSeconds(STARTED + 60);
const DOCUMENT: &str = include_str!("cms/testdata/openssl.json");

struct World {
    frankfurt: TestSigner,
    ireland: TestSigner,
}

impl World {
    fn new() -> Self {
        Self {
            frankfurt: TestSigner::self_signed("aws", 1),
            ireland: TestSigner::self_signed("aws", 2),
        }
    }

    fn settings(&self) -> AwsInstanceSettings {
        let regions = [
            ("eu-central-1", &self.frankfurt),
            ("eu-west-1", &self.ireland),
        ];
        let regions = regions.map(|(region, signer)| {
            let pem = signer.pem();
            let pinned = SignerCertificate::all_from_pem(pem.as_bytes()).unwrap();
            (region.to_owned(), pinned)
        });
        AwsInstanceSettings {
            certificates: RegionCertificates::new(regions.into()).unwrap(),
            accounts: BTreeSet::from(["123456789012".parse().unwrap()]),
            max_age: None,
        }
    }

    /// The code of what becomes of `document`, signed for Frankfurt.
    fn code(&self, document: &str) -> &'static str {
        let text = TestMessage::of(document.as_bytes(), &self.frankfurt).text();
        code(&text, &self.settings(), NOW)
    }
}

fn code(evidence: &str, settings: &AwsInstanceSettings, now: UnixSeconds) -> &'static str {
    verify(evidence, settings, now).map_or_else(|refusal| refusal.code(), |_| "taken")
}

#[test]
fn an_instance_is_told_by_account_region_and_id_and_counts_once() {
    let pinned = SignerCertificate::all_from_pem(include_bytes!("cms/testdata/openssl.pem"));
    let of = BTreeMap::from([("eu-central-1".to_owned(), pinned.unwrap())]);
    let settings = AwsInstanceSettings {
        certificates: RegionCertificates::new(of).unwrap(),
        accounts: BTreeSet::from(["123456789012".parse().unwrap()]),
        max_age: Some(Duration::from_hours(1)),
    };
    // Signed by OpenSSL today, in the very form that AWS sends.
    let now = UnixSeconds(STARTED + 3599);
    let evidence = include_str!("cms/testdata/openssl-stream.b64");
    let refused = code(evidence, &settings, now);
    assert_eq!(
        refused, "evidence-signer-expired",
        "the certificate is of November 2026"
    );
    let settings = AwsInstanceSettings {
        max_age: None,
        ..settings
    };
    let attested = verify(evidence, &settings, UnixSeconds(1_796_000_000)).unwrap();
    for (name, value) in [
        ("account", "123456789012"),
        ("region", "eu-central-1"),
        ("availability_zone", "eu-central-1a"),
        ("instance_id", "i-0123456789abcdef0"),
        ("image_id", "ami-0123456789abcdef0"),
        ("instance_type", "t4g.small"),
        ("architecture", "x86_64"),
        ("private_ip", "10.0.1.242"),
        ("pending_time", "2026-02-16T00:38:27Z"),
    ] {
        assert_eq!(attested.attributes.single(name), Some(value), "{name}");
    }
    let once = attested.once.unwrap();
    assert_eq!(
        once.id,
        "aws-instance:123456789012:eu-central-1:i-0123456789abcdef0"
    );
    assert_eq!(once.until, None);
}

#[test]
fn a_document_is_refused_where_it_is_not_what_its_own_region_signed() {
    let world = World::new();
    let settings = world.settings();
    let stranger = TestSigner::self_signed("aws", 3);
    let twin = TestSigner::self_signed("aws", 1);
    let document = DOCUMENT.as_bytes();
    let elsewhere = DOCUMENT.replace("123456789012", "999999999999");
    let honest = TestMessage::of(document, &world.frankfurt);
    for (message, expected) in [
        (honest.clone(), "taken"),
        (changed!(honest; in_pieces: true), "taken"),
        // A key that AWS has for another region, a stranger's, one that only calls itself AWS's.
        (
            TestMessage::of(document, &world.ireland),
            "evidence-region-mismatch",
        ),
        (
            TestMessage::of(document, &stranger),
            "evidence-signer-unknown",
        ),
        (
            TestMessage::of(document, &twin),
            "evidence-signature-invalid",
        ),
        // Certificates that come along are nobody's.
        (
            changed!(TestMessage::of(document, &stranger); bag: vec![&stranger.der, &world.frankfurt.der]),
            "evidence-signer-unknown",
        ),
        (changed!(honest; bag: vec![&twin.der]), "taken"),
        // One document signed, another shown.
        (
            changed!(honest; content: Some(elsewhere.as_bytes())),
            "evidence-digest-mismatch",
        ),
        (
            changed!(honest; content: None),
            "evidence-message-content-missing",
        ),
        (
            changed!(honest; signers: vec![(&stranger, &stranger), (&world.frankfurt, &world.frankfurt)]),
            "evidence-message-signers",
        ),
    ] {
        assert_eq!(code(&message.text(), &settings, NOW), expected);
    }
    assert_eq!(world.code(&elsewhere), "evidence-account-unknown");
    // Certificates of the test are good in 2026.
    let late = UnixSeconds(1_800_000_000);
    assert_eq!(
        code(&honest.text(), &settings, late),
        "evidence-signer-expired"
    );
}

#[test]
fn a_document_must_say_each_thing_once_and_as_text() {
    let world = World::new();
    assert_eq!(world.code(DOCUMENT), "taken");
    for name in [
        "accountId",
        "region",
        "instanceId",
        "imageId",
        "instanceType",
        "availabilityZone",
        "pendingTime",
        "architecture",
    ] {
        let quoted = format!("\"{name}\" :");
        assert!(DOCUMENT.contains(&quoted), "{name}");
        let missing = DOCUMENT.replace(&quoted, "\"other\" :");
        assert_eq!(world.code(&missing), "evidence-document-invalid", "{name}");
        let listed = DOCUMENT.replace(&quoted, &format!("\"{name}\" : [\"x\"], \"other\" :"));
        assert_eq!(world.code(&listed), "evidence-document-invalid", "{name}");
        let twice = DOCUMENT.replace(&quoted, &format!("\"{name}\" : \"x\", \"{name}\" :"));
        assert_eq!(world.code(&twice), "evidence-document-invalid", "{name}");
    }
    for (from, to, expected) in [
        (
            "\"123456789012\"",
            "123456789012",
            "evidence-document-invalid",
        ),
        ("123456789012", "1234567890123", "evidence-document-invalid"),
        ("\"10.0.1.242\"", "null", "taken"),
        ("\"10.0.1.242\"", "7", "evidence-document-invalid"),
        (
            "i-0123456789abcdef0",
            "i-\\u0000",
            "evidence-attribute-invalid",
        ),
        ("eu-central-1\"", "eu-west-1\"", "evidence-region-mismatch"),
        ("eu-central-1\"", "mars-1\"", "evidence-region-mismatch"),
        ("2026-02-16T", "yesterday", "evidence-document-invalid"),
        ("2026-02-16T", "2026-02-17T", "evidence-too-old"),
        ("2026-02-16T", "1926-02-16T", "evidence-too-old"),
    ] {
        assert!(DOCUMENT.contains(from), "{from}");
        assert_eq!(world.code(&DOCUMENT.replace(from, to)), expected, "{to}");
    }
    assert_eq!(world.code("[]"), "evidence-document-invalid");
    assert_eq!(
        world.code(&format!("{DOCUMENT}x")),
        "evidence-document-invalid"
    );
    assert_eq!(world.code(&"x".repeat(20_000)), "evidence-message-too-long");
    assert_eq!(
        code("<html>", &world.settings(), NOW),
        "evidence-message-unreadable"
    );
    assert_eq!(
        code(DOCUMENT, &world.settings(), NOW),
        "evidence-message-unreadable"
    );
}

#[test]
fn an_instance_that_was_started_too_long_ago_may_no_longer_show_its_document() {
    let world = World::new();
    let settings = AwsInstanceSettings {
        max_age: Some(Duration::from_secs(100)),
        ..world.settings()
    };
    let text = TestMessage::of(DOCUMENT.as_bytes(), &world.frankfurt).text();
    let attested = verify(&text, &settings, UnixSeconds(STARTED + 99)).unwrap();
    assert_eq!(attested.expires_at, UnixSeconds(STARTED + 100));
    let late = UnixSeconds(STARTED + 100);
    assert_eq!(code(&text, &settings, late), "evidence-too-old");
}

#[test]
fn a_changed_byte_of_a_document_is_refused_or_changes_nothing() {
    let world = World::new();
    let settings = world.settings();
    let message = changed!(TestMessage::of(DOCUMENT.as_bytes(), &world.frankfurt); bag: vec![&world.frankfurt.der], in_pieces: true);
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
fn pinned_certificates_leave_no_doubt_whose_a_signature_is() {
    let one = SignerCertificate::from_der(&TestSigner::self_signed("aws", 1).der).unwrap();
    let twin = SignerCertificate::from_der(&TestSigner::self_signed("aws", 1).der).unwrap();
    let pin = |of: &[(&str, Vec<SignerCertificate>)]| {
        let of = of
            .iter()
            .map(|(region, list)| ((*region).to_owned(), list.clone()));
        RegionCertificates::new(of.collect())
    };
    pin(&[("a-1", vec![one.clone()]), ("b-1", vec![one.clone()])]).unwrap();
    let alike = pin(&[("a-1", vec![one.clone()]), ("b-1", vec![twin])]).unwrap_err();
    assert!(matches!(alike, RegionCertificatesError::Alike(..)));
    for region in ["", "EU-central-1", "1-eu", "eu-", "eu.central", "a/b"] {
        let refused = pin(&[(region, vec![one.clone()])]).unwrap_err();
        assert_eq!(refused, RegionCertificatesError::Region(region.to_owned()));
    }
    assert_eq!(pin(&[]).unwrap_err(), RegionCertificatesError::Regions);
    assert!(matches!(
        pin(&[("a-1", vec![])]),
        Err(RegionCertificatesError::Certificates(_))
    ));
}
