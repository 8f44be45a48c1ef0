//! One fetch against servers of every kind.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::authority::Authority;
use super::quick;
use super::server::{Reply, TestServer};
use crate::fetch::{
    AddressRule, FetchError, FetchSettings, Fetched, Plaintext, Redirects, Server, SourceUrl, get,
};

async fn fetch(
    url: &SourceUrl,
    redirects: Redirects,
    settings: &FetchSettings,
) -> Result<Fetched, FetchError> {
    let server = Server::WebPki(settings.ca_file.as_deref());
    get(url, server, redirects, settings).await
}

async fn of_reply(reply: Reply) -> Result<Fetched, FetchError> {
    of_reply_within(Duration::from_secs(20), reply).await
}

async fn of_reply_within(timeout: Duration, reply: Reply) -> Result<Fetched, FetchError> {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    server.say("/keys", reply);
    let mut settings = quick(&authority.pem_file());
    settings.max_bytes = 1000;
    settings.timeout = timeout;
    fetch(&server.url("/keys"), Redirects::SameOrigin, &settings).await
}

#[tokio::test]
async fn a_document_is_fetched_with_its_freshness() {
    let reply = Reply::ok(
        "{}",
        "content-type: application/json; charset=utf-8\r\ncache-control: max-age=7\r\n",
    );
    let fetched = of_reply(reply).await.unwrap();
    assert_eq!(fetched.body, b"{}");
    assert_eq!(fetched.fresh_for, Some(Duration::from_secs(7)));
    let untyped = of_reply(Reply::ok("{}", "")).await.unwrap();
    assert_eq!(untyped.fresh_for, None);
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_offers_it() {
    let authority = Authority::new();
    let mut config = authority.web_server();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
            assert_eq!(request.version(), http::Version::HTTP_2);
            let body = Full::new(Bytes::from_static(b"{\"h\":2}"));
            Ok::<_, Infallible>(http::Response::new(body))
        });
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service);
        let _ = connection.await;
    };
    let url = format!("https://127.0.0.1:{port}/keys?x=1");
    let url = SourceUrl::parse(&url, Plaintext::Refused).unwrap();
    let settings = quick(&authority.pem_file());
    tokio::select! {
        fetched = fetch(&url, Redirects::SameOrigin, &settings) => {
            assert_eq!(fetched.unwrap().body, b"{\"h\":2}");
        }
        () = server => panic!("the server ended first"),
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused() {
    let (ours, other) = (Authority::new(), Authority::new());
    let server = TestServer::start(other.web_server()).await;
    server.say("/keys", Reply::json("{}"));
    let settings = quick(&ours.pem_file());
    let refused = fetch(&server.url("/keys"), Redirects::SameOrigin, &settings).await;
    assert!(
        matches!(refused, Err(FetchError::Connect { .. })),
        "{refused:?}"
    );

    server.become_server(ours.svid_server(&["spiffe://example.org/other"]));
    let misnamed = fetch(&server.url("/keys"), Redirects::SameOrigin, &settings).await;
    assert!(
        matches!(misnamed, Err(FetchError::Connect { .. })),
        "{misnamed:?}"
    );
    assert_eq!(server.hits("/keys"), 0);

    server.become_server(ours.web_server());
    fetch(&server.url("/keys"), Redirects::SameOrigin, &settings)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_redirect_to_another_host_is_never_followed() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    let other = TestServer::start(authority.web_server()).await;
    for path in ["/a", "/keys"] {
        other.say(path, Reply::json("{}"));
    }
    let settings = quick(&authority.pem_file());
    let port = server.port();
    for location in [
        format!("{}/keys", other.origin()),
        format!("https://localhost:{port}/keys"),
        format!("http://127.0.0.1:{port}/keys"),
        format!("//127.0.0.1:{}/keys", other.port()),
        "https://169.254.169.254/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        server.say("/a", Reply::redirect(302, &location));
        let refused = fetch(&server.url("/a"), Redirects::SameOrigin, &settings).await;
        assert!(
            matches!(refused, Err(FetchError::Redirect { .. })),
            "{location}: {refused:?}"
        );
    }
    assert_eq!(other.hits("/keys"), 0);
}

#[tokio::test]
async fn a_redirect_within_the_host_is_followed_a_few_times() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    server.say("/keys", Reply::json("{}"));
    let settings = quick(&authority.pem_file());
    server.say("/a", Reply::redirect(308, "/keys"));
    fetch(&server.url("/a"), Redirects::SameOrigin, &settings)
        .await
        .unwrap();
    let permanent = fetch(&server.url("/a"), Redirects::SameOriginTemporary, &settings).await;
    assert!(
        matches!(permanent, Err(FetchError::Redirect { .. })),
        "{permanent:?}"
    );
    server.say("/a", Reply::redirect(307, "keys"));
    fetch(&server.url("/a"), Redirects::SameOriginTemporary, &settings)
        .await
        .unwrap();
    server.say("/loop", Reply::redirect(302, "/loop"));
    let endless = fetch(&server.url("/loop"), Redirects::SameOrigin, &settings).await;
    assert!(
        matches!(endless, Err(FetchError::Redirect { .. })),
        "{endless:?}"
    );
    assert_eq!(server.hits("/loop"), 4);
}

#[tokio::test]
async fn a_document_beyond_the_size_is_refused_announced_or_not() {
    let announced = of_reply(Reply::json(vec![b' '; 1001])).await;
    assert!(
        matches!(announced, Err(FetchError::TooLarge(1000))),
        "{announced:?}"
    );
    let unannounced = of_reply(Reply::raw("HTTP/1.1 200 OK\r\n\r\n", vec![b' '; 5000])).await;
    assert!(
        matches!(unannounced, Err(FetchError::TooLarge(1000))),
        "{unannounced:?}"
    );
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("3e9\r\n{}\r\n0\r\n\r\n", " ".repeat(1001));
    let chunked = of_reply(Reply::raw(chunked, chunk)).await;
    assert!(
        matches!(chunked, Err(FetchError::TooLarge(1000))),
        "{chunked:?}"
    );
    of_reply(Reply::json(vec![b' '; 1000])).await.unwrap();
}

#[tokio::test]
async fn a_slow_server_costs_no_more_than_the_timeout() {
    let began = Instant::now();
    let reply = Reply::json("{}").after(Duration::from_mins(1));
    let slow = of_reply_within(Duration::from_secs(1), reply).await;
    assert!(matches!(slow, Err(FetchError::Timeout(_))), "{slow:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_truncated_or_garbled_answer_is_an_error() {
    for (head, body) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", "{}"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "2\r\n{}",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-le", ""),
        ("", ""),
        ("SSH-2.0-OpenSSH\r\n", ""),
    ] {
        let cut = of_reply(Reply::raw(head, body)).await;
        assert!(matches!(cut, Err(FetchError::Http(_))), "{head:?}: {cut:?}");
    }
    let endless = Reply::raw(
        &format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(200_000)),
        "",
    );
    assert!(matches!(of_reply(endless).await, Err(FetchError::Http(_))));
}

#[tokio::test]
async fn only_a_200_with_plain_json_is_a_document() {
    for status in [201, 204, 206, 300, 304, 400, 401, 403, 404, 429, 500, 503] {
        let refused = of_reply(Reply::status(status, "", "")).await;
        assert!(
            matches!(refused, Err(FetchError::Status(got)) if got == status),
            "{refused:?}"
        );
    }
    for headers in [
        "content-type: text/html\r\n",
        "content-type: application/jsonp\r\n",
        "content-type: \r\n",
        "content-type: application/json\r\ncontent-encoding: gzip\r\n",
    ] {
        let refused = of_reply(Reply::ok("{}", headers)).await;
        assert!(
            matches!(refused, Err(FetchError::ContentType { .. })),
            "{headers}: {refused:?}"
        );
    }
    of_reply(Reply::ok(
        "{}",
        "content-type: application/jwk-set+json\r\n",
    ))
    .await
    .unwrap();
}

#[tokio::test]
async fn forbidden_addresses_are_never_connected_to() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    server.say("/", Reply::json("{}"));
    let mut settings = quick(&authority.pem_file());
    settings.addresses = AddressRule::default();
    let port = server.port();
    for url in [
        format!("https://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://169.254.1.1/".to_owned(),
        "https://[fe80::1]/".to_owned(),
        "https://0.0.0.0/".to_owned(),
        "https://224.0.0.1/".to_owned(),
    ] {
        let url = SourceUrl::parse(&url, Plaintext::Refused).unwrap();
        let refused = fetch(&url, Redirects::SameOrigin, &settings).await;
        assert!(
            matches!(refused, Err(FetchError::ForbiddenAddress { .. })),
            "{url}: {refused:?}"
        );
    }
    assert_eq!(server.hits("/"), 0);
}
