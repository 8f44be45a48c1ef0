//! `edgeward revoke` by an operator's certificate, at a real PDP with mTLS.

use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType,
};

use crate::program::{Place, Said};

/// A PDP that asks for client certificates; stopped hard at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended where it could not start.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An authority, the PDP's certificate and those of `operator` and `other`.
fn certificates(place: &Place) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let ca = CertifiedIssuer::self_signed(params, key).expect("an authority");
    place.write("ca.pem", &ca.pem());
    for (name, workload) in [
        ("server", "pdp"),
        ("operator", "operator"),
        ("other", "shop"),
    ] {
        let key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("a name");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let id = format!("spiffe://example.org/{workload}");
        let id = SanType::URI(id.as_str().try_into().expect("a URI"));
        params.subject_alt_names.push(id);
        let certificate = params.signed_by(&key, &ca).expect("a certificate");
        place.write(&format!("{name}.pem"), &certificate.pem());
        place.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

#[test]
fn an_operator_needs_no_token_and_another_workload_is_told_why_it_may_not() {
    let place = Place::empty();
    certificates(&place);
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    place.write(
        "edgeward.yaml",
        &format!(
            "listen:\n- tcp: 127.0.0.1:{port}\n  tls: {{ certificate: server.pem, key: server.key, \
             client_ca: ca.pem }}\nrevocations:\n  directory: revocations\n  operators: \
             [spiffe://example.org/operator]\n"
        ),
    );
    let mut serve = place.command(&["serve", "--config", "edgeward.yaml"]);
    serve.stdout(Stdio::null()).stderr(Stdio::null());
    let _running = Running(serve.spawn().expect("the program starts"));
    let pdp = format!("https://localhost:{port}");
    let as_who = |who: &str, arguments: &[&str]| -> Said {
        let (certificate, key) = (format!("{who}.pem"), format!("{who}.key"));
        let mut all = vec!["revoke"];
        all.extend(arguments);
        all.extend([
            "--pdp",
            &pdp,
            "--ca",
            "ca.pem",
            "--cert",
            &certificate,
            "--key",
            &key,
        ]);
        place.run(&all)
    };
    let began = Instant::now();
    let mut said = as_who("operator", &["list"]);
    while said.code != 0 && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
        said = as_who("operator", &["list"]);
    }
    assert_eq!((said.code, &*said.out), (0, ""), "{}", said.err);

    let revoked = as_who("operator", &["subject", "spiffe://example.org/shop"]);
    assert_eq!(revoked.code, 0, "{}", revoked.err);
    assert!(
        revoked.out.contains("subject spiffe://example.org/shop"),
        "{}",
        revoked.out
    );
    let refused = as_who("other", &["list"]);
    assert_eq!(refused.code, 2, "{}", refused.out);
    let why = "`spiffe://example.org/shop` is not one of `revocations.operators`";
    assert!(refused.err.contains(why), "{}", refused.err);
}

#[test]
fn a_certificate_without_its_key_or_without_tls_is_refused_before_anything_is_sent() {
    let place = Place::empty();
    let https = "https://127.0.0.1:1";
    for (arguments, why) in [
        (&["--cert", "a.pem", "--pdp", https][..], "go together"),
        (&["--key-file", "a.key", "--pdp", https], "go together"),
        (&["--cert", "a.pem", "--key", "a.key"], "shown in TLS only"),
        (
            &["--cert", "a.pem", "--key", "a.key", "--pdp", "unix:/p"],
            "shown in TLS only",
        ),
        (
            &["--pdp", https],
            "an operator names --cert-file and --key-file",
        ),
    ] {
        let mut all = vec!["revoke", "list"];
        all.extend(arguments);
        let said = place.run(&all);
        assert_eq!(said.code, 2, "{arguments:?}");
        assert!(said.err.contains(why), "{arguments:?}: {}", said.err);
    }
}
