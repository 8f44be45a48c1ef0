//! The workload at the other end of the connection, as Envoy's TLS proved it (X.509-SVID).
//!
//! Envoy validates the chain against the trust domain's bundle before any filter runs. What is left
//! to prove here is *one* identity: a certificate has exactly one URI name, and only the XFCC
//! element that this Envoy itself wrote for this connection shows them all.
//!
//! Source: X509-SVID.md sections 2, 4.1 and 5.2.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use crate::revocation::hex;
use crate::spiffe::{SpiffeId, SpiffeIdError};
use crate::xfcc::{self, XfccElement, XfccError};

/// What Envoy itself says of the connection: properties that no client can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// SHA-256 of the peer's DER certificate.
    pub certificate_digest: [u8; 32],
    /// The first URI name of the peer's certificate.
    pub first_uri: Option<String>,
}

/// A workload that proved its X.509-SVID on this connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its identity.
    pub id: SpiffeId,
    /// SHA-256 of its certificate.
    pub certificate_digest: [u8; 32],
    /// The one XFCC element that says so: what may be forwarded.
    pub xfcc: String,
}

/// A proxy whose word on its own client's certificate is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedHop {
    /// Every proxy that connects from this network.
    Network(IpNet),
    /// The proxy with this X.509-SVID.
    Workload(SpiffeId),
}

impl TrustedHop {
    /// Whether it is a proxy that connects from `source`.
    pub fn connects_from(&self, source: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(&source))
    }

    /// Whether it is the workload `id`.
    pub fn is_workload(&self, id: &SpiffeId) -> bool {
        matches!(self, Self::Workload(trusted) if trusted == id)
    }
}

/// Why a client certificate is no identity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeerRefusal {
    /// Envoy did not write an XFCC header, so a second URI name could hide.
    #[error(
        "no XFCC element of this Envoy: set `forward_client_cert_details: SANITIZE_SET` with `uri: true`"
    )]
    NotProven,
    /// The header cannot be read.
    #[error(transparent)]
    Xfcc(#[from] XfccError),
    /// The last element is not about this connection's certificate.
    #[error("XFCC is not about this connection's certificate")]
    OtherCertificate,
    /// The certificate has no URI name, or more than one.
    #[error("certificate has {0} URI names, not exactly one")]
    UriNames(usize),
    /// The URI name is not the SPIFFE ID of a workload.
    #[error("certificate's URI name: {0}")]
    SpiffeId(#[from] SpiffeIdError),
    /// The SPIFFE ID names a whole trust domain.
    #[error("certificate names a trust domain, not a workload")]
    NoPath,
}

impl PeerRefusal {
    /// The stable reason code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotProven => "peer-not-proven",
            Self::Xfcc(_) => "peer-xfcc-malformed",
            Self::OtherCertificate => "peer-certificate-mismatch",
            Self::UriNames(_) => "peer-uri-names",
            Self::SpiffeId(_) | Self::NoPath => "peer-spiffe-id-invalid",
        }
    }
}

/// Proves the directly connected workload from Envoy's facts and the XFCC header, of which only
/// the last element is this Envoy's.
pub fn direct(tls: &TlsFacts, xfcc: Option<&str>) -> Result<Peer, PeerRefusal> {
    let elements = xfcc::parse(xfcc.ok_or(PeerRefusal::NotProven)?)?;
    let element = elements.last().ok_or(PeerRefusal::NotProven)?;
    if element.hash != Some(tls.certificate_digest) {
        return Err(PeerRefusal::OtherCertificate);
    }
    if element.uris.first() != tls.first_uri.as_ref() {
        return Err(PeerRefusal::OtherCertificate);
    }
    identify(element, tls.certificate_digest)
}

/// The workload that a certificate names whose URI names are all known: nothing can hide there.
pub fn certified(certificate_digest: [u8; 32], uris: Vec<String>) -> Result<Peer, PeerRefusal> {
    let text = uris.first().map_or_else(String::new, |uri| {
        format!("Hash={};URI={uri}", hex(&certificate_digest))
    });
    let element = XfccElement {
        hash: Some(certificate_digest),
        uris,
        text,
    };
    // A SPIFFE ID has no character that would end an XFCC value.
    identify(&element, certificate_digest)
}

/// The workload that a *trusted* hop vouches for: the element before its own, which the hop wrote
/// when it forwarded. `skip` is how many elements at the end are ours (one on an mTLS connection
/// whose Envoy appends, none otherwise).
pub fn vouched(xfcc: Option<&str>, skip: usize) -> Result<Peer, PeerRefusal> {
    let elements = xfcc::parse(xfcc.ok_or(PeerRefusal::NotProven)?)?;
    let element = elements
        .iter()
        .rev()
        .nth(skip)
        .ok_or(PeerRefusal::NotProven)?;
    identify(element, element.hash.ok_or(PeerRefusal::NotProven)?)
}

fn identify(element: &XfccElement, certificate_digest: [u8; 32]) -> Result<Peer, PeerRefusal> {
    let [uri] = element.uris.as_slice() else {
        return Err(PeerRefusal::UriNames(element.uris.len()));
    };
    let id: SpiffeId = uri.parse()?;
    if id.path().is_empty() {
        return Err(PeerRefusal::NoPath);
    }
    Ok(Peer {
        id,
        certificate_digest,
        xfcc: element.text.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: [u8; 32] = [0x11; 32];

    fn facts(first_uri: &str) -> TlsFacts {
        TlsFacts {
            certificate_digest: DIGEST,
            first_uri: Some(first_uri.to_owned()),
        }
    }

    fn element(digest: &str, uris: &str) -> String {
        format!("Hash={};{uris}", digest.repeat(32))
    }

    #[test]
    fn one_uri_name_in_envoys_own_element_is_an_identity() {
        let header = element("11", "URI=spiffe://d/w");
        let peer = direct(&facts("spiffe://d/w"), Some(&header)).unwrap();
        assert_eq!(peer.id.as_str(), "spiffe://d/w");
        assert_eq!(peer.xfcc, header);
    }

    #[test]
    fn what_only_a_client_could_have_written_is_no_identity() {
        let own = element("11", "URI=spiffe://d/w");
        let other = element("22", "URI=spiffe://d/admin");
        let last_is_other = format!("{own},{other}");
        let second_name = element("11", "URI=spiffe://d/w;URI=spiffe://d/admin");
        let another_name = element("11", "URI=spiffe://d/admin");
        let nameless = element("11", "URI=");
        for (header, want) in [
            (None, PeerRefusal::NotProven),
            (Some(""), PeerRefusal::NotProven),
            (Some(other.as_str()), PeerRefusal::OtherCertificate),
            (Some(&last_is_other), PeerRefusal::OtherCertificate),
            (Some(&another_name), PeerRefusal::OtherCertificate),
            (Some(&second_name), PeerRefusal::UriNames(2)),
            (Some(&nameless), PeerRefusal::OtherCertificate),
        ] {
            assert_eq!(
                direct(&facts("spiffe://d/w"), header),
                Err(want),
                "{header:?}"
            );
        }
        let root = element("11", "URI=spiffe://d");
        assert_eq!(
            direct(&facts("spiffe://d"), Some(&root)),
            Err(PeerRefusal::NoPath)
        );
    }

    #[test]
    fn a_certificate_whose_names_are_all_known_needs_no_header() {
        let uris = |uris: &[&str]| uris.iter().map(|uri| (*uri).to_owned()).collect();
        let peer = certified(DIGEST, uris(&["spiffe://d/w"])).unwrap();
        assert_eq!(peer.xfcc, element("11", "URI=spiffe://d/w"));
        assert_eq!(
            direct(&facts("spiffe://d/w"), Some(&peer.xfcc)),
            Ok(peer.clone())
        );
        for names in [&[][..], &["spiffe://d/w", "spiffe://d/v"]] {
            let refused = Err(PeerRefusal::UriNames(names.len()));
            assert_eq!(certified(DIGEST, uris(names)), refused);
        }
        assert!(certified(DIGEST, uris(&["spiffe://d/w,URI=spiffe://d/v"])).is_err());
    }

    #[test]
    fn a_trusted_hop_vouches_with_the_element_before_its_own() {
        let header = format!(
            "{},{}",
            element("22", "URI=spiffe://d/client"),
            element("11", "URI=spiffe://d/hop")
        );
        assert_eq!(
            vouched(Some(&header), 1).unwrap().id.as_str(),
            "spiffe://d/client"
        );
        assert_eq!(
            vouched(Some(&element("11", "URI=spiffe://d/hop")), 1),
            Err(PeerRefusal::NotProven)
        );
    }
}
