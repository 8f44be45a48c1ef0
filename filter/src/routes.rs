//! Route settings: which requests are decided, which only identified, and what happens when the PDP
//! does not answer.
//!
//! Matchers stand in the plugin configuration and not in Envoy's per-route configuration, because
//! that is the one place that works in Envoy and in Istio's `WasmPlugin` alike. The first match
//! holds; what nothing matches is decided, and nobody is anonymous there.

use edgeward_core::request::{Authority, CanonicalPath};
use edgeward_core::request::{CanonicalRequest, PathNormalization};
use serde::Deserialize;
use thiserror::Error;

/// How far a request is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Only canonicalised and stripped.
    Off,
    /// The workload is verified; the PDP is not asked.
    Identity,
    /// The PDP decides.
    #[default]
    Decide,
}

/// What happens to a request whose PDP does not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Posture {
    /// It is refused (503).
    #[default]
    Deny,
    /// A verified workload passes as if the route's mode were `identity`; the decision id says so.
    Identity,
}

/// The posture by cause. A PDP that answers nonsense is no cause: that is always a refusal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Postures {
    /// The PDP cannot be reached, is overloaded or not ready.
    pub pdp_unavailable: Posture,
    /// The PDP did not answer in time.
    pub pdp_timeout: Posture,
}

/// What holds on one route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RouteSettings {
    /// How far its requests are looked at.
    pub mode: Mode,
    /// Whether a request without any credential may go on to be decided. A bad credential never
    /// counts as none.
    pub anonymous: bool,
    /// What happens when the PDP does not answer.
    pub posture: Postures,
}

/// Why a route is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// `path` and `path_prefix` both.
    #[error("give either `path` or `path_prefix`")]
    BothPaths,
    /// A path that could never match, since no canonical path looks like it.
    #[error(
        "{field}: must begin with a slash and be canonical (no dot or empty segments, no needless percent-encoding)"
    )]
    Path {
        /// `path` or `path_prefix`.
        field: &'static str,
    },
    /// A host that could never match.
    #[error("host: `{0}` is not a host in lower case, nor `*.` and one")]
    Host(String),
    /// Settings that have no effect in this mode.
    #[error("{0}")]
    NoEffect(&'static str),
}

/// A route as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRoute {
    host: Option<String>,
    path: Option<String>,
    path_prefix: Option<String>,
    methods: Option<Vec<String>>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    anonymous: bool,
    posture: Option<Postures>,
}

#[derive(Debug)]
enum HostMatch {
    Any,
    Exact(String),
    /// `*.example.org` as `.example.org`.
    Below(String),
}

#[derive(Debug)]
enum PathMatch {
    Any,
    Exact(String),
    /// Whole segments: `/a` is a prefix of `/a` and `/a/b`, never of `/ab`.
    Prefix(String),
}

#[derive(Debug)]
struct Route {
    host: HostMatch,
    path: PathMatch,
    methods: Option<Vec<String>>,
    settings: RouteSettings,
}

/// All routes, in the order written.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// The settings for a request.
    pub fn settings(&self, request: &CanonicalRequest) -> RouteSettings {
        self.0
            .iter()
            .find(|route| route.matches(request))
            .map_or_else(RouteSettings::default, |route| route.settings)
    }
}

impl TryFrom<Vec<RawRoute>> for Routes {
    type Error = (usize, RouteError);

    fn try_from(raw: Vec<RawRoute>) -> Result<Self, (usize, RouteError)> {
        raw.into_iter()
            .enumerate()
            .map(|(index, route)| Route::try_from(route).map_err(|error| (index, error)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Route {
    fn matches(&self, request: &CanonicalRequest) -> bool {
        let host = request.authority.host();
        let path = request.path.as_str();
        let host_matches = match &self.host {
            HostMatch::Any => true,
            HostMatch::Exact(exact) => host == exact,
            HostMatch::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        };
        let path_matches = match &self.path {
            PathMatch::Any => true,
            PathMatch::Exact(exact) => path == exact,
            PathMatch::Prefix(prefix) => {
                let rest = path.strip_prefix(prefix.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        };
        let method = request.method.as_str();
        let listed = |methods: &Vec<String>| methods.iter().any(|listed| listed == method);
        host_matches && path_matches && self.methods.as_ref().is_none_or(listed)
    }
}

impl TryFrom<RawRoute> for Route {
    type Error = RouteError;

    fn try_from(raw: RawRoute) -> Result<Self, RouteError> {
        let path = match (raw.path, raw.path_prefix) {
            (Some(_), Some(_)) => return Err(RouteError::BothPaths),
            (Some(path), None) => PathMatch::Exact(canonical("path", &path)?),
            (None, Some(prefix)) => prefix_match(&prefix)?,
            (None, None) => PathMatch::Any,
        };
        if raw.mode == Mode::Off && raw.anonymous {
            return Err(RouteError::NoEffect(
                "anonymous: has no effect where mode is `off`",
            ));
        }
        if raw.mode != Mode::Decide && raw.posture.is_some() {
            return Err(RouteError::NoEffect(
                "posture: has effect only where mode is `decide`",
            ));
        }
        Ok(Self {
            host: raw
                .host
                .map_or(Ok(HostMatch::Any), |host| host_match(&host))?,
            path,
            methods: raw.methods,
            settings: RouteSettings {
                mode: raw.mode,
                anonymous: raw.anonymous,
                posture: raw.posture.unwrap_or_default(),
            },
        })
    }
}

fn prefix_match(prefix: &str) -> Result<PathMatch, RouteError> {
    let prefix = canonical("path_prefix", prefix)?;
    let whole_segments = prefix.strip_suffix('/').unwrap_or(&prefix);
    Ok(PathMatch::Prefix(whole_segments.to_owned()))
}

fn canonical(field: &'static str, path: &str) -> Result<String, RouteError> {
    match CanonicalPath::parse(path, PathNormalization::Strict) {
        Ok(canonical) if canonical.as_str() == path => Ok(path.to_owned()),
        _ => Err(RouteError::Path { field }),
    }
}

fn host_match(host: &str) -> Result<HostMatch, RouteError> {
    let plain = |name: &str| Authority::parse(name).is_ok_and(|parsed| parsed.host() == name);
    match host.strip_prefix("*.") {
        Some(parent) if plain(parent) => Ok(HostMatch::Below(format!(".{parent}"))),
        None if plain(host) => Ok(HostMatch::Exact(host.to_owned())),
        _ => Err(RouteError::Host(host.to_owned())),
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
