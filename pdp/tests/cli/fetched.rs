//! `edgeward token verify --fetch`, against a key server of our own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::tokens::{ALICE, development, mint};

/// Serves one JWK Set over plain HTTP on loopback until the test ends; answers with its URL.
fn key_server(keys: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 4096];
            // A GET has no body: what arrives first is the whole of it.
            let _ = stream.read(&mut head);
            let length = keys.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\nconnection: close\r\n\r\n{keys}"
            );
        }
    });
    format!("http://{address}/keys")
}

#[test]
fn keys_are_fetched_when_asked_for_and_remembered_in_the_cache() {
    let place = development();
    let token = mint(&place, &ALICE);
    let keys = std::fs::read_to_string(place.path("jwks.json")).expect("the published key");
    let fetched = format!(
        "environment: development\nkey_cache: {{directory: cache}}\n\
         issuers: [{{issuer: 'https://idp.example', audiences: [edgeward], keys: {{jwks_url: '{}'}}}}]\n",
        key_server(keys)
    );
    place.write("fetched.yaml", &fetched);
    let arguments = ["token", "verify", "--config", "fetched.yaml", &token];
    let said = place.run(&arguments);
    assert_eq!(said.code, 1, "nothing is fetched unasked: {}", said.out);
    let said = place.run(&[&arguments[..], &["--fetch"]].concat());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let said = place.run(&arguments);
    assert_eq!(
        said.code, 0,
        "the cache has them now: {}{}",
        said.out, said.err
    );
}
