//! The request line and header names: one reading, for us and for whoever is behind us.

use edgeward_core::headers::{self, HeaderFate};
use edgeward_core::request::{
    Authority, CanonicalPath, CanonicalQuery, CanonicalRequest, MAX_TARGET_BYTES, PathNormalization,
};

use crate::Verdict;

const MODES: [PathNormalization; 4] = [
    PathNormalization::Strict,
    PathNormalization::Base,
    PathNormalization::MergeSlashes,
    PathNormalization::DecodeAndMergeSlashes,
];

/// In every mode the canonical target is a fixed point and has no dot segment, also decoded; what
/// `strict` accepts, every mode reads alike.
pub fn canonical_request(data: &[u8]) -> Verdict {
    let Ok(target) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    let read = |target: &str, mode| CanonicalRequest::parse("GET", "example.org", target, mode);
    let mut verdict = Verdict::Refused;
    for mode in MODES {
        let Ok(request) = read(target, mode) else {
            continue;
        };
        verdict = Verdict::Accepted;
        let canonical = request.target();
        assert!(request.is_target(&canonical));
        assert!(canonical.len() <= MAX_TARGET_BYTES);
        assert_eq!(read(&canonical, mode).as_ref(), Ok(&request), "{mode:?}");
        let raw_query = target.split_once('?').map(|(_, query)| query);
        assert_eq!(
            request.query.as_ref().map(CanonicalQuery::as_str),
            raw_query
        );
        has_one_reading(&request.path, mode);
        if mode == PathNormalization::Strict {
            for other in MODES {
                assert_eq!(read(target, other).as_ref(), Ok(&request), "{other:?}");
            }
        }
    }
    verdict
}

fn has_one_reading(path: &CanonicalPath, mode: PathNormalization) {
    let text = path.as_str();
    assert!(text.starts_with('/') && !text.contains(['#', '\\', '?']));
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    let lower = text.to_ascii_lowercase();
    assert!(
        !["%2f", "%5c", "%2e", "%00"]
            .iter()
            .any(|code| lower.contains(code))
    );
    assert_eq!(path.segments().len(), text.matches('/').count());
    for segment in path.segments() {
        let name = segment.split(';').next().unwrap_or_default();
        assert!(!matches!(name, "." | ".."), "{mode:?}: {text}");
        assert!(
            !segment.contains(['/', '\\']) && !segment.contains(|c: char| c.is_ascii_control())
        );
    }
    if mode != PathNormalization::Base {
        let strict = CanonicalPath::parse(text, PathNormalization::Strict);
        assert_eq!(strict.as_ref(), Ok(path), "{mode:?}");
    }
}

/// A host has one spelling: lower case, no trailing dot, and its own reading.
pub fn authority(data: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    let Ok(authority) = Authority::parse(text) else {
        return Verdict::Refused;
    };
    let canonical = authority.as_str();
    assert_eq!(Authority::parse(canonical).as_ref(), Ok(&authority));
    assert_eq!(
        Authority::parse(&text.to_ascii_uppercase()).as_ref(),
        Ok(&authority)
    );
    let host = authority.host();
    assert!(!host.is_empty() && !host.ends_with('.'), "{canonical}");
    assert!(!host.contains(|c: char| c.is_ascii_uppercase() || !c.is_ascii_graphic()));
    assert!(
        !host.contains(['@', '/', '\\', '?', '#', '%', ',']),
        "{canonical}"
    );
    let port = authority.port().map(|port| format!(":{port}"));
    assert_eq!(format!("{host}{}", port.unwrap_or_default()), canonical);
    Verdict::Accepted
}

/// Spelling never lets a header through: case and `-` or `_` can only make its fate worse.
pub fn header_names(data: &[u8]) -> Verdict {
    let Ok(name) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    let configured = ["x-tenant".to_owned()];
    let normal = headers::normalize(name);
    assert_eq!(headers::normalize(&normal), normal);
    let intended = headers::fate(&normal, &configured);
    for spelling in spellings(name) {
        let fate = headers::fate(&spelling, &configured);
        let worse = intended == HeaderFate::Hide && fate == HeaderFate::Strip;
        assert!(
            fate == intended || worse,
            "{spelling}: {fate:?}, not {intended:?}"
        );
    }
    if normal.starts_with(headers::PREFIX) || normal == headers::FORWARDED_CLIENT_CERT {
        assert_eq!(intended, HeaderFate::Strip);
    }
    if headers::may_be_set(name) {
        assert_eq!(name, name.to_ascii_lowercase());
        assert!(!name.contains([':', ' ', '\r', '\n']));
    }
    if intended == HeaderFate::Pass {
        Verdict::Accepted
    } else {
        Verdict::Refused
    }
}

fn spellings(name: &str) -> [String; 6] {
    let every_other = |(at, letter): (usize, char)| match letter {
        '-' if at % 2 == 0 => '_',
        _ if at % 2 == 0 => letter.to_ascii_uppercase(),
        _ => letter,
    };
    [
        name.to_owned(),
        name.to_ascii_uppercase(),
        name.to_ascii_lowercase(),
        name.replace('-', "_"),
        name.replace('_', "-"),
        name.chars().enumerate().map(every_other).collect(),
    ]
}
