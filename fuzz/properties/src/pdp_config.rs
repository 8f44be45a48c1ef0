//! The PDP's configuration: wholly right, or refused with every problem named.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use edgeward::config::{Config, Environment, Listener, Policies};
use edgeward::fetch::SourceUrl;
use edgeward::keys::{BundleSource, IssuerSource};
use edgeward_core::jose::Algorithm;
use edgeward_core::token::TokenRules;

use crate::Verdict;

/// What is accepted is within bounds and believes nobody without an audience; one word more that
/// nobody knows, and it is refused; a refusal says what is wrong, and on which line of the file.
pub fn pdp_config(data: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(data) else {
        return Verdict::Refused;
    };
    let parse = |text: &str| Config::parse(text, Path::new("/etc/edgeward"));
    let config = match parse(text) {
        Ok(config) => config,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                assert!(!problem.message.is_empty());
                // The parser counts every line break of YAML, and the end of the text.
                let lines = text
                    .split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
                    .count();
                let line = problem.line.and_then(|line| usize::try_from(line).ok());
                assert!(
                    line.is_none_or(|line| (1..=lines + 1).contains(&line)),
                    "{problem}"
                );
            }
            return Verdict::Refused;
        }
    };
    is_within_bounds(&config);
    believes_nobody_without_reason(&config);
    let again = parse(text).map(|again| format!("{again:?}"));
    assert_eq!(again.ok(), Some(format!("{config:?}")));
    assert!(parse(&format!("{text}\nx-unknown: 1\n")).is_err());
    Verdict::Accepted
}

fn is_within_bounds(config: &Config) {
    let Config {
        policies, limits, ..
    } = config;
    let within = |duration: Duration, bounds: RangeInclusive<u64>| {
        u64::try_from(duration.as_millis()).is_ok_and(|millis| bounds.contains(&millis))
    };
    assert!(!config.listeners.is_empty() && (1..=1024).contains(&config.workers.get()));
    assert!(within(policies.evaluation_timeout, 1..=10_000));
    assert!(
        Policies::is_entrypoint(&policies.entrypoint),
        "{}",
        policies.entrypoint
    );
    assert!((1024..=64 * 1024 * 1024).contains(&limits.body));
    assert!(within(config.sync_max_wait, 100..=300_000));
    assert!(within(config.keys.cache.max_age, 60_000..=30 * 86_400_000));
    if let Some(url) = &config.public_url {
        assert!(url.starts_with("https://") && !url.ends_with('/'), "{url}");
        assert!(!url.contains(['?', '#', '@', ' ']), "{url}");
    }
    for (at, listener) in config.listeners.iter().enumerate() {
        let others = config.listeners.iter().skip(at + 1);
        for other in others {
            assert_ne!(listener, other);
        }
        if let Listener::Unix { path, mode } = listener {
            assert!(path.is_absolute() && *mode <= 0o777);
        }
    }
}

fn believes_nobody_without_reason(config: &Config) {
    let rules = |rules: &TokenRules| {
        assert!(!Vec::from(rules.audiences.clone()).is_empty() && !rules.algorithms.is_empty());
        assert!(rules.leeway <= 300 && rules.max_lifetime > 0);
    };
    let encrypted = |url: &SourceUrl| {
        let relaxed = config.environment == Environment::Development;
        assert!(url.is_https() || relaxed, "{url:?}");
    };
    let mut names = BTreeSet::new();
    for issuer in &config.keys.issuers {
        assert!(names.insert(issuer.issuer.as_str()), "{names:?}");
        rules(&issuer.rules);
        if let IssuerSource::JwksUrl { url, .. } = &issuer.source {
            encrypted(url);
        }
    }
    let mut names = BTreeSet::new();
    for domain in &config.keys.trust_domains {
        assert!(names.insert(domain.name.as_str()), "{names:?}");
        rules(&domain.rules);
        assert!(!domain.rules.algorithms.contains(&Algorithm::EdDsa));
        match &domain.source {
            BundleSource::HttpsWeb { url, .. } => encrypted(url),
            BundleSource::HttpsSpiffe { url, .. } => assert!(url.is_https()),
            _ => {}
        }
    }
}
