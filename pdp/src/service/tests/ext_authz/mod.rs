//! The `ext_authz` door, asked by another implementation of gRPC (tonic's client) as Envoy asks.

mod answers;
mod gateways;
mod identity;
mod opa_envoy;
mod requests;

use std::time::{Duration, Instant};

use edgeward_core::jose::Algorithm;
use edgeward_core::request::PathNormalization;
use envoy_types::ext_authz::v3::pb::{
    Address, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValue, HttpResponse,
    OkHttpResponse,
};
use envoy_types::pb::envoy::config::core::v3::{Address as AddressOf, HeaderMap, SocketAddress};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use serde_json::{Value, json};

use super::fixtures::{ISSUER, write_keys};
use super::harness::{Pdp, settings};
use crate::crypto::{KeyPurpose, Signer};
use crate::service::clock::now;
use crate::service::{
    Dialect, ExtAuthzSettings, Limits, PeerSettings, ServiceSettings, TokenSettings,
};

/// Allows everyone who is someone, but no role that is banned and nothing below `/admin`.
const POLICY: &str = r#"
default decision := {"allow": false, "reasons": ["no-rule-matches"]}
decision := {
    "allow": true,
    "reasons": ["seen"],
    "obligations": {
        "request_headers": {"x-edgeward-tier": "gold"},
        "response_headers": {"cache-control": "no-store"},
    },
} if {
    input.subject.type == "workload"
    input.resource.properties.segments[0] != "admin"
    not banned
}
banned if "banned" in input.resource.properties.headers["x-role"]
banned if input.resource.properties.query.role[_] == "banned"
"#;

const WHO: &str = "https://issuer.demo.edgeward.dev|job";

fn door() -> ExtAuthzSettings {
    ExtAuthzSettings {
        token: TokenSettings {
            header: "authorization".to_owned(),
            forward: false,
        },
        anonymous: false,
        allowed_request_headers: Vec::new(),
        normalization: PathNormalization::Strict,
        joined_headers: false,
        peer: PeerSettings::default(),
        gateways: Vec::new(),
        dialect: Dialect::Edgeward,
    }
}

/// With patience: a loaded machine may take a test's thread away for long.
fn with(door: ExtAuthzSettings) -> ServiceSettings {
    let limits = Limits {
        head_timeout: Duration::from_secs(20),
        request_timeout: Duration::from_secs(20),
        ..settings().limits
    };
    ServiceSettings {
        ext_authz: Some(door),
        limits,
        ..settings()
    }
}

/// A PDP with this door, which believes what `signer` signs.
struct Asked {
    pdp: Pdp,
    signer: Signer,
}

impl Asked {
    fn by(door: ExtAuthzSettings, policy: &str) -> Self {
        let pdp = Pdp::deciding_with(policy, with(door));
        let signer = Signer::generate(Algorithm::Es256).unwrap();
        let jwk = Value::Object(signer.public_jwk(KeyPurpose::Signature));
        write_keys(pdp.folder.path(), &jwk.to_string());
        let asked = Self { pdp, signer };
        // The first token names a key that is not there yet, which has it fetched.
        let start = Instant::now();
        while denied(asked.check(asked.get("/is-it-ready"))).1 == "token-key-unknown" {
            assert!(start.elapsed() < Duration::from_secs(30), "no keys");
            std::thread::sleep(Duration::from_millis(20));
        }
        asked
    }

    fn token(&self, more: &Value) -> String {
        let mut claims = json!({ "iss": ISSUER, "sub": "job", "aud": "edgeward", "jti": "j1",
            "iat": now().0, "exp": now().0 + 60 });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let claims = claims.to_string();
        self.signer.sign(Some("JWT"), claims.as_bytes()).unwrap()
    }

    /// `GET target` with a good token.
    fn get(&self, target: &str) -> Told {
        Told::get(target).bearer(&self.token(&json!({})))
    }

    fn check(&self, told: Told) -> CheckResponse {
        self.call(told.call())
    }

    fn call(&self, call: CheckRequest) -> CheckResponse {
        let address = self.pdp.address();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut client = AuthorizationClient::connect(format!("http://{address}"))
                .await
                .unwrap();
            let answer = client.check(call).await;
            answer.expect("never a gRPC error").into_inner()
        })
    }
}

/// What an Envoy tells, as a test puts it together.
#[derive(Clone)]
struct Told {
    http: HttpRequest,
    lines: Vec<HeaderValue>,
    joined: bool,
    source: Peer,
}

impl Told {
    fn get(target: &str) -> Self {
        let http = HttpRequest {
            method: "GET".to_owned(),
            path: target.to_owned(),
            host: "shop.example".to_owned(),
            ..HttpRequest::default()
        };
        let socket = SocketAddress {
            address: "10.1.2.3".to_owned(),
            ..SocketAddress::default()
        };
        let source = Peer {
            address: Some(AddressOf {
                address: Some(Address::SocketAddress(socket)),
            }),
            ..Peer::default()
        };
        let told = Self {
            http,
            lines: Vec::new(),
            joined: false,
            source,
        };
        told.header(":path", target)
    }

    fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.lines.push(HeaderValue {
            key: name.to_owned(),
            value: String::new(),
            raw_value: value.as_ref().to_vec(),
        });
        self
    }

    fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.http.host);
        self
    }

    /// As an Envoy without `encode_raw_headers` tells it.
    fn joined(mut self) -> Self {
        self.joined = true;
        self
    }

    fn call(self) -> CheckRequest {
        let mut http = self.http;
        if self.joined {
            for line in self.lines {
                let value = String::from_utf8(line.raw_value).unwrap();
                http.headers
                    .entry(line.key)
                    .and_modify(|all| *all = format!("{all},{value}"))
                    .or_insert(value);
            }
        } else {
            http.header_map = Some(HeaderMap {
                headers: self.lines,
            });
        }
        let request = Request {
            http: Some(http),
            ..Request::default()
        };
        CheckRequest {
            attributes: Some(AttributeContext {
                source: Some(self.source),
                request: Some(request),
                ..AttributeContext::default()
            }),
        }
    }
}

#[track_caller]
fn allowed(response: CheckResponse) -> OkHttpResponse {
    let code = response.status.as_ref().map(|status| status.code);
    match response.http_response {
        Some(HttpResponse::OkResponse(ok)) if code == Some(0) => ok,
        other => panic!("{code:?} {other:?}"),
    }
}

/// HTTP status and reason code of a deny; a status of 0 for an allow.
#[track_caller]
fn denied(response: CheckResponse) -> (i32, String) {
    if matches!(response.http_response, Some(HttpResponse::OkResponse(_))) {
        return (0, String::new());
    }
    let (denied, body) = refused(response);
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    (denied.status.unwrap().code, code)
}

/// A deny, and its body read as JSON where it is some.
#[track_caller]
fn refused(response: CheckResponse) -> (DeniedHttpResponse, Value) {
    let status = response.status.clone().unwrap_or_default();
    assert_ne!(status.code, 0, "{response:?}");
    match response.http_response {
        Some(HttpResponse::DeniedResponse(denied)) => {
            let body = serde_json::from_str(&denied.body).unwrap_or_default();
            (denied, body)
        }
        other => panic!("{other:?}"),
    }
}

fn header<'r>(
    headers: &'r [envoy_types::ext_authz::v3::pb::HeaderValueOption],
    name: &str,
) -> Option<&'r str> {
    let mut headers = headers.iter().filter_map(|option| option.header.as_ref());
    let found = headers.find(|header| header.key == name)?;
    Some(&found.value)
}
