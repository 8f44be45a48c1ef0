//! SPIFFE IDs, and the header in which proxies pass them on.

use edgeward_core::peer::{self, TlsFacts};
use edgeward_core::spiffe::{MAX_ID_BYTES, SpiffeId, TrustDomain, looks_like_spiffe_id};
use edgeward_core::xfcc::{self, XfccElement};

use crate::Verdict;

/// An accepted SPIFFE ID is exactly its own text, and that text has no second reading.
pub fn spiffe_id(data: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    if let Ok(domain) = text.parse::<TrustDomain>() {
        assert_eq!(domain.as_str(), text);
        assert!(format!("spiffe://{text}").parse::<SpiffeId>().is_ok());
    }
    let Ok(id) = text.parse::<SpiffeId>() else {
        return Verdict::Refused;
    };
    assert_eq!(id.as_str(), text);
    assert!(text.len() <= MAX_ID_BYTES && looks_like_spiffe_id(text));
    let domain = id.trust_domain();
    assert_eq!(format!("spiffe://{domain}{}", id.path()), text);
    assert_eq!(domain.as_str().parse(), Ok(domain.clone()));
    assert!(id.is_member_of(&domain));
    assert!(!text.contains(['%', '?', '#', '@', ':', '\\', ' ']) || text.matches(':').count() == 1);
    for segment in id.path().split('/').skip(1) {
        assert!(!matches!(segment, "" | "." | ".."), "{text}");
    }
    Verdict::Accepted
}

/// Elements are what their text says, each by itself; quoted text never becomes one; and only an
/// element with exactly one URI name is an identity.
pub fn xfcc(data: &[u8]) -> Verdict {
    let Ok(header) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    quoted_text_is_no_element(header);
    let Ok(elements) = xfcc::parse(header) else {
        return Verdict::Refused;
    };
    for element in &elements {
        assert_eq!(
            xfcc::parse(&element.text).as_ref(),
            Ok(&vec![element.clone()])
        );
        assert!(element.uris.iter().all(|uri| !uri.is_empty()));
    }
    let texts: Vec<&str> = elements
        .iter()
        .map(|element| element.text.as_str())
        .collect();
    assert_eq!(xfcc::parse(&texts.join(",")).as_ref(), Ok(&elements));
    peers_are_single_names(header, &elements);
    Verdict::Accepted
}

fn quoted_text_is_no_element(text: &str) {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let header = format!("Subject=\"{quoted}\";URI=spiffe://d/w");
    if let Ok(elements) = xfcc::parse(&header) {
        let uris: Vec<&[String]> = elements.iter().map(|one| one.uris.as_slice()).collect();
        assert_eq!(uris, [["spiffe://d/w"]]);
    }
}

fn peers_are_single_names(header: &str, elements: &[XfccElement]) {
    let last = elements.last();
    if let Ok(peer) = peer::vouched(Some(header), 0) {
        let element = last.filter(|one| one.uris == [peer.id.as_str()]);
        assert_eq!(
            element.and_then(|one| one.hash),
            Some(peer.certificate_digest)
        );
    }
    let tls = TlsFacts {
        certificate_digest: [0xab; 32],
        first_uri: Some("spiffe://example.org/cart".to_owned()),
    };
    if let Ok(peer) = peer::direct(&tls, Some(header)) {
        assert_eq!(Some(peer.id.as_str()), tls.first_uri.as_deref());
        let element = last.filter(|one| one.uris == [peer.id.as_str()]);
        assert_eq!(
            element.and_then(|one| one.hash),
            Some(tls.certificate_digest)
        );
    }
}
