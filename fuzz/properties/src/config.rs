//! The filter's configuration: wholly right, or refused.

use std::time::Duration;

use edgeward_core::headers::{self, HeaderFate};
use edgeward_core::json;
use edgeward_core::members::Members;
use edgeward_core::request::{CanonicalRequest, PathNormalization};
use edgeward_filter::config::Config;
use serde_json::Value;

use crate::Verdict;

/// What is accepted is within bounds and means the same in any order; one word more that nobody
/// knows, and it is refused; an error always names a place.
pub fn filter_config(data: &[u8]) -> Verdict {
    let config = match Config::parse(data) {
        Ok(config) => config,
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("plugin configuration: "), "{text}");
            return Verdict::Refused;
        }
    };
    is_within_bounds(&config);
    let strict = json::parse_object(data);
    assert!(strict.is_ok(), "accepted, but not strict JSON");
    let mut members = strict.unwrap_or_default();
    let again = serde_json::to_vec(&members).unwrap_or_default();
    let again = Config::parse(&again).map(|again| format!("{again:?}"));
    assert_eq!(again.ok(), Some(format!("{config:?}")));
    members.insert("x-unknown".to_owned(), Value::Null);
    let more = serde_json::to_vec(&members).unwrap_or_default();
    assert!(Members::parse(&more, "text").is_ok() && Config::parse(&more).is_err());
    Verdict::Accepted
}

fn is_within_bounds(config: &Config) {
    let bounds = Duration::from_millis(1)..=Duration::from_hours(24);
    assert!(bounds.contains(&config.pdp_timeout) && bounds.contains(&config.max_staleness));
    assert!(!config.cluster.is_empty());
    let names = &config.allowed_request_headers;
    for name in names.iter().chain([&config.token_header]) {
        assert!(headers::may_be_set(name) && headers::normalize(name) == *name);
        assert!(!headers::is_edgewards(name));
        let stripped = &config.stripped_request_headers;
        let respelt = name.replace('-', "_");
        assert_eq!(headers::fate(&respelt, stripped), HeaderFate::Strip);
    }
    for name in ["x-forwarded-for", "x-tenant", ":path", ""] {
        let listed = names.iter().any(|listed| listed == name);
        assert_eq!(config.may_set_on_request(name), listed);
    }
    for target in ["/", "/a/b", "/healthz"] {
        let strict = PathNormalization::Strict;
        if let Ok(request) = CanonicalRequest::parse("GET", "shop.example.org", target, strict) {
            let settings = config.routes.settings(&request);
            assert_eq!(settings, config.routes.settings(&request));
        }
    }
}
