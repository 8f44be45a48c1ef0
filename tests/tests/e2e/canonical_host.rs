//! Promise 2: what is decided is what is forwarded. Here: host, method, query and headers.

use edgeward_tests::keys::FRONTEND;
use edgeward_tests::raw::Request;
use serde_json::json;

use crate::{assert_refused, stage};

#[test]
fn the_host_decided_on_is_the_host_forwarded() {
    let stage = stage();
    let hosts = [
        ("shop.test", "shop.test", "shop.test"),
        ("SHOP.Test", "shop.test", "shop.test"),
        ("shop.test.", "shop.test", "shop.test"),
        ("shop.test:8080", "shop.test", "shop.test:8080"),
        ("Shop.Test.:8080", "shop.test", "shop.test:8080"),
        ("127.0.0.1:80", "127.0.0.1", "127.0.0.1:80"),
        ("[::1]:80", "[::1]", "[::1]:80"),
    ];
    for (index, (sent, host, forwarded)) in hosts.into_iter().enumerate() {
        let path = format!("/host-{index}");
        let reply = stage.send(&stage.allowed(&path).host(sent));
        assert_eq!(reply.status, 200, "{sent}: {}", reply.text());
        assert_eq!(
            stage.upstream.seen(&path)[0].header("host"),
            [forwarded],
            "{sent}"
        );
        assert_eq!(stage.tap.asked(&path)[0]["resource"]["id"], host, "{sent}");
    }
}

#[test]
fn a_host_without_one_canonical_form_is_refused() {
    let stage = stage();
    let hosts = [
        "",
        "a..b",
        ".shop.test",
        "user@shop.test",
        "shop.test:",
        "shop.test:0",
        "shop.test:080",
        "shop.test:99999",
        "shop.test:80:80",
        "127.1",
        "0x7f000001",
        "2130706433",
        "[::1",
        "shop test",
        "shop.test/x",
        "shop%2etest",
        "sh\u{f6}p.test",
        "shop.test,other.test",
    ];
    for host in hosts {
        let reply = stage.send(&stage.allowed("/bad-host").host(host));
        assert_eq!(reply.status, 400, "`{host}`: {}", reply.text());
    }
    let reply = stage.send(&stage.allowed("/bad-host").without_host());
    assert_eq!(reply.status, 400, "no host");
    let reply = stage.send(&stage.allowed("/bad-host").header("Host", "other.test"));
    assert_eq!(reply.status, 400, "two hosts");
    assert!(stage.upstream.seen("/bad-host").is_empty());
}

#[test]
fn the_method_decided_on_is_the_method_forwarded_whatever_override_headers_say() {
    let stage = stage();
    let token = stage.keys.jwt_svid(FRONTEND);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let path = format!("/method-{method}");
        let mut request = Request::new(method, &path).bearer(&token).body("");
        for header in [
            "X-HTTP-Method-Override",
            "X-HTTP-Method",
            "X_Method_Override",
        ] {
            request = request.header(header, "TRACE");
        }
        let reply = stage.send(&request);
        assert_eq!(reply.status, 200, "{method}: {}", reply.text());
        let seen = &stage.upstream.seen(&path)[0];
        assert!(
            seen.line().starts_with(&format!("{method} ")),
            "{}",
            seen.line()
        );
        assert!(
            seen.headers.iter().all(|(_, value)| value != b"TRACE"),
            "{method}"
        );
        let asked = &stage.tap.asked(&path)[0];
        assert_eq!(asked["action"]["name"], method);
        assert!(!asked.to_string().contains("TRACE"));
    }
}

#[test]
fn the_headers_decided_on_are_the_headers_forwarded_each_value_apart() {
    let stage = stage();
    let reply = stage.send(
        &stage
            .allowed("/headers-kept?a=1&b=2&a=3")
            .header("X-One", "first")
            .header("x-one", "second")
            .header("X-Joined", "a, b,c")
            .header("X-Empty", "")
            .header("X-Text", "caf\u{e9} \"quoted\""),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &stage.upstream.seen("/headers-kept")[0];
    let properties = &stage.tap.asked("/headers-kept")[0]["resource"]["properties"];
    for name in ["x-one", "x-joined", "x-empty", "x-text"] {
        assert_eq!(
            properties["headers"][name],
            json!(seen.header(name)),
            "{name}"
        );
    }
    assert_eq!(properties["headers"]["x-one"], json!(["first", "second"]));
    assert_eq!(properties["query"], json!({ "a": ["1", "3"], "b": ["2"] }));
}

#[test]
fn a_header_value_that_is_no_text_is_refused() {
    let stage = stage();
    for byte in 0x80..=0xff_u8 {
        let reply = stage.send(
            &stage
                .allowed("/not-text")
                .header("x-note", [b'a', byte, b'b']),
        );
        assert_refused(stage, &reply, 400, "request-header-invalid", "/not-text");
    }
    for byte in [0x00, 0x01, 0x0b, 0x0c, 0x7f_u8] {
        let reply = stage.send(
            &stage
                .allowed("/not-text")
                .header("x-note", [b'a', byte, b'b']),
        );
        assert_eq!(reply.status, 400, "byte {byte:#x}");
    }
    assert!(stage.upstream.seen("/not-text").is_empty());
}

#[test]
fn a_hundred_kilobytes_of_headers_are_decided_and_forwarded_and_more_are_refused() {
    let stage = stage();
    let reply = stage.send(
        &stage
            .allowed("/large-one")
            .header("x-large", "v".repeat(100_000)),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        stage.upstream.seen("/large-one")[0].header("x-large")[0].len(),
        100_000
    );
    let mut many = stage.allowed("/large-many");
    for index in 0..80 {
        many = many.header(format!("x-large-{index}"), "v".repeat(1250));
    }
    assert_eq!(stage.send(&many).status, 200);
    let headers = &stage.tap.asked("/large-many")[0]["resource"]["properties"]["headers"];
    assert_eq!(headers["x-large-79"][0].as_str().map(str::len), Some(1250));
    let reply = stage.send(
        &stage
            .allowed("/too-large")
            .header("x-large", "v".repeat(200_000)),
    );
    assert_eq!(reply.status, 431);
    assert!(stage.upstream.seen("/too-large").is_empty());
}
