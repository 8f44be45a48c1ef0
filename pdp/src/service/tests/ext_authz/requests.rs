//! What is asked about: one canonical form, every header line, nothing of the client's about itself.

use proptest::prelude::*;

use super::*;

#[test]
fn a_request_without_one_canonical_form_is_denied_before_any_policy_is_asked() {
    let asked = Asked::by(door(), "decision := true");
    for (target, code) in [
        ("//admin/x", "request-path-empty-segment"),
        ("///", "request-path-empty-segment"),
        ("/\\a", "request-path-backslash"),
        ("/public/../admin", "request-path-dot-segment"),
        ("/public/%2e%2e/admin", "request-path-dot-segment"),
        ("/public/%2E%2E;x/admin", "request-path-dot-segment"),
        ("/a%2fb", "request-path-encoded-slash"),
        ("/a%2Fb", "request-path-encoded-slash"),
        ("/a%5cb", "request-path-encoded-slash"),
        ("/a%5Cb", "request-path-encoded-slash"),
        ("/app#/admin", "request-path-fragment"),
        ("/app?x#/admin", "request-query-invalid"),
        ("Service/Method", "request-path-not-absolute"),
        ("*", "request-path-not-absolute"),
        ("http://shop.example/a", "request-path-not-absolute"),
        ("", "request-path-not-absolute"),
        ("/a%00", "request-path-encoding"),
        // Spelt in another way than the upstream must read it.
        ("/%61dmin", "request-not-canonical"),
        ("/caf%c3%a9", "request-not-canonical"),
        ("/a{b}", "request-not-canonical"),
    ] {
        let got = denied(asked.check(asked.get(target)));
        assert_eq!(got, (400, code.to_owned()), "{target}");
    }
    for (host, code) in [
        ("SHOP.example", "request-not-canonical"),
        ("shop.example.", "request-not-canonical"),
        ("shop.example:080", "request-host-invalid"),
        ("user@shop.example", "request-host-invalid"),
        ("", "request-host-invalid"),
    ] {
        let got = denied(asked.check(asked.get("/a").host(host)));
        assert_eq!(got, (400, code.to_owned()), "{host}");
    }
    let mut lower = asked.get("/a");
    lower.http.method = "get".to_owned();
    let got = denied(asked.check(lower));
    assert_eq!(got, (400, "request-method-invalid".to_owned()));
    for target in ["/a", "/a?x=/../admin", "/a/?b=%2f", "/caf%C3%A9"] {
        allowed(asked.check(asked.get(target)));
    }
}

#[test]
fn path_and_query_are_apart_whatever_the_query_holds() {
    let asked = Asked::by(door(), POLICY);
    for target in ["/admin?x=/public", "/admin?/public", "/admin/public?a"] {
        let got = denied(asked.check(asked.get(target)));
        assert_eq!(got, (403, "no-rule-matches".to_owned()), "{target}");
    }
    allowed(asked.check(asked.get("/public?x=/admin")));
    // Envoy leaves these empty, and whatever they hold is read by nobody.
    let mut told = asked.get("/admin");
    told.http.query = "x=/public".to_owned();
    told.http.fragment = "/public".to_owned();
    assert_eq!(denied(asked.check(told)).0, 403);
    let got = denied(asked.check(asked.get("/public?role=ok&role=banned")));
    assert_eq!(got.0, 403);
}

#[test]
fn every_line_of_a_header_is_seen_and_none_hides_another() {
    let asked = Asked::by(door(), POLICY);
    for lines in [&["banned"][..], &["fine", "banned"], &["banned", "fine"]] {
        let told = lines
            .iter()
            .fold(asked.get("/a"), |told, line| told.header("x-role", line));
        assert_eq!(denied(asked.check(told)).0, 403, "{lines:?}");
    }
    allowed(asked.check(asked.get("/a").header("x-role", "fine")));
    for byte in 0x80..=0xff_u8 {
        let got = denied(asked.check(asked.get("/a").header("x-role", [b'a', byte])));
        assert_eq!(got, (400, "request-header-invalid".to_owned()), "{byte:#x}");
    }
}

#[test]
fn joined_headers_are_refused_unless_they_are_wanted_and_then_every_reading_counts() {
    let strict = Asked::by(door(), POLICY);
    let got = denied(strict.check(strict.get("/a").joined()));
    assert_eq!(got, (503, "ext-authz-headers-joined".to_owned()));
    let lax = ExtAuthzSettings {
        joined_headers: true,
        ..door()
    };
    let asked = Asked::by(lax, POLICY);
    allowed(asked.check(asked.get("/a").header("x-role", "fine").joined()));
    for lines in [&["fine", "banned"][..], &["fine, banned"], &["banned"]] {
        let told = lines
            .iter()
            .fold(asked.get("/a"), |told, line| told.header("x-role", line));
        assert_eq!(denied(asked.check(told.joined())).0, 403, "{lines:?}");
    }
    let twice = asked.get("/a").bearer("second").joined();
    assert_eq!(denied(asked.check(twice)).0, 401);
}

#[test]
fn a_proxy_that_withholds_headers_is_told_no() {
    let asked = Asked::by(door(), "decision := true");
    let mut told = asked.get("/a");
    told.lines.retain(|line| line.key != ":path");
    let got = denied(asked.check(told));
    assert_eq!(got, (503, "ext-authz-headers-withheld".to_owned()));
}

#[test]
fn forwarded_headers_of_a_client_change_nothing_and_do_not_go_on() {
    let asked = Asked::by(door(), POLICY);
    let forged = [
        ("x-forwarded-uri", "/public"),
        ("x_forwarded_uri", "/public"),
        ("x-forwarded-host", "public.example"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-forwarded-prefix", "/public"),
        ("x-original-url", "/public"),
        ("x-envoy-original-path", "/public"),
        ("x-rewrite-url", "/public"),
        ("forwarded", "host=public.example"),
    ];
    let told = |target: &str| {
        let told = asked.get(target);
        forged
            .iter()
            .fold(told, |told, (name, value)| told.header(name, value))
    };
    assert_eq!(denied(asked.check(told("/admin"))).0, 403);
    let ok = allowed(asked.check(told("/public")));
    for (name, _) in forged {
        assert!(
            ok.headers_to_remove.iter().any(|removed| removed == name),
            "{name}"
        );
    }
    let other = denied(asked.check(asked.get("/a").header("host", "other.example")));
    assert_eq!(other, (400, "request-pseudo-header-invalid".to_owned()));
    allowed(asked.check(asked.get("/a").header("host", "shop.example")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Health checks by their User-Agent, malformed cookies, methods, anything: nothing but the
    /// decision yields an allow.
    #[test]
    fn nothing_in_a_request_but_the_decision_yields_an_allow(
        method in "GET|HEAD|OPTIONS|[A-Z]{1,8}",
        target in "/[a-z%./?#=&]{0,20}",
        name in "user-agent|cookie|accept|x-forwarded-[a-z]{1,8}|[a-z_-]{1,12}",
        value in "kube-probe/1.29|GoogleHC/1.0|=;=|[ -~]{0,30}",
    ) {
        use std::sync::LazyLock;
        static ASKED: LazyLock<Asked> = LazyLock::new(|| {
            Asked::by(door(), "decision := {\"allow\": false, \"reasons\": [\"never\"]}")
        });
        let mut told = ASKED.get(&target).header(&name, value);
        told.http.method = method;
        let (status, _) = denied(ASKED.check(told));
        prop_assert!(status >= 400);
    }
}
