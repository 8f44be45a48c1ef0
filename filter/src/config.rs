//! The plugin configuration: read from JSON, checked, and from then on only what holds.
//!
//! Nothing after start-up sees a raw value. A configuration that is not wholly right is refused,
//! and Envoy then refuses the plugin: nothing partial is ever applied.

use std::str::FromStr;
use std::time::Duration;

use edgeward_core::headers;
use edgeward_core::members::{MemberError, Members, read_each};
use edgeward_core::peer::TrustedHop;
use edgeward_core::request::PathNormalization;
use edgeward_core::spiffe::SpiffeId;
use ipnet::IpNet;
use thiserror::Error;

use crate::caching::CacheSettings;
use crate::routes::Routes;

const DEFAULT_PDP_TIMEOUT: Duration = Duration::from_millis(500);
const DEFAULT_MAX_STALENESS: Duration = Duration::from_secs(30);

/// Why a plugin configuration is refused: names the field and the fix.
#[derive(Debug, Error)]
#[error("plugin configuration: {0}")]
pub struct ConfigError(#[from] MemberError);

/// What holds, for every request of this plugin.
#[derive(Debug)]
pub struct Config {
    /// The Envoy cluster of the PDP.
    pub cluster: String,
    /// The `:authority` of calls to the PDP.
    pub authority: String,
    /// How long a decision may take; then the posture decides.
    pub pdp_timeout: Duration,
    /// How old the sync feed may be before nothing is believed any more.
    pub max_staleness: Duration,
    /// What holds for remembered decisions.
    pub cache: CacheSettings,
    /// How paths are brought into their one form.
    pub normalization: PathNormalization,
    /// The header that carries the token, in lower case.
    pub token_header: String,
    /// Whether a verified token goes on to the upstream. Off by default: a token that is passed
    /// through can be replayed by whoever receives it.
    pub forward_token: bool,
    /// Proxies in front of this one whose XFCC is believed.
    pub trusted_hops: Vec<TrustedHop>,
    /// Headers that obligations may set beside `x-edgeward-*`.
    pub allowed_request_headers: Vec<String>,
    /// Headers removed from every client request, in every spelling: those above, and what is
    /// nearly the token header, which itself is looked at before this list.
    pub stripped_request_headers: Vec<String>,
    /// Settings by route.
    pub routes: Routes,
}

impl Config {
    /// Reads the JSON text of the plugin configuration.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut members = Members::parse(json, "text")?;
        let config = Self::read(&mut members)?;
        members.finish()?;
        Ok(config)
    }

    /// Whether obligations may set the request header `name`.
    pub fn may_set_on_request(&self, name: &str) -> bool {
        headers::may_be_obliged(name, &self.allowed_request_headers)
    }

    fn read(members: &mut Members) -> Result<Self, MemberError> {
        let mut pdp = members.object("pdp")?;
        let cluster = pdp.required_text("cluster")?;
        let authority = pdp.text("authority")?.unwrap_or_else(|| cluster.clone());
        let pdp_timeout = duration(&mut pdp, "timeout", DEFAULT_PDP_TIMEOUT)?;
        pdp.finish()?;

        let mut sync = members.object("sync")?;
        let max_staleness = duration(&mut sync, "max_staleness", DEFAULT_MAX_STALENESS)?;
        sync.finish()?;

        let mut token = members.object("token")?;
        let token_header: Option<HeaderName> = token.parsed("header")?;
        let token_header = token_header.map_or_else(|| "authorization".to_owned(), |name| name.0);
        let forward_token = token.flag("forward")?;
        token.finish()?;

        let mut peer = members.object("peer")?;
        let trusted_hops = peer.objects("trusted_hops")?;
        peer.finish()?;

        let allowed: Option<Vec<HeaderName>> = members.list("allowed_request_headers")?;
        let allowed: Vec<String> = allowed
            .unwrap_or_default()
            .into_iter()
            .map(|name| name.0)
            .collect();
        let mut stripped = allowed.clone();
        stripped.push(token_header.clone());
        Ok(Self {
            cluster,
            authority,
            pdp_timeout,
            max_staleness,
            cache: CacheSettings::read(members.object("cache")?)?,
            normalization: members.parsed("path")?.unwrap_or_default(),
            token_header,
            forward_token,
            trusted_hops: read_each(trusted_hops, trusted_hop)?,
            allowed_request_headers: allowed,
            stripped_request_headers: stripped,
            routes: Routes::read(members.objects("routes")?)?,
        })
    }
}

fn trusted_hop(mut members: Members) -> Result<TrustedHop, MemberError> {
    let network: Option<IpNet> = members.parsed("network")?;
    let workload: Option<SpiffeId> = members.parsed("spiffe_id")?;
    let hop = match (network, workload) {
        (Some(network), None) => TrustedHop::Network(network),
        (None, Some(id)) => TrustedHop::Workload(id),
        _ => return Err(members.error("network", "give either `network` or `spiffe_id`")),
    };
    members.finish()?;
    Ok(hop)
}

/// A header name that can be read and set: lower case, dashes, and none that Edgeward sets itself.
struct HeaderName(String);

impl FromStr for HeaderName {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, &'static str> {
        if headers::may_be_configured(name) {
            return Ok(Self(name.to_owned()));
        }
        Err(headers::NOT_CONFIGURABLE)
    }
}

/// A duration, or `default`. Zero is refused: to Envoy, a timeout of zero is none at all.
pub(crate) fn duration(
    members: &mut Members,
    name: &str,
    default: Duration,
) -> Result<Duration, MemberError> {
    const LEAST: Duration = Duration::from_millis(1);
    const MOST: Duration = Duration::from_hours(24);
    let Some(text) = members.text(name)? else {
        return Ok(default);
    };
    match parse_duration(&text) {
        Some(duration) if (LEAST..=MOST).contains(&duration) => Ok(duration),
        _ => Err(members.error(name, "must be a duration from 1ms to 24h, such as `500ms`")),
    }
}

/// A whole number and its unit: `500ms`, `2s`, `5m`, `1h`.
fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|digit: char| !digit.is_ascii_digit())?);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(
        number.parse::<u64>().ok()?.checked_mul(milliseconds)?,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wrong_configuration_is_refused_by_field_and_fix() {
        for (json, want) in [
            ("", "text: not acceptable JSON: EOF"),
            ("{}", "pdp.cluster: must be given"),
            (r#"{"pdp":{"cluster":""}}"#, "pdp.cluster: must be given"),
            (
                r#"{"pdp":{"cluster":"p","port":1}}"#,
                "pdp.port: is not known here",
            ),
            (
                r#"{"pdp":{"cluster":"p","timeout":5}}"#,
                "pdp.timeout: must be text",
            ),
            (
                r#"{"pdp":{"cluster":"p","timeout":"0s"}}"#,
                "pdp.timeout: must be a duration",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"cache":{"max_bytes":268435457}}"#,
                "cache.max_bytes: must be at most",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"cache":{"max_staleness":"0s"}}"#,
                "cache.max_staleness: must be a duration",
            ),
            (r#"{"pdp":{"cluster":"p"}} x"#, "trailing characters"),
            (
                r#"{"pdp":{"cluster":"p"},"path":"lax"}"#,
                "path: must be `strict`",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"token":{"header":"X-A"}}"#,
                "token.header: must be a",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"token":{"header":"x_token"}}"#,
                "token.header: must be a",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"token":{"header":"x-edgeward-subject"}}"#,
                "token.header: must be a",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"allowed_request_headers":["x-forwarded-client-cert"]}"#,
                "allowed_request_headers[0]: must be a",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"peer":{"trusted_hops":[{}]}}"#,
                "peer.trusted_hops[0].network: give either",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"routes":[{"path":"a"}]}"#,
                "routes[0].path: must begin with a slash",
            ),
        ] {
            let error = Config::parse(json.as_bytes()).expect_err(json).to_string();
            assert!(error.contains(want), "{json}: {error}");
        }
    }

    #[test]
    fn the_smallest_configuration_decides_everything_and_passes_no_token_on() {
        let config = Config::parse(br#"{"pdp":{"cluster":"pdp"}}"#).unwrap();
        assert_eq!(config.token_header, "authorization");
        assert!(!config.forward_token);
        assert_eq!(config.normalization, PathNormalization::Strict);
        assert!(config.may_set_on_request("x-edgeward-tier"));
        assert!(!config.may_set_on_request("x-tier"));
    }

    proptest! {
        #[test]
        fn random_text_never_panics(json in "\\PC{0,80}") {
            let _ = Config::parse(json.as_bytes());
        }
    }
}
