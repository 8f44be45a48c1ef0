//! The question, as the filter writes it.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::peer::Peer;
use crate::request::{CanonicalRequest, serialize_multimap};
use crate::token::{Subject, VerifiedToken};

/// May `subject` do `action` on `resource` in `context`?
#[derive(Debug, Serialize)]
pub struct EvaluationRequest<'a> {
    /// Who asks, as [`subject_of_token`], [`subject_of_peer`] or [`anonymous`] wrote it: it is the
    /// same for every request with that token, so it is written once.
    pub subject: &'a RawValue,
    /// What for.
    pub action: Action<'a>,
    /// On what.
    pub resource: Resource<'a>,
    /// In which circumstances.
    pub context: Context<'a>,
}

/// The action: for HTTP, the method.
#[derive(Debug, Serialize)]
pub struct Action<'a> {
    /// For example `GET`.
    pub name: &'a str,
}

/// The resource: for HTTP, the target of the request.
#[derive(Debug, Serialize)]
pub struct Resource<'a> {
    /// Always `http`.
    pub r#type: &'static str,
    /// The host, without port.
    pub id: &'a str,
    /// The rest.
    pub properties: HttpProperties<'a>,
}

/// What a policy sees of an HTTP request.
#[derive(Debug, Serialize)]
pub struct HttpProperties<'a> {
    /// The host, without port.
    pub host: &'a str,
    /// The port, where the request names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The canonical path.
    pub path: &'a str,
    /// Its segments, decoded.
    pub segments: &'a [String],
    /// The query: always lists.
    pub query: MultiMap<'a>,
    /// The headers a policy may see, names in lower case: always lists.
    pub headers: MultiMap<'a>,
}

/// Names and values; written as an object of lists, so that no value hides another.
#[derive(Debug, Default)]
pub struct MultiMap<'a>(pub Vec<(&'a str, &'a str)>);

impl Serialize for MultiMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_multimap(&self.0, serializer)
    }
}

/// The circumstances. The PDP adds `time`.
#[derive(Debug, Serialize)]
pub struct Context<'a> {
    /// Where the request comes from.
    pub source: Source<'a>,
    /// The connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls<'a>>,
}

/// The directly connected address.
#[derive(Debug, Serialize)]
pub struct Source<'a> {
    /// An IP address without port.
    pub address: &'a str,
}

/// The mutually authenticated connection.
#[derive(Debug, Serialize)]
pub struct Tls<'a> {
    /// The workload at its other end.
    pub peer: &'a str,
}

impl<'a> EvaluationRequest<'a> {
    /// The question for an HTTP request.
    pub fn http(
        subject: &'a RawValue,
        request: &'a CanonicalRequest,
        headers: Vec<(&'a str, &'a str)>,
        context: Context<'a>,
    ) -> Self {
        let query = request
            .query
            .as_ref()
            .map_or(&[][..], |query| query.pairs());
        let host = request.authority.host();
        let properties = HttpProperties {
            host,
            port: request.authority.port(),
            path: request.path.as_str(),
            segments: request.path.segments(),
            query: MultiMap(
                query
                    .iter()
                    .map(|(k, v)| (k.as_str(), v.as_str()))
                    .collect(),
            ),
            headers: MultiMap(headers),
        };
        Self {
            subject,
            action: Action {
                name: request.method.as_str(),
            },
            resource: Resource {
                r#type: "http",
                id: host,
                properties,
            },
            context,
        }
    }
}

#[derive(Serialize)]
struct SubjectWire<'a> {
    r#type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<SubjectProperties<'a>>,
}

#[derive(Serialize)]
struct SubjectProperties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a RawValue>,
}

/// The subject for a workload that showed a token.
pub fn subject_of_token(token: &VerifiedToken) -> Result<Box<RawValue>, serde_json::Error> {
    let trust_domain = match &token.subject {
        Subject::Spiffe(id) => Some(id.trust_domain().to_string()),
        Subject::Issued { .. } => None,
    };
    serde_json::value::to_raw_value(&SubjectWire {
        r#type: "workload",
        id: token.subject.to_string(),
        properties: Some(SubjectProperties {
            trust_domain,
            issuer: token.claims.issuer.as_deref(),
            claims: Some(serde_json::from_slice(token.claims.all.as_bytes())?),
        }),
    })
}

/// The subject for a workload known by its X.509-SVID alone.
pub fn subject_of_peer(peer: &Peer) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(&SubjectWire {
        r#type: "workload",
        id: peer.id.to_string(),
        properties: Some(SubjectProperties {
            trust_domain: Some(peer.id.trust_domain().to_string()),
            issuer: None,
            claims: None,
        }),
    })
}

/// The subject where nobody showed anything and the route allows that.
pub fn anonymous() -> Result<Box<RawValue>, serde_json::Error> {
    let subject = SubjectWire {
        r#type: "anonymous",
        id: "anonymous".to_owned(),
        properties: None,
    };
    serde_json::value::to_raw_value(&subject)
}
