//! Unix sockets, TLS, mTLS, HTTP/2, the admin listener and metadata.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::fixtures::frontend;
use super::harness::{Pdp, exchange, settings};
use super::pki::{Pki, TlsStream, secured};
use crate::service::{BoundAddress, ListenAddress, tls};

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_unix_socket_serves_with_its_mode_replaces_a_stale_one_and_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pdp.sock");
    drop(UnixListener::bind(&path).unwrap());
    let mut settings = settings();
    let unix = ListenAddress::Unix {
        path: path.clone(),
        mode: 0o600,
    };
    settings
        .listeners
        .push(crate::service::Listener::plain(unix));
    let mut pdp = Pdp::start(settings);
    assert_eq!(pdp.addresses[1], BoundAddress::Unix(path.clone()));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let body = frontend("GET", &["orders"]).to_string();
    for _ in 0..8 {
        let stream = UnixStream::connect(&path).unwrap();
        let answer = exchange(
            stream,
            "POST",
            "/access/v1/evaluation",
            &[JSON],
            body.as_bytes(),
        );
        assert_eq!(answer.json()["decision"], true);
    }
    pdp.stop();
    assert!(!path.exists());
}

#[test]
fn a_path_or_port_that_is_taken_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| {
        let address = ListenAddress::Unix {
            path: path.to_owned(),
            mode: 0o600,
        };
        crate::service::listen::Socket::open(
            &address,
            None,
            crate::service::router::Role::Both,
            2.try_into().unwrap(),
        )
        .map(drop)
        .unwrap_err()
        .to_string()
    };
    let file = folder.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(open(&file).contains("exists and is not a socket"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    let live = folder.path().join("live.sock");
    let _listener = UnixListener::bind(&live).unwrap();
    assert!(open(&live).contains("another process serves this socket"));

    let pdp = Pdp::start(settings());
    let error = crate::service::listen::Socket::open(
        &ListenAddress::Tcp(pdp.address()),
        None,
        crate::service::router::Role::Both,
        1.try_into().unwrap(),
    )
    .map(drop)
    .unwrap_err()
    .to_string();
    assert!(
        error.contains(&format!("cannot listen on {}", pdp.address())),
        "{error}"
    );
}

#[test]
fn tls_serves_and_metadata_names_the_host_it_was_asked_by() {
    let pki = Pki::new();
    let (_pdp, address) = secured(&pki, false);
    let path = "/.well-known/authzen-configuration";
    let answer = exchange(pki.connect(address, None), "GET", path, &[], b"");
    assert_eq!(answer.json()["policy_decision_point"], "https://pdp.test");
    assert_eq!(
        answer.json()["access_evaluation_endpoint"],
        "https://pdp.test/access/v1/evaluation"
    );
}

#[test]
fn without_tls_and_public_url_there_is_no_metadata_and_the_refusal_names_the_setting() {
    let pdp = Pdp::start(settings());
    let answer = pdp.get("/.well-known/authzen-configuration");
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("set `public_url`"), "{}", answer.body);
    // What a client falls back to is there.
    let body = frontend("GET", &["orders"]).to_string();
    assert_eq!(pdp.ask(&body).status, 200);
}

#[test]
fn mtls_refuses_a_client_without_a_certificate_and_one_of_another_authority() {
    let (pki, other) = (Pki::new(), Pki::new());
    let (_pdp, address) = secured(&pki, true);
    let body = frontend("GET", &["orders"]).to_string();
    let ask = |mut stream: TlsStream| {
        let head = format!(
            "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut text = Vec::new();
        let sent = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.read_to_end(&mut text));
        (sent.is_ok(), String::from_utf8(text).unwrap())
    };
    let (_, text) = ask(pki.connect(address, Some("client")));
    assert!(text.contains("\"decision\":true"), "{text}");
    let (served, text) = ask(pki.connect(address, None));
    assert!(!served && text.is_empty(), "{text}");
    std::fs::copy(other.path("client.pem"), pki.path("stranger.pem")).unwrap();
    std::fs::copy(other.path("client.key"), pki.path("stranger.key")).unwrap();
    let (served, text) = ask(pki.connect(address, Some("stranger")));
    assert!(!served && text.is_empty(), "{text}");
}

#[test]
fn tls_files_that_do_not_fit_are_refused_by_name() {
    let (pki, other) = (Pki::new(), Pki::new());
    let load = |certificate: &Path, key: &Path, ca: Option<&Path>| {
        tls::load(
            certificate,
            key,
            ca.map_or(tls::Clients::None, tls::Clients::Of),
        )
        .map(drop)
        .unwrap_err()
        .to_string()
    };
    let (certificate, key) = (pki.path("server.pem"), pki.path("server.key"));
    assert!(load(&pki.path("none"), &key, None).contains("none: "));
    assert!(load(&key, &key, None).contains("server.key: holds no certificate"));
    assert!(load(&certificate, &certificate, None).contains("server.pem: "));
    assert!(load(&certificate, &other.path("server.key"), None).contains("server.pem: "));
    assert!(load(&certificate, &key, Some(&key)).contains("holds no certificate"));
}

#[test]
fn http2_by_prior_knowledge_is_answered() {
    let pdp = Pdp::start(settings());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let body = frontend("GET", &["orders"]).to_string();
    let (status, text) = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(pdp.address()).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http2::handshake(
            hyper_util::rt::TokioExecutor::new(),
            hyper_util::rt::TokioIo::new(stream),
        )
        .await
        .unwrap();
        tokio::spawn(connection);
        let request = http::Request::post("http://pdp.test/access/v1/evaluation")
            .header(JSON.0, JSON.1)
            .body(http_body_util::Full::new(bytes::Bytes::from(body)))
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap();
        (status, String::from_utf8(body.to_bytes().to_vec()).unwrap())
    });
    assert_eq!(status, 200);
    assert!(text.contains("\"decision\":true"), "{text}");
}

#[test]
fn with_an_admin_listener_health_and_metrics_are_there_only() {
    let mut settings = settings();
    settings.admin = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    settings.public_url = Some("https://pdp.example".to_owned());
    let pdp = Pdp::start(settings);
    let BoundAddress::Tcp(admin) = pdp.addresses[1] else {
        panic!()
    };
    let on_admin = |method: &str, path: &str| {
        exchange(TcpStream::connect(admin).unwrap(), method, path, &[], b"").status
    };
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert_eq!(pdp.get(path).status, 404, "{path}");
        assert_ne!(on_admin("GET", path), 404, "{path}");
    }
    assert_eq!(on_admin("POST", "/access/v1/evaluation"), 404);
    let metadata = pdp.get("/.well-known/authzen-configuration").json();
    assert_eq!(metadata["policy_decision_point"], "https://pdp.example");
}
