//! Where requests go, and where none do.

use super::*;
use crate::fetch::{Plaintext, SourceUrl};

#[tokio::test]
async fn only_sts_of_a_configured_region_is_asked() {
    let honest = presigned_url(HOST, "https", HEADERS);
    for (host, expected) in [
        ("169.254.169.254", "evidence-request-host"),
        ("127.0.0.1", "evidence-request-host"),
        ("localhost", "evidence-request-host"),
        ("sts.evil.example", "evidence-request-host"),
        (
            "sts.eu-central-1.amazonaws.com.evil.example",
            "evidence-request-host",
        ),
        ("sts.eu-central-1.amazonaws.com.", "evidence-request-host"),
        ("STS.eu-central-1.amazonaws.com", "evidence-request-host"),
        ("sts.us-east-1.amazonaws.com", "evidence-request-host"),
        ("sts.amazonaws.com", "evidence-request-host"),
        ("s3.eu-central-1.amazonaws.com", "evidence-request-host"),
        (
            "sts.eu-central-1.amazonaws.com:8443",
            "evidence-request-url",
        ),
        (
            "user@sts.eu-central-1.amazonaws.com",
            "evidence-request-url",
        ),
        ("[::ffff:169.254.169.254]", "evidence-request-url"),
    ] {
        assert_eq!(
            url_code(&honest.replace(HOST, host)).await,
            expected,
            "{host}"
        );
    }
    for (from, to, expected) in [
        ("https://", "http://", "evidence-request-url"),
        ("https://", "https:\\\\", "evidence-request-url"),
        (".com/?", ".com/x?", "evidence-request-url"),
        (".com/?", ".com//?", "evidence-request-url"),
        (".com/?", ".com?", "evidence-request-url"),
        (".com/?", ".com/?a?", "evidence-request-url"),
        ("&X-Amz-Date", "#&X-Amz-Date", "evidence-request-url"),
        (
            "eu-central-1%2Fsts",
            "us-east-1%2Fsts",
            "evidence-region-unknown",
        ),
        (
            "eu-central-1%2Fsts",
            "x.evil%2Fsts",
            "evidence-region-unknown",
        ),
    ] {
        assert!(honest.contains(from), "{from}");
        assert_eq!(url_code(&honest.replace(from, to)).await, expected, "{to}");
    }
    // An operator's own place is not exempt from the rules of addresses.
    for place in [
        "https://169.254.169.254/",
        "https://169.254.7.7/",
        "https://127.0.0.1:1/",
    ] {
        let url = SourceUrl::parse(place, Plaintext::Refused).unwrap();
        let regions = BTreeSet::from(["eu-central-1".to_owned()]);
        let endpoints = StsEndpoints::new(regions, Some(url.clone())).unwrap();
        let settings = AwsStsSettings {
            endpoints,
            ..settings(None)
        };
        let evidence = token(&presigned_url(url.authority(), "https", HEADERS));
        let refused = verify(&evidence, &settings, NOW).await.unwrap_err();
        assert_eq!(refused.code(), "provider-unavailable");
        assert!(
            refused
                .to_string()
                .contains("nothing is fetched from there"),
            "{refused}"
        );
    }
}

#[test]
fn endpoints_are_whole_hosts_of_real_regions() {
    let one = |region: &str| BTreeSet::from([region.to_owned()]);
    let place = |url: &str| SourceUrl::parse(url, Plaintext::Refused).unwrap();
    assert_eq!(
        StsEndpoints::new(BTreeSet::new(), None).unwrap_err(),
        StsEndpointsError::NoRegion
    );
    for region in ["", "evil.example/", "eu-central-1.evil", "a@b", "-", "EU"] {
        assert!(
            matches!(
                StsEndpoints::new(one(region), None),
                Err(StsEndpointsError::Region(_))
            ),
            "{region}"
        );
    }
    for url in ["https://sts.example/x", "https://sts.example/?x"] {
        let refused = StsEndpoints::new(one("eu-west-1"), Some(place(url)));
        assert!(matches!(refused, Err(StsEndpointsError::Place(_))), "{url}");
    }
    for (region, url) in [
        ("us-east-1", "https://sts.amazonaws.com/"),
        ("us-east-1", "https://sts.us-east-1.amazonaws.com/"),
        ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/"),
        ("us-west-2", "https://sts-fips.us-west-2.amazonaws.com/"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"),
    ] {
        let endpoints = StsEndpoints::new(one(region), None).unwrap();
        assert_eq!(endpoints.find(region, url).unwrap().as_str(), url);
    }
}
