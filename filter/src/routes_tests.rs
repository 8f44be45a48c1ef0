//! Tests of route matching.

use proptest::prelude::*;

use super::*;

fn routes(json: &str) -> Result<Routes, MemberError> {
    let mut root = Members::parse(format!(r#"{{"routes":{json}}}"#).as_bytes(), "test")?;
    Routes::read(root.objects("routes")?)
}

fn request(method: &str, host: &str, target: &str) -> CanonicalRequest {
    CanonicalRequest::parse(method, host, target, PathNormalization::Strict).unwrap()
}

#[test]
fn the_first_match_holds_and_what_nothing_matches_is_decided() {
    let routes = routes(
        r#"[{"path":"/healthz","methods":["GET"],"mode":"off"},
            {"host":"*.public.example","anonymous":true},
            {"path_prefix":"/id","mode":"identity"},
            {"path_prefix":"/","host":"strict.example"}]"#,
    )
    .unwrap();
    for (method, host, target, mode, anonymous) in [
        ("GET", "a.example", "/healthz", Mode::Off, false),
        ("POST", "a.example", "/healthz", Mode::Decide, false),
        ("GET", "a.example", "/healthz/x", Mode::Decide, false),
        ("GET", "x.public.example", "/", Mode::Decide, true),
        ("GET", "public.example", "/", Mode::Decide, false),
        ("GET", "xpublic.example", "/", Mode::Decide, false),
        ("GET", "a.example", "/id", Mode::Identity, false),
        ("GET", "a.example:8443", "/id/x?y", Mode::Identity, false),
        ("GET", "a.example", "/idx", Mode::Decide, false),
    ] {
        let settings = routes.settings(&request(method, host, target));
        assert_eq!(
            (settings.mode, settings.anonymous),
            (mode, anonymous),
            "{host} {target}"
        );
    }
}

#[test]
fn a_route_that_could_not_mean_what_it_says_is_refused() {
    for (json, want) in [
        (
            r#"[{"path":"/a","path_prefix":"/b"}]"#,
            "[0].path_prefix: give either",
        ),
        (
            r#"[{},{"path":"/a/../b"}]"#,
            "[1].path: must begin with a slash and be canonical",
        ),
        (
            r#"[{"path_prefix":"/%61"}]"#,
            "[0].path_prefix: must begin with a slash and be canonical",
        ),
        (
            r#"[{"host":"A.example"}]"#,
            "[0].host: must be a host in lower case",
        ),
        (
            r#"[{"host":"a.example:80"}]"#,
            "[0].host: must be a host in lower case",
        ),
        (
            r#"[{"host":"*example"}]"#,
            "[0].host: must be a host in lower case",
        ),
        (r#"[{"mode":"none"}]"#, "[0].mode: must be `off`"),
        (
            r#"[{"mode":"off","anonymous":true}]"#,
            "[0].anonymous: has no effect",
        ),
        (
            r#"[{"mode":"off","posture":{}}]"#,
            "[0].posture: has effect only where",
        ),
        (
            r#"[{"posture":{"pdp_timeout":"allow"}}]"#,
            "[0].posture.pdp_timeout: must be `deny`",
        ),
        (
            r#"[{"posture":{"pdp_timeout":{}}}]"#,
            "[0].posture.pdp_timeout.serve_stale: must be a duration from 1s to 1h",
        ),
        (
            r#"[{"posture":{"pdp_timeout":{"serve_stale":"999ms"}}}]"#,
            "[0].posture.pdp_timeout.serve_stale: must be a duration from 1s to 1h",
        ),
        (
            r#"[{"posture":{"pdp_timeout":{"serve_stale":"61m"}}}]"#,
            "[0].posture.pdp_timeout.serve_stale: must be a duration from 1s to 1h",
        ),
        (
            r#"[{"posture":{"pdp_timeout":{"serve_stale":"1m","deny":true}}}]"#,
            "[0].posture.pdp_timeout.deny: is not known here",
        ),
        (
            r#"[{"posture":{"pdp_down":"deny"}}]"#,
            "[0].posture.pdp_down: is not known here",
        ),
    ] {
        let error = routes(json).expect_err(json).to_string();
        assert!(
            error.starts_with(&format!("routes{want}")),
            "{json}: {error}"
        );
    }
}

proptest! {
    #[test]
    fn a_prefix_never_matches_another_segment(
        prefix in "/[a-z]{1,5}(/[a-z]{1,5}){0,2}", path in "/[a-z]{1,5}(/[a-z]{0,5}){0,3}"
    ) {
        let json = format!(r#"[{{"path_prefix":"{prefix}","mode":"off"}}]"#);
        if let Ok(request) = CanonicalRequest::parse("GET", "h", &path, PathNormalization::Strict) {
            let wanted: Vec<&str> = prefix.split('/').collect();
            let given: Vec<&str> = path.split('/').collect();
            let off = routes(&json).unwrap().settings(&request).mode == Mode::Off;
            prop_assert_eq!(off, given.starts_with(&wanted));
        }
    }
}
