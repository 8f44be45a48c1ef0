//! OpenID Connect Discovery 1.0 section 4: from an issuer to the URL of its keys.
//!
//! The document is believed about one thing only, `jwks_uri`, and only where it names the very
//! issuer that was configured and a host that is allowed (CVE-2026-49478: a discovery document that
//! leads elsewhere replaces the keys).

use edgeward_core::json::{self, JsonError};
use edgeward_core::token::Issuer;
use serde_json::Value;
use thiserror::Error;

use crate::fetch::{Plaintext, SourceUrl, SourceUrlError};

/// Why a discovery document does not lead to keys.
#[derive(Debug, Error)]
pub enum DiscoveryError {
    /// Not strict JSON.
    #[error("discovery document: {0}")]
    Json(#[from] JsonError),
    /// A member is missing or not a string.
    #[error("discovery document: `{0}` is missing or not a string")]
    Member(&'static str),
    /// It is some other issuer's.
    #[error("discovery document names issuer `{found}`, not `{configured}`")]
    OtherIssuer {
        /// As the document has it.
        found: String,
        /// As it must be, byte for byte.
        configured: Issuer,
    },
    /// `jwks_uri` is not a URL that keys may come from.
    #[error("discovery document: `jwks_uri`: {0}")]
    JwksUri(#[from] SourceUrlError),
    /// `jwks_uri` is on a host that nobody allowed.
    #[error(
        "discovery document: `jwks_uri` is on `{0}`: list that host in `jwks_hosts` if it is meant"
    )]
    JwksHost(String),
}

/// Where the issuer's discovery document is (section 4.1: a slash at the end is dropped first).
pub(super) fn configuration_url(
    issuer: &Issuer,
    plaintext: Plaintext,
) -> Result<SourceUrl, SourceUrlError> {
    let base = issuer.as_str().strip_suffix('/').unwrap_or(issuer.as_str());
    let url = SourceUrl::parse(issuer.as_str(), plaintext)?;
    if url.as_url().query().is_some() {
        return Err(SourceUrlError::Query(issuer.to_string()));
    }
    SourceUrl::parse(
        &format!("{base}/.well-known/openid-configuration"),
        plaintext,
    )
}

/// Where the keys are, as the discovery document fetched from `at` says.
pub(super) fn jwks_url(
    document: &[u8],
    issuer: &Issuer,
    at: &SourceUrl,
    jwks_hosts: &[String],
    plaintext: Plaintext,
) -> Result<SourceUrl, DiscoveryError> {
    let members = json::parse_object(document)?;
    let text = |name: &'static str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .ok_or(DiscoveryError::Member(name))
    };
    let found = text("issuer")?;
    if found != issuer.as_str() {
        let found = found.chars().take(200).collect();
        return Err(DiscoveryError::OtherIssuer {
            found,
            configured: issuer.clone(),
        });
    }
    let url = SourceUrl::parse(text("jwks_uri")?, plaintext)?;
    let listed = jwks_hosts.iter().any(|host| host == url.authority());
    if !url.same_origin(at) && !listed {
        return Err(DiscoveryError::JwksHost(url.authority().to_owned()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(issuer: &str, document: &str, hosts: &[&str]) -> Result<String, DiscoveryError> {
        let issuer: Issuer = issuer.parse().unwrap();
        let at = configuration_url(&issuer, Plaintext::Refused).unwrap();
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        jwks_url(
            document.as_bytes(),
            &issuer,
            &at,
            &hosts,
            Plaintext::Refused,
        )
        .map(|url| url.to_string())
    }

    #[test]
    fn the_document_is_under_the_issuers_path() {
        for (issuer, url) in [
            (
                "https://i.test",
                "https://i.test/.well-known/openid-configuration",
            ),
            (
                "https://i.test/",
                "https://i.test/.well-known/openid-configuration",
            ),
            (
                "https://i.test/a/b",
                "https://i.test/a/b/.well-known/openid-configuration",
            ),
        ] {
            let found = configuration_url(&issuer.parse().unwrap(), Plaintext::Refused).unwrap();
            assert_eq!(found.as_str(), url);
        }
        for issuer in [
            "http://i.test",
            "kubernetes/serviceaccount",
            "https://i.test?x=1",
        ] {
            let refused = configuration_url(&issuer.parse().unwrap(), Plaintext::Refused);
            assert!(refused.is_err(), "{issuer}");
        }
    }

    #[test]
    fn keys_are_only_taken_from_the_issuers_host_or_a_listed_one() {
        let document = |uri: &str| format!(r#"{{"issuer":"https://i.test","jwks_uri":"{uri}"}}"#);
        let to = |uri: &str, hosts: &[&str]| led("https://i.test", &document(uri), hosts);
        assert_eq!(to("https://i.test/k", &[]).unwrap(), "https://i.test/k");
        assert_eq!(
            to("https://k.test/k", &["k.test"]).unwrap(),
            "https://k.test/k"
        );
        assert!(to("https://k.test/k", &[]).is_err());
        assert!(to("https://k.test:444/k", &["k.test"]).is_err());
        assert!(to("https://x.k.test/k", &["k.test"]).is_err());
        assert!(to("https://i.test:444/k", &[]).is_err());
        assert!(to("https://i.test@k.test/k", &[]).is_err());
        assert!(to("http://i.test/k", &["i.test"]).is_err());
        assert!(to("file:///etc/passwd", &[]).is_err());
    }

    #[test]
    fn the_document_must_name_the_very_issuer() {
        for found in [
            r#""https://i.test/""#,
            r#""https://I.test""#,
            r#""https://evil.test""#,
            r#"["https://i.test"]"#,
            "null",
        ] {
            let document = format!(r#"{{"issuer":{found},"jwks_uri":"https://i.test/k"}}"#);
            assert!(led("https://i.test", &document, &[]).is_err(), "{found}");
        }
        let twice = r#"{"issuer":"https://i.test","issuer":"https://i.test","jwks_uri":"https://i.test/k"}"#;
        assert!(led("https://i.test", twice, &[]).is_err());
        assert!(led("https://i.test", r#"{"issuer":"https://i.test"}"#, &[]).is_err());
    }
}
