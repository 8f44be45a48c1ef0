//! Evidence comes to the provider of its kind, and files are read whole or not at all.

use std::collections::BTreeSet;

use super::super::cms::test_messages::{TestMessage, TestSigner};
use super::*;

/// 2026-02-16T00:39:27Z, a minute after the instance of the document was started.
const NOW: UnixSeconds = UnixSeconds(1_771_202_367);

fn instances(name: &str, file: &Path) -> (ProviderName, EvidenceSettings) {
    let settings = EvidenceSettings::AwsInstance {
        certificates: BTreeMap::from([("eu-central-1".to_owned(), file.to_owned())]),
        accounts: BTreeSet::from(["123456789012".parse().unwrap()]),
        max_age: None,
    };
    (name.parse().unwrap(), settings)
}

fn azure(roots: &Path, intermediates: Option<&Path>) -> (ProviderName, EvidenceSettings) {
    let settings = EvidenceSettings::AzureDocument {
        roots: roots.to_owned(),
        intermediates: intermediates.map(Path::to_owned),
        names: vec!["metadata.azure.com".to_owned()],
        subscriptions: BTreeSet::from(["s".to_owned()]),
        audience: "https://edgeward.example".to_owned(),
        max_age: Duration::from_mins(5),
    };
    ("vm".parse().unwrap(), settings)
}

#[tokio::test]
async fn evidence_is_checked_by_the_provider_of_its_kind_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eu-central-1.pem");
    let signer = TestSigner::self_signed("aws", 1);
    std::fs::write(&file, signer.pem()).unwrap();
    let providers = EvidenceProviders::open([instances("ec2", &file)]).unwrap();
    let document = include_bytes!("cms/testdata/openssl.json");
    let evidence = TestMessage::of(document, &signer).text();
    let kind = "urn:edgeward:evidence:aws-instance".parse().unwrap();
    let (name, attested) = providers.attest(kind, &evidence, NOW).await.unwrap();
    assert_eq!(name.as_str(), "ec2");
    assert_eq!(attested.attributes.single("account"), Some("123456789012"));
    for kind in [EvidenceKind::AwsSts, EvidenceKind::AzureDocument] {
        let refused = providers.attest(kind, &evidence, NOW).await.unwrap_err();
        assert_eq!(refused.code(), "evidence-kind-unknown");
        assert!(!refused.is_outage());
    }
    assert!("urn:edgeward:evidence:aws".parse::<EvidenceKind>().is_err());
}

#[test]
fn a_file_that_is_not_there_or_broken_and_two_providers_of_one_kind_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let good = place("good.pem", &TestSigner::self_signed("aws", 1).pem());
    let empty = place("empty.pem", "");
    let broken = place(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let missing = folder.path().join("missing.pem");
    let long = place("long.pem", &"x\n".repeat(1024 * 1024));
    for bad in [&empty, &broken, &missing, &long] {
        let refused = EvidenceProviders::open([instances("ec2", bad)]).unwrap_err();
        assert!(
            matches!(refused, EvidenceProvidersError::File { .. }),
            "{refused}"
        );
        assert!(refused.to_string().starts_with("`ec2`: `"), "{refused}");
        EvidenceProviders::open([azure(bad, None)]).unwrap_err();
    }
    EvidenceProviders::open([azure(&good, Some(&empty))]).unwrap();
    EvidenceProviders::open([azure(&good, Some(&missing))]).unwrap_err();
    let both = [instances("one", &good), instances("two", &good)];
    let refused = EvidenceProviders::open(both).unwrap_err();
    assert!(matches!(refused, EvidenceProvidersError::KindTwice(..)));
}
