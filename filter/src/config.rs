//! The plugin configuration: what was written ([`RawConfig`]) and what holds ([`Config`]).
//!
//! Nothing after start-up sees a raw value. A configuration that is not wholly right is refused,
//! and Envoy then refuses the plugin: nothing partial is ever applied.

use std::time::Duration;

use edgeward_core::headers;
use edgeward_core::request::PathNormalization;
use edgeward_core::spiffe::SpiffeId;
use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;

use crate::routes::{RawRoute, RouteError, Routes};

const DEFAULT_PDP_TIMEOUT: Duration = Duration::from_millis(500);
const DEFAULT_MAX_STALENESS: Duration = Duration::from_secs(30);

/// Why a plugin configuration is refused. The message names the field and the fix.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Not JSON, a wrong type, or an unknown field.
    #[error("plugin configuration: {0}")]
    Shape(#[from] serde_path_to_error::Error<serde_json::Error>),
    /// A duration that is not text with a unit, or out of range.
    #[error(
        "plugin configuration: {field}: `{text}` is not a duration from {least} to {most}, such as `500ms`"
    )]
    Duration {
        /// The field.
        field: &'static str,
        /// What was written.
        text: String,
        /// The shortest allowed.
        least: &'static str,
        /// The longest allowed.
        most: &'static str,
    },
    /// No cluster to ask.
    #[error("plugin configuration: pdp.cluster: must name the Envoy cluster of the PDP")]
    NoCluster,
    /// A header name that cannot be read or set.
    #[error("plugin configuration: {field}: `{name}` is not a header name in lower case")]
    HeaderName {
        /// The field.
        field: &'static str,
        /// What was written.
        name: String,
    },
    /// A trusted hop that is neither a network nor a SPIFFE ID, or both.
    #[error("plugin configuration: peer.trusted_hops[{0}]: give either `network` or `spiffe_id`")]
    TrustedHop(usize),
    /// A route.
    #[error("plugin configuration: routes[{index}]: {error}")]
    Route {
        /// Its place in the list.
        index: usize,
        /// What is wrong with it.
        error: RouteError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    pdp: RawPdp,
    #[serde(default)]
    sync: RawSync,
    #[serde(default)]
    path: PathNormalization,
    #[serde(default)]
    token: RawToken,
    #[serde(default)]
    peer: RawPeer,
    #[serde(default)]
    allowed_request_headers: Vec<String>,
    #[serde(default)]
    routes: Vec<RawRoute>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPdp {
    cluster: String,
    authority: Option<String>,
    timeout: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawSync {
    max_staleness: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawToken {
    header: Option<String>,
    forward: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawPeer {
    trusted_hops: Vec<RawTrustedHop>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrustedHop {
    network: Option<IpNet>,
    spiffe_id: Option<SpiffeId>,
}

/// A proxy whose word on its own client's certificate is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedHop {
    /// Every proxy that connects from this network.
    Network(IpNet),
    /// The proxy with this X.509-SVID.
    Workload(SpiffeId),
}

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
    /// How paths are brought into their one form.
    pub normalization: PathNormalization,
    /// The header that carries the token, in lower case.
    pub token_header: String,
    /// Whether a verified token goes on to the upstream. Off by default: a token that is passed
    /// through can be replayed by whoever receives it.
    pub forward_token: bool,
    /// Proxies in front of this one whose XFCC is believed.
    pub trusted_hops: Vec<TrustedHop>,
    /// Headers that obligations may set beside `x-edgeward-*`: removed from every client request.
    pub allowed_request_headers: Vec<String>,
    /// Settings by route.
    pub routes: Routes,
}

impl Config {
    /// Reads the JSON text of the plugin configuration.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let raw: RawConfig = serde_path_to_error::deserialize(&mut deserializer)?;
        deserializer.end().map_err(trailing)?;
        Self::try_from(raw)
    }

    /// Whether obligations may set the request header `name`.
    pub fn may_set_on_request(&self, name: &str) -> bool {
        name.starts_with(headers::PREFIX)
            || self
                .allowed_request_headers
                .iter()
                .any(|allowed| allowed == name)
    }
}

/// The same error type for text behind the end of the JSON.
fn trailing(error: serde_json::Error) -> serde_path_to_error::Error<serde_json::Error> {
    serde_path_to_error::Error::new(serde_path_to_error::Track::new().path(), error)
}

impl TryFrom<RawConfig> for Config {
    type Error = ConfigError;

    fn try_from(raw: RawConfig) -> Result<Self, ConfigError> {
        if raw.pdp.cluster.is_empty() {
            return Err(ConfigError::NoCluster);
        }
        let token_header = raw
            .token
            .header
            .unwrap_or_else(|| "authorization".to_owned());
        check_header("token.header", &token_header)?;
        for name in &raw.allowed_request_headers {
            check_header("allowed_request_headers", name)?;
        }
        Ok(Self {
            authority: raw.pdp.authority.unwrap_or_else(|| raw.pdp.cluster.clone()),
            cluster: raw.pdp.cluster,
            pdp_timeout: duration("pdp.timeout", raw.pdp.timeout, DEFAULT_PDP_TIMEOUT)?,
            max_staleness: duration(
                "sync.max_staleness",
                raw.sync.max_staleness,
                DEFAULT_MAX_STALENESS,
            )?,
            normalization: raw.path,
            token_header,
            forward_token: raw.token.forward,
            trusted_hops: trusted_hops(raw.peer.trusted_hops)?,
            allowed_request_headers: raw.allowed_request_headers,
            routes: Routes::try_from(raw.routes)
                .map_err(|(index, error)| ConfigError::Route { index, error })?,
        })
    }
}

fn trusted_hops(raw: Vec<RawTrustedHop>) -> Result<Vec<TrustedHop>, ConfigError> {
    raw.into_iter()
        .enumerate()
        .map(|(index, hop)| match (hop.network, hop.spiffe_id) {
            (Some(network), None) => Ok(TrustedHop::Network(network)),
            (None, Some(id)) => Ok(TrustedHop::Workload(id)),
            _ => Err(ConfigError::TrustedHop(index)),
        })
        .collect()
}

fn check_header(field: &'static str, name: &str) -> Result<(), ConfigError> {
    if headers::may_be_set(name) && headers::normalize(name) == name {
        return Ok(());
    }
    Err(ConfigError::HeaderName {
        field,
        name: name.to_owned(),
    })
}

/// Zero is refused: to Envoy, a timeout of zero is none at all.
fn duration(
    field: &'static str,
    text: Option<String>,
    default: Duration,
) -> Result<Duration, ConfigError> {
    const LEAST: Duration = Duration::from_millis(1);
    const MOST: Duration = Duration::from_hours(24);
    let Some(text) = text else { return Ok(default) };
    match humantime::parse_duration(&text) {
        Ok(duration) if (LEAST..=MOST).contains(&duration) => Ok(duration),
        _ => Err(ConfigError::Duration {
            field,
            text,
            least: "1ms",
            most: "24h",
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wrong_configuration_is_refused_by_field_and_fix() {
        for (json, want) in [
            ("", "EOF"),
            ("{}", "missing field `pdp`"),
            (r#"{"pdp":{}}"#, "missing field `cluster`"),
            (r#"{"pdp":{"cluster":""}}"#, "pdp.cluster: must name"),
            (
                r#"{"pdp":{"cluster":"p","port":1}}"#,
                "unknown field `port`",
            ),
            (
                r#"{"pdp":{"cluster":"p","timeout":5}}"#,
                "pdp.timeout: invalid type",
            ),
            (
                r#"{"pdp":{"cluster":"p","timeout":"0s"}}"#,
                "pdp.timeout: `0s` is not a duration",
            ),
            (r#"{"pdp":{"cluster":"p"}} x"#, "trailing characters"),
            (
                r#"{"pdp":{"cluster":"p"},"path":"lax"}"#,
                "path: unknown variant `lax`",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"token":{"header":"X-A"}}"#,
                "token.header: `X-A`",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"peer":{"trusted_hops":[{}]}}"#,
                "trusted_hops[0]: give",
            ),
            (
                r#"{"pdp":{"cluster":"p"},"routes":[{"path":"a"}]}"#,
                "routes[0]: path: must begin with a slash",
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
