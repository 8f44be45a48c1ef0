//! Gateways that ask over HTTP, and how each of them tells of a request.
//!
//! Each has a path of its own, and only what *that* gateway writes is read there: a header by which
//! another would tell of a request is a client's word, and chooses nothing.
//!
//! Sources: Envoy 1.40, `ext_authz` with `http_service`; nginx, `ngx_http_auth_request_module`;
//! Traefik 3, `ForwardAuth`; Caddy 2, `forward_auth`.

use std::str::FromStr;

use edgeward_core::credential::{Field, single_text};
use http::header::HOST;
use http::request::Parts;

use super::told::{Shown, Told};

/// The header in which our Envoy setup says where a request comes from.
const SOURCE: &str = "x-edgeward-source";
/// Every header that tells of a request's head is there, where this one is: Envoy always has it.
const CANARY: &str = "x-forwarded-proto";

/// What is of the call, whatever the request has by these names.
const OF_THE_CALL: [&str; 3] = ["connection", "content-length", "host"];

/// A gateway that asks over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// Envoy's `ext_authz` with `http_service`: the request itself, its path behind a prefix.
    Envoy,
    /// nginx's `auth_request`: headers that its configuration sets.
    Nginx,
    /// Traefik's `ForwardAuth`.
    Traefik,
    /// Caddy's `forward_auth`.
    Caddy,
}

/// The text names no gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `envoy`, `nginx`, `traefik` or `caddy`")]
pub struct UnknownGateway;

impl FromStr for Gateway {
    type Err = UnknownGateway;

    fn from_str(name: &str) -> Result<Self, UnknownGateway> {
        match name {
            "envoy" => Ok(Self::Envoy),
            "nginx" => Ok(Self::Nginx),
            "traefik" => Ok(Self::Traefik),
            "caddy" => Ok(Self::Caddy),
            _ => Err(UnknownGateway),
        }
    }
}

/// Headers by which a gateway tells of a request.
struct Telling {
    method: &'static str,
    host: &'static str,
    target: &'static str,
    /// Where the client's address is; of a list, the last, which the gateway appended.
    source: &'static str,
    /// What else this gateway writes into every request.
    more: &'static [&'static str],
}

const NGINX: Telling = Telling {
    method: "x-original-method",
    host: "x-original-host",
    target: "x-original-uri",
    source: "x-real-ip",
    more: &[],
};
const TRAEFIK: Telling = Telling {
    method: "x-forwarded-method",
    host: "x-forwarded-host",
    target: "x-forwarded-uri",
    source: "x-forwarded-for",
    more: &[
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-forwarded-server",
        "x-real-ip",
    ],
};
const CADDY: Telling = Telling {
    more: &["x-forwarded-proto"],
    ..TRAEFIK
};

/// Why a call tells of no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTold {
    #[error("`{0}` is missing, doubled or not text")]
    Header(&'static str),
    #[error("headers are withheld: what is not seen cannot be removed")]
    Withheld,
}

impl NotTold {
    /// The stable reason code, kebab-case.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Header(_) => "ext-authz-not-told",
            Self::Withheld => "ext-authz-headers-withheld",
        }
    }
}

impl Gateway {
    /// The path at which it asks; Envoy's is followed by that of the request.
    pub fn path(self) -> &'static str {
        match self {
            Self::Envoy => "/ext-authz/envoy",
            Self::Nginx => "/ext-authz/nginx",
            Self::Traefik => "/ext-authz/traefik",
            Self::Caddy => "/ext-authz/caddy",
        }
    }

    /// Whether it removes headers from a request when it is told to.
    pub fn removes(self) -> bool {
        self == Self::Envoy
    }

    /// Whether a call at `path` is its.
    pub(super) fn asks_at(self, path: &str) -> bool {
        match path.strip_prefix(self.path()) {
            Some("") => self != Self::Envoy,
            Some(rest) => self == Self::Envoy && rest.starts_with('/'),
            None => false,
        }
    }

    /// The request that a call tells of.
    pub(super) fn told(self, call: &Parts) -> Result<Told, NotTold> {
        let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_vec())
        };
        let fields: Vec<Field> = call.headers.iter().map(field).collect();
        match self {
            Self::Envoy => of_envoy(call, fields),
            Self::Nginx => NGINX.told(fields),
            Self::Traefik => TRAEFIK.told(fields),
            Self::Caddy => CADDY.told(fields),
        }
    }
}

impl Telling {
    fn told(&self, mut fields: Vec<Field>) -> Result<Told, NotTold> {
        let text = |name: &'static str| match single_text(&fields, name) {
            Some(Ok(text)) => Ok(text.to_owned()),
            _ => Err(NotTold::Header(name)),
        };
        let (method, authority, target) =
            (text(self.method)?, text(self.host)?, text(self.target)?);
        // The gateway appended the address of whoever is connected to it.
        let addresses = text(self.source)?;
        let nearest = addresses.rsplit(',').next().unwrap_or_default();
        let source = nearest.trim().parse();
        let source = source.map_err(|_| NotTold::Header(self.source))?;
        let own = [self.method, self.host, self.target, self.source];
        fields.retain(|(name, _)| {
            let name = name.as_str();
            !own.contains(&name) && !self.more.contains(&name) && !OF_THE_CALL.contains(&name)
        });
        Ok(Told {
            method,
            authority,
            target,
            fields,
            source: Some(source),
            shown: Shown::Nothing,
            removes: false,
        })
    }
}

/// Envoy sends the request's own head, its path behind the prefix, lines of one name joined.
fn of_envoy(call: &Parts, mut fields: Vec<Field>) -> Result<Told, NotTold> {
    if !fields.iter().any(|(name, _)| name == CANARY) {
        return Err(NotTold::Withheld);
    }
    let source = match single_text(&fields, SOURCE) {
        Some(Ok(text)) => text.parse().ok(),
        _ => None,
    };
    let source = source.ok_or(NotTold::Header(SOURCE))?;
    let authority = match call.uri.authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => match single_text(&fields, HOST.as_str()) {
            Some(Ok(host)) => host.to_owned(),
            _ => return Err(NotTold::Header("host")),
        },
    };
    let target = call.uri.path_and_query().map_or("", |all| all.as_str());
    let target = target.strip_prefix(Gateway::Envoy.path()).unwrap_or("");
    // `SOURCE` stays among them: should the client have said it too, it is removed.
    fields.retain(|(name, _)| !OF_THE_CALL.contains(&name.as_str()));
    Ok(Told {
        method: call.method.as_str().to_owned(),
        authority,
        target: target.to_owned(),
        fields: super::told::readings(fields),
        source: Some(source),
        shown: Shown::Nothing,
        removes: true,
    })
}
