//! Operators by their client certificate: real TLS, and every certificate that must not let in.

use std::net::SocketAddr;

use rcgen::{BasicConstraints, IsCa, KeyUsagePurpose};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::harness::{Answer, exchange, settings};
use super::pki::{Pki, TlsStream, open, secured_with};
use crate::service::{Administrators, REVOCATIONS_PATH, ServiceSettings};

const OPERATOR: &str = "spiffe://demo.edgeward.dev/ns/security/sa/operator";
const OTHER: &str = "spiffe://demo.edgeward.dev/ns/shop/sa/frontend";
const TOKEN: &str = "an-admin-token";

fn with_operators(operators: &[&str], tokens: &[&str]) -> ServiceSettings {
    let mut settings = settings();
    settings.administrators = Administrators {
        token_digests: tokens
            .iter()
            .map(|token| Sha256::digest(token).into())
            .collect(),
        operators: operators.iter().map(|id| id.parse().unwrap()).collect(),
    };
    settings
}

fn order(subject: &str) -> Value {
    json!({ "kind": "subject", "subject": subject })
}

fn post(stream: TlsStream, headers: &[(&str, &str)], order: &Value) -> Answer {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers);
    let body = order.to_string();
    exchange(stream, "POST", REVOCATIONS_PATH, &all, body.as_bytes())
}

#[test]
fn an_operator_revokes_and_undoes_by_its_certificate_alone() {
    let pki = Pki::new();
    pki.issue("operator", &[OPERATOR], |_| {});
    let (_pdp, address) = secured_with(&pki, true, with_operators(&[OTHER, OPERATOR], &[]));
    let client = pki.client(Some("operator"));
    let answer = post(open(client.clone(), address), &[], &order("spiffe://d/w"));
    assert_eq!(answer.status, 201, "{}", answer.body);
    // The second connection resumes the first one's session.
    let one = format!(
        "{REVOCATIONS_PATH}/{}",
        answer.json()["id"].as_str().unwrap()
    );
    let undone = exchange(open(client, address), "DELETE", &one, &[], b"");
    assert_eq!(undone.status, 200, "{}", undone.body);
}

#[test]
fn no_other_certificate_lets_in_and_the_refusal_says_why() {
    let pki = Pki::new();
    pki.issue("other", &[OTHER], |_| {});
    pki.issue("two", &[OPERATOR, OTHER], |_| {});
    pki.issue("twice", &[OPERATOR, OPERATOR], |_| {});
    pki.issue("longer", &[&format!("{OPERATOR}/x")], |_| {});
    pki.issue("upper", &[&OPERATOR.replace("spiffe", "SPIFFE")], |_| {});
    pki.issue("domain", &["spiffe://demo.edgeward.dev"], |_| {});
    pki.issue("signing", &[OPERATOR], |params| {
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    });
    pki.issue("unusable", &[OPERATOR], |params| params.key_usages.clear());
    let (_pdp, address) = secured_with(&pki, true, with_operators(&[OPERATOR], &[TOKEN]));
    for (client, why) in [
        ("client", "it has 0 URI names, not one"),
        (
            "other",
            "`spiffe://demo.edgeward.dev/ns/shop/sa/frontend` is not one of",
        ),
        ("two", "it has 2 URI names, not one"),
        ("twice", "it has 2 URI names, not one"),
        ("longer", "/operator/x` is not one of"),
        ("upper", "scheme is missing or not `spiffe`"),
        ("domain", "`spiffe://demo.edgeward.dev` is not one of"),
        ("signing", "is a signing certificate or lacks"),
        ("unusable", "is a signing certificate or lacks"),
    ] {
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("x-forwarded-client-cert", &*format!("URI={OPERATOR}"))],
        ] {
            let answer = post(pki.connect(address, Some(client)), headers, &order(OTHER));
            assert_eq!(answer.status, 401, "{client}: {}", answer.body);
            assert!(answer.body.contains(why), "{client}: {}", answer.body);
        }
    }
    // Whatever the certificate, the token lets in.
    let token = format!("Bearer {TOKEN}");
    let stream = pki.connect(address, Some("other"));
    let answer = post(stream, &[("authorization", &token)], &order(OTHER));
    assert_eq!(answer.status, 201, "{}", answer.body);
}

#[test]
fn tls_itself_refuses_authorities_and_strangers_as_operators() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    stranger.issue("operator", &[OPERATOR], |_| {});
    for file in ["operator.pem", "operator.key"] {
        std::fs::copy(stranger.path(file), pki.path(file)).unwrap();
    }
    pki.issue("authority", &[OPERATOR], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let (_pdp, address) = secured_with(&pki, true, with_operators(&[OPERATOR], &[]));
    for client in ["operator", "authority"] {
        assert_eq!(refused_in_tls(&pki, address, client), 0, "{client}");
    }
}

/// The status, which is 0 where TLS let nothing through.
fn refused_in_tls(pki: &Pki, address: SocketAddr, client: &str) -> u16 {
    use std::io::{Read as _, Write as _};
    let mut stream = pki.connect(address, Some(client));
    let head = format!("GET {REVOCATIONS_PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.read_to_end(&mut answer));
    let answer = String::from_utf8(answer).unwrap();
    answer
        .split(' ')
        .nth(1)
        .map_or(0, |status| status.parse().unwrap())
}

#[test]
fn a_listener_that_asks_for_no_certificate_lets_in_no_operator() {
    let pki = Pki::new();
    pki.issue("operator", &[OPERATOR], |_| {});
    let (pdp, address) = secured_with(&pki, false, with_operators(&[OPERATOR], &[]));
    let body = order(OTHER).to_string();
    let xfcc = format!("URI={OPERATOR}");
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-client-cert", &*xfcc),
    ];
    let plain = exchange(
        pdp.connect(),
        "POST",
        REVOCATIONS_PATH,
        &headers,
        body.as_bytes(),
    );
    let unasked = post(pki.connect(address, Some("operator")), &[], &order(OTHER));
    for answer in [plain, unasked] {
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert!(
            answer.body.contains("no client certificate"),
            "{}",
            answer.body
        );
    }
}

#[test]
fn a_revoked_operator_cannot_take_that_back() {
    let pki = Pki::new();
    for name in ["operator", "renewed"] {
        pki.issue(name, &[OPERATOR], |_| {});
    }
    let (pdp, address) = secured_with(&pki, true, with_operators(&[OPERATOR], &[TOKEN]));
    let token = format!("Bearer {TOKEN}");
    let digest = Sha256::digest(pki.certificate("operator"));
    let certificate = json!({ "kind": "certificate",
        "sha256": edgeward_core::revocation::hex(&digest) });
    for (revoked, others) in [
        (certificate, 200),
        (order(OPERATOR), 401),
        (
            json!({ "kind": "trust-domain", "trust_domain": "demo.edgeward.dev" }),
            401,
        ),
    ] {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &*token),
        ];
        let body = revoked.to_string();
        let made = exchange(
            pdp.connect(),
            "POST",
            REVOCATIONS_PATH,
            &headers,
            body.as_bytes(),
        );
        assert_eq!(made.status, 201, "{}", made.body);
        let one = format!("{REVOCATIONS_PATH}/{}", made.json()["id"].as_str().unwrap());
        let own = exchange(
            pki.connect(address, Some("operator")),
            "DELETE",
            &one,
            &[],
            b"",
        );
        assert_eq!(own.status, 401, "{revoked}");
        assert!(own.body.contains("is revoked"), "{}", own.body);
        let renewed = pki.connect(address, Some("renewed"));
        assert_eq!(
            exchange(renewed, "GET", &one, &[], b"").status,
            others,
            "{revoked}"
        );
        let undone = exchange(pdp.connect(), "DELETE", &one, &headers, b"");
        assert_eq!(undone.status, 200, "{}", undone.body);
    }
}
