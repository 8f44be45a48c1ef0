//! Route settings: which requests are decided, which only identified, and what happens when the PDP
//! does not answer.
//!
//! Matchers stand in the plugin configuration and not in Envoy's per-route configuration, because
//! that is the one place that works in Envoy and in Istio's `WasmPlugin` alike. The first match
//! holds; what nothing matches is decided, and nobody is anonymous there.

use std::str::FromStr;
use std::time::Duration;

use edgeward_core::members::{MemberError, Members, read_each};
use edgeward_core::request::{Authority, CanonicalPath, CanonicalRequest, PathNormalization};

use crate::config::duration;

/// The most that a decision may be reused beyond its time, in seconds.
const MOST_STALE: u64 = 60 * 60;

/// How far a request is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Posture {
    /// It is refused (503).
    #[default]
    Deny,
    /// A verified workload passes as if the route's mode were `identity`; the decision id says so.
    Identity,
    /// What was decided before holds for so many seconds beyond its time; the decision id says so.
    ServeStale(u64),
}

/// The posture by cause. A PDP that answers nonsense is no cause: that is always a refusal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    /// Reads the list as configured.
    pub fn read(list: Vec<Members>) -> Result<Self, MemberError> {
        read_each(list, Route::read).map(Self)
    }

    /// The settings for a request.
    pub fn settings(&self, request: &CanonicalRequest) -> RouteSettings {
        self.0
            .iter()
            .find(|route| route.matches(request))
            .map_or_else(RouteSettings::default, |route| route.settings)
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

    fn read(mut members: Members) -> Result<Self, MemberError> {
        let host: Option<HostMatch> = members.parsed("host")?;
        let exact: Option<PathMatch> = match members.parsed::<Canonical>("path")? {
            Some(path) => Some(PathMatch::Exact(path.0)),
            None => members
                .parsed::<Canonical>("path_prefix")?
                .map(Canonical::into_prefix),
        };
        if members.has("path_prefix") {
            return Err(members.error("path_prefix", "give either `path` or `path_prefix`"));
        }
        let mode: Mode = members.parsed("mode")?.unwrap_or_default();
        let anonymous = members.flag("anonymous")?;
        if mode == Mode::Off && anonymous {
            return Err(members.error("anonymous", "has no effect where mode is `off`"));
        }
        if mode != Mode::Decide && members.has("posture") {
            return Err(members.error("posture", "has effect only where mode is `decide`"));
        }
        let posture = Postures::read(members.object("posture")?)?;
        let route = Self {
            host: host.unwrap_or(HostMatch::Any),
            path: exact.unwrap_or(PathMatch::Any),
            methods: members.list("methods")?,
            settings: RouteSettings {
                mode,
                anonymous,
                posture,
            },
        };
        members.finish()?;
        Ok(route)
    }
}

impl Postures {
    fn read(mut members: Members) -> Result<Self, MemberError> {
        let postures = Self {
            pdp_unavailable: Posture::read(&mut members, "pdp_unavailable")?,
            pdp_timeout: Posture::read(&mut members, "pdp_timeout")?,
        };
        members.finish()?;
        Ok(postures)
    }
}

impl Posture {
    fn read(members: &mut Members, name: &str) -> Result<Self, MemberError> {
        if !members.is_object(name) {
            return Ok(members.parsed(name)?.unwrap_or_default());
        }
        let mut object = members.object(name)?;
        let grace = duration(&mut object, "serve_stale", Duration::ZERO)?.as_secs();
        if !(1..=MOST_STALE).contains(&grace) {
            return Err(object.error("serve_stale", "must be a duration from 1s to 1h"));
        }
        object.finish()?;
        Ok(Self::ServeStale(grace))
    }
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, &'static str> {
        match name {
            "off" => Ok(Self::Off),
            "identity" => Ok(Self::Identity),
            "decide" => Ok(Self::Decide),
            _ => Err("must be `off`, `identity` or `decide`"),
        }
    }
}

impl FromStr for Posture {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, &'static str> {
        match name {
            "deny" => Ok(Self::Deny),
            "identity" => Ok(Self::Identity),
            _ => Err("must be `deny`, `identity` or an object with `serve_stale`"),
        }
    }
}

/// A path in its canonical form: any other could never match.
struct Canonical(String);

impl Canonical {
    fn into_prefix(self) -> PathMatch {
        PathMatch::Prefix(self.0.strip_suffix('/').unwrap_or(&self.0).to_owned())
    }
}

impl FromStr for Canonical {
    type Err = &'static str;

    fn from_str(path: &str) -> Result<Self, &'static str> {
        match CanonicalPath::parse(path, PathNormalization::Strict) {
            Ok(canonical) if canonical.as_str() == path => Ok(Self(path.to_owned())),
            _ => Err(
                "must begin with a slash and be canonical: no dot or empty segments, \
                      no needless percent-encoding",
            ),
        }
    }
}

impl FromStr for HostMatch {
    type Err = &'static str;

    fn from_str(host: &str) -> Result<Self, &'static str> {
        let plain = |name: &str| Authority::parse(name).is_ok_and(|parsed| parsed.host() == name);
        match host.strip_prefix("*.") {
            Some(parent) if plain(parent) => Ok(Self::Below(format!(".{parent}"))),
            None if plain(host) => Ok(Self::Exact(host.to_owned())),
            _ => Err("must be a host in lower case without port, or `*.` and one"),
        }
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
