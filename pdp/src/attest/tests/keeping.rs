//! A token that is kept: in its file, behind its socket, over refusals and to its end.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::order::{attestor, issued, refused};
use super::platform::Service;
use crate::attest::keep::Keeper;
use crate::attest::socket;
use crate::attest::token_file::{Content, TokenFile};

const JOB: [(&str, &str); 2] = [("GITLAB_CI", "true"), ("EDGEWARD_ID_TOKEN", "a.b.c")];

/// A token service whose tokens are numbered, live two seconds, and of which there are `most`.
async fn numbered(most: u64) -> Service {
    let count = Arc::new(AtomicU64::new(0));
    Service::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        number if number < most => issued(&format!("token.{number}.x"), 2),
        _ => refused("client-workload-unknown"),
    })
    .await
}

async fn eventually<T>(mut probe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < end, "it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[tokio::test]
async fn a_token_file_is_replaced_before_its_token_ends_and_goes_with_the_last() {
    let service = numbered(2).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "of another run").unwrap();
    let keeper = Keeper::new(attestor(&service, &JOB));
    let file = TokenFile::new(&path, Content::Token).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(file.keep(keeper.tokens()));
    let started = Instant::now();
    tasks.spawn(keeper.run());
    let is = |text: &'static str| {
        let path = path.clone();
        move || (read(&path).as_deref() == Some(text)).then_some(())
    };
    eventually(is("token.0.x")).await;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    eventually(is("token.1.x")).await;
    let renewed = started.elapsed();
    assert!(renewed < Duration::from_millis(1900), "{renewed:?}");
    // Refused from now on: the token stays until it ends, and no longer.
    eventually(|| (!path.exists()).then_some(())).await;
    let gone = started.elapsed();
    assert!(
        gone > renewed + Duration::from_millis(900),
        "{renewed:?}, {gone:?}"
    );
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "something is left beside the file");
    let tries = service.asked().len();
    assert!(
        (3..8).contains(&tries),
        "{tries}: it must try again, and not at once"
    );
}

async fn get(path: &Path, method: &str, target: &str) -> (u16, Value) {
    let stream = UnixStream::connect(path).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = http::Request::builder()
        .method(method)
        .uri(target)
        .header("host", "localhost");
    let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn the_socket_gives_the_token_that_was_asked_for_and_no_other() {
    let service = numbered(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.sock");
    let keeper = Keeper::new(attestor(&service, &JOB));
    let audiences = vec!["orders".to_owned(), "stock".to_owned()];
    let mut tasks = JoinSet::new();
    let listener = UnixListener::bind(&path).unwrap();
    tasks.spawn(socket::serve(listener, keeper.tokens(), audiences));
    let (status, body) = get(&path, "GET", "/token").await;
    assert_eq!(
        (status, &body["error"]),
        (503, &Value::from("temporarily_unavailable"))
    );
    let mut tokens = keeper.tokens();
    tasks.spawn(keeper.run());
    tokens.wait_for(Option::is_some).await.unwrap();
    for target in [
        "/token",
        "/token?audience=orders",
        "/token?audience=stock&x=1",
    ] {
        let (status, body) = get(&path, "GET", target).await;
        assert_eq!(
            (status, &body["access_token"]),
            (200, &Value::from("token.0.x")),
            "{target}"
        );
        assert!(
            body["expires_in"]
                .as_u64()
                .is_some_and(|seconds| seconds <= 2)
        );
    }
    for (method, target, expected) in [
        ("GET", "/token?audience=payments", 403),
        ("GET", "/token?audience=orders&audience=payments", 403),
        ("GET", "/", 404),
        ("GET", "/token/", 404),
        ("POST", "/token", 405),
    ] {
        let (status, body) = get(&path, method, target).await;
        assert_eq!(status, expected, "{method} {target}");
        assert!(!body.to_string().contains("token.0"), "{body}");
    }
    // None that has ended is given away, whatever the keeper is at.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(get(&path, "GET", "/token").await.0, 503);
}

#[test]
fn a_token_file_is_where_a_file_can_be() {
    let folder = tempfile::tempdir().unwrap();
    for (path, expected) in [
        (folder.path().to_owned(), "is no file's name"),
        (folder.path().join("none/token"), "make it"),
        ("/".into(), "is no file's name"),
    ] {
        let error = TokenFile::new(&path, Content::Token).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(TokenFile::new(Path::new("token"), Content::Json).is_ok());
}
