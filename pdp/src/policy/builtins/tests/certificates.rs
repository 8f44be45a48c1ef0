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

#[test]
fn the_longest_arguments_are_over_soon() {
    let key = KeyPair::generate().unwrap();
    let many = names().self_signed(&key).unwrap().pem().repeat(1_500);
    let long = 1 << 19;
    // A sequence of sequences, and a number of half a megabyte.
    let nested = [0x30, 0x80].repeat(long / 4);
    let mut number = vec![0x30, 0x83, 0x07, 0xff, 0xfb, 0x02, 0x83, 0x07, 0xff, 0xf6];
    number.resize(long, 0x7f);
    for text in [
        &*many,
        &of_der(&nested),
        &of_der(&number),
        &"-----BEGIN CERTIFICATE-----\n".repeat(long / 16),
        &format!("-----BEGIN A-----{}", "\n-----END A".repeat(long / 6)),
        &format!("-----BEGIN A-----{}", "\n-----END :".repeat(long / 6)),
        &"-----BEGIN A-----\na:b\n-----END A\n".repeat(long / 18),
    ] {
        assert!(text.len() <= 1 << 20, "{}", text.len());
        let started = Instant::now();
        for name in [CERTIFICATES, REQUEST] {
            let _ = answered(name, text);
        }
        assert!(started.elapsed().as_secs() < 10, "{text:.40}");
    }
    let longer = Value::from("A".repeat((1 << 20) + 4));
    let refused = function(CERTIFICATES).unwrap()(&Arguments(&[longer])).unwrap_err();
    assert!(
        refused.to_string().ends_with("a bound of Edgeward's"),
        "{refused}"
    );
}
