//! Tests of the canonical path. Istio's table is in `tests/tests/conformance_paths.rs`.

use proptest::prelude::*;

use super::*;

fn strict(path: &str) -> Result<String, PathRefusal> {
    CanonicalPath::parse(path, PathNormalization::Strict).map(|path| path.text)
}

#[test]
fn a_path_with_two_readings_is_refused_for_its_own_reason() {
    for (path, want) in [
        ("", PathRefusal::NoLeadingSlash),
        ("*", PathRefusal::NoLeadingSlash),
        ("Service/Method", PathRefusal::NoLeadingSlash),
        ("http://host/a", PathRefusal::NoLeadingSlash),
        ("/a#b", PathRefusal::Fragment),
        ("/a\\b", PathRefusal::Backslash),
        ("/a%5cb", PathRefusal::EncodedSlash),
        ("/a%2Fb", PathRefusal::EncodedSlash),
        ("/a%2fb", PathRefusal::EncodedSlash),
        ("/a%00", PathRefusal::Encoding),
        ("/a%7f", PathRefusal::Encoding),
        ("/a%c0%ae", PathRefusal::Encoding),
        ("/a%4", PathRefusal::Encoding),
        ("/a%zz", PathRefusal::Encoding),
        ("/é", PathRefusal::Character),
        ("/a b", PathRefusal::Character),
        ("//a", PathRefusal::EmptySegment),
        ("/a//b", PathRefusal::EmptySegment),
        ("/public/../admin", PathRefusal::DotSegment),
        ("/public/%2e%2E/admin", PathRefusal::DotSegment),
        ("/public/..;x=1/admin", PathRefusal::DotSegment),
        ("/.", PathRefusal::DotSegment),
    ] {
        assert_eq!(strict(path), Err(want), "{path}");
    }
}

#[test]
fn a_path_has_one_spelling() {
    for (path, want) in [
        ("/", "/"),
        ("/a/", "/a/"),
        ("/%61%2d%7E", "/a-~"),
        ("/%c3%a9", "/%C3%A9"),
        ("/a|b", "/a%7Cb"),
        ("/a%7cb", "/a%7Cb"),
        ("/.../a..", "/.../a.."),
        ("/%25zz", "/%25zz"),
    ] {
        assert_eq!(strict(path).as_deref(), Ok(want), "{path}");
    }
    let path = CanonicalPath::parse("/caf%c3%a9/x%2by/", PathNormalization::Strict).unwrap();
    assert_eq!(path.segments(), ["café", "x+y", ""]);
}

fn any_mode() -> impl Strategy<Value = PathNormalization> {
    prop_oneof![
        Just(PathNormalization::Strict),
        Just(PathNormalization::Base),
        Just(PathNormalization::MergeSlashes),
        Just(PathNormalization::DecodeAndMergeSlashes),
    ]
}

proptest! {
    #[test]
    fn canonical_is_a_fixed_point_in_every_mode(
        raw in "/(%2[eEfF5]|%5[cC]|%c3%a9|[a-c./\\\\;%#|]){0,24}", mode in any_mode()
    ) {
        if let Ok(path) = CanonicalPath::parse(&raw, mode) {
            let again = CanonicalPath::parse(path.as_str(), mode).unwrap();
            prop_assert_eq!(again.as_str(), path.as_str());
            prop_assert_eq!(again.segments(), path.segments());
        }
    }

    #[test]
    fn no_canonical_path_has_a_dot_segment_a_backslash_or_a_control_character(
        raw in "/\\PC{0,40}|/([a-z.%0-9A-F/]){0,40}", mode in any_mode()
    ) {
        if let Ok(path) = CanonicalPath::parse(&raw, mode) {
            for segment in path.segments() {
                prop_assert!(!matches!(segment.as_str(), "." | ".."));
                prop_assert!(!segment.contains(['/', '\\']));
                prop_assert!(!segment.chars().any(|character| character.is_ascii_control()));
            }
        }
    }
}
