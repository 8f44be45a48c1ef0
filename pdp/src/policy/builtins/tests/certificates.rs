//! Certificates and requests as an attacker writes them: an answer or an error, soon, and never a panic.
//! What the answers are is in `recorded.jsonl`.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};
use regorus::Value;

use super::super::{answer, arguments::Arguments, function};

const CERTIFICATES: &str = "crypto.x509.parse_certificates";
const REQUEST: &str = "crypto.x509.parse_certificate_request";

fn answered(name: &str, text: &str) -> Option<Value> {
    answer(function(name).unwrap(), &[Value::from(text)])
}

fn names() -> CertificateParams {
    CertificateParams::new(vec!["a.example".to_owned(), "10.0.0.1".to_owned()]).unwrap()
}

fn of_der(der: &[u8]) -> String {
    STANDARD.encode(der)
}

proptest! {
    #[test]
    fn what_is_changed_anywhere_is_read_or_refused(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), end in any::<prop::sample::Index>(),
    ) {
        let key = KeyPair::generate().unwrap();
        let certificate = names().self_signed(&key).unwrap().der().to_vec();
        let request = names().serialize_request(&key).unwrap().der().to_vec();
        for (name, mut der) in [(CERTIFICATES, certificate), (REQUEST, request)] {
            prop_assert!(answered(name, &of_der(&der)).is_some());
            let place = at.index(der.len());
            der[place] = byte;
            let _ = answered(name, &of_der(&der));
            der.truncate(end.index(der.len()));
            prop_assert!(der.is_empty() || answered(name, &of_der(&der)).is_none());
        }
    }

    #[test]
    fn any_text_and_any_bytes_are_read_or_refused(
        text in "(-----BEGIN CERTIFICATE-----|-----END CERTIFICATE-----|\n|:|A|=|-){0,24}",
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        for name in [CERTIFICATES, REQUEST] {
            let _ = answered(name, &text);
            let _ = answered(name, &of_der(&bytes));
        }
    }
}

/// A certificate with that many bytes of URIs of one letter.
fn uris(length: usize) -> Vec<u8> {
    let element = |tag: u8, body: &[u8]| {
        let [_, high, middle, low] = u32::try_from(body.len()).unwrap().to_be_bytes();
        let length = match body.len() {
            0..0x80 => vec![low],
            0x80..0x100 => vec![0x81, low],
            0x100..0x1_0000 => vec![0x82, middle, low],
            _ => vec![0x83, high, middle, low],
        };
        [&[tag], &*length, body].concat()
    };
    let key = KeyPair::generate().unwrap();
    let plain = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let (_, plain) = x509_parser::parse_x509_certificate(plain.der()).unwrap();
    let signed = plain.tbs_certificate.as_ref();
    let names = element(0x30, &b"\x86\x01a".repeat(length / 3));
    let extension = element(
        0x30,
        &[b"\x06\x03\x55\x1d\x11", &*element(4, &names)].concat(),
    );
    // What the certificate has before its extensions, of which it has none.
    let inside = &signed[if signed[1] < 0x80 {
        2
    } else {
        1 + usize::from(signed[1] & 0x7f) + 1
    }..];
    let signed = element(
        0x30,
        &[inside, &element(0xa3, &element(0x30, &extension))].concat(),
    );
    let algorithm = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    element(0x30, &[&*signed, algorithm, b"\x03\x02\x00\x00"].concat())
}

#[test]
fn the_longest_arguments_are_over_soon() {
    let key = KeyPair::generate().unwrap();
    let many = names().self_signed(&key).unwrap().pem().repeat(400);
    let long = 1 << 17;
    // A sequence of sequences, and a number of many bytes.
    let nested = [0x30, 0x80].repeat(long / 4);
    let mut number = vec![0x30, 0x83, 0x01, 0xff, 0xfb, 0x02, 0x83, 0x01, 0xff, 0xf6];
    number.resize(long, 0x7f);
    // As many names as there is room for.
    let names = uris(long);
    for text in [
        &*many,
        &of_der(&names),
        &of_der(&nested),
        &of_der(&number),
        &"-----BEGIN CERTIFICATE-----\n".repeat(long / 16),
        &format!("-----BEGIN A-----{}", "\n-----END A".repeat(long / 6)),
        &format!("-----BEGIN A-----{}", "\n-----END :".repeat(long / 6)),
        &"-----BEGIN A-----\na:b\n-----END A\n".repeat(long / 18),
    ] {
        assert!(text.len() <= 1 << 18, "{}", text.len());
        let started = Instant::now();
        for name in [CERTIFICATES, REQUEST] {
            let _ = answered(name, text);
        }
        assert!(started.elapsed().as_secs() < 10, "{text:.40}");
    }
    assert!(answered(CERTIFICATES, &of_der(&uris(30_000))).is_some());
    let twice = [uris(20_000), uris(20_000)].concat();
    for text in [
        "A".repeat((1 << 18) + 4),
        of_der(&uris(30_003)),
        of_der(&twice),
    ] {
        let refused = function(CERTIFICATES).unwrap()(&Arguments(&[Value::from(text)]));
        let why = refused.unwrap_err().to_string();
        assert!(why.ends_with("a bound of Edgeward's"), "{why}");
    }
}
