//! The cases of X.509-SVID verification that the suite describes for others to make: chains are made here, and judged
//! as the token service judges the certificate of a workload of another trust domain.

use std::collections::BTreeMap;

use edgeward::attestation::svid;
use edgeward::crypto::X509Svid;
use edgeward_core::spiffe::TrustDomain;
use edgeward_core::time::UnixSeconds;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use rustls_pki_types::CertificateDer;
use serde_json::Value;

use crate::table::Suite;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// When all certificates but those of one case hold.
const NOW: UnixSeconds = UnixSeconds(1_900_000_000);

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
        .expect("a certificate")
}

/// A leaf of the first trust domain's `issuer`, with these names, changed.
fn leaf(
    issuer: &Authority,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let uri = |name: &&str| SanType::URI((*name).try_into().expect("an ASCII URI"));
    params.subject_alt_names = names.iter().map(uri).collect();
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    params
        .signed_by(&key, issuer)
        .expect("a certificate")
        .der()
        .clone()
}

/// Whether the chain counts, by these bundles.
fn judge(
    chain: &[CertificateDer<'static>],
    bundles: &BTreeMap<TrustDomain, Vec<Vec<u8>>>,
    now: UnixSeconds,
) -> Result<(), String> {
    let leaf = chain.first().map_or(&[][..], AsRef::as_ref);
    let svid = X509Svid::parse(leaf).map_err(|error| error.to_string())?;
    let authorities = bundles.get(&svid.id.trust_domain());
    let authorities = authorities.ok_or("no bundle for its trust domain")?;
    let verified = svid::verify(chain, &svid, authorities, now);
    verified.map(drop).map_err(|error| error.to_string())
}

/// All cases of the suite.
pub fn verification(cases: &[Value]) -> Suite {
    let mut suite = Suite::new("spiffe x509svid verification");
    let domain = |number: u8| -> TrustDomain {
        format!("domain{number}.test")
            .parse()
            .expect("a trust domain")
    };
    let (one, two) = (authority(), authority());
    let roots = |authority: &Authority| vec![authority.der().to_vec()];
    let good = || leaf(&one, &["spiffe://domain1.test/workload"], |_| {});
    let usage = |more: KeyUsagePurpose| {
        leaf(&one, &["spiffe://domain1.test/workload"], |params| {
            params.key_usages.push(more)
        })
    };
    for case in cases {
        let name = case["case"].as_str().expect("a name");
        let mut bundles = BTreeMap::from([(domain(1), roots(&one)), (domain(2), roots(&two))]);
        let mut now = NOW;
        let mut chain = vec![good()];
        match name {
            "success" => {}
            "empty chain" => chain.clear(),
            "no bundle for trust domain" => bundles.clear(),
            "bundle with no roots" => drop(bundles.insert(domain(1), Vec::new())),
            "right chain, only another trust domain in bundle set" => {
                drop(bundles.remove(&domain(1)))
            }
            "roots of domain2 filed under domain1" => drop(bundles.insert(domain(1), roots(&two))),
            "scheme is not spiffe" => {
                chain = vec![leaf(&one, &["https://domain1.test/workload"], |_| {})]
            }
            "no URI SAN" => chain = vec![leaf(&one, &[], |_| {})],
            "more than one URI SAN" => {
                chain = vec![leaf(
                    &one,
                    &["spiffe://domain1.test/a", "spiffe://domain1.test/b"],
                    |_| {},
                )];
            }
            "leaf is CA" => {
                chain = vec![leaf(&one, &["spiffe://domain1.test/workload"], |params| {
                    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                })];
            }
            "leaf keyCertSign" => chain = vec![usage(KeyUsagePurpose::KeyCertSign)],
            "leaf cRLSign" => chain = vec![usage(KeyUsagePurpose::CrlSign)],
            // The certificates of this library end with the year 4095.
            "after notAfter" => now = UnixSeconds(70_000_000_000),
            other => panic!("a case that is not known here: {other}"),
        }
        let seen = judge(&chain, &bundles, now);
        suite.check(case["reject"] == seen.is_err(), name, seen);
    }
    suite
}
