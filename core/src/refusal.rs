//! What a refused caller gets: status, a stable code, the decision's id, and nothing else.
//!
//! Everything that goes into a header is made here from fixed texts and codes, or passed through a
//! check: Envoy writes header values of a local reply as they are, CR and LF too.

use serde::Serialize;

use crate::decision::DecisionId;
use crate::headers;

/// The class of a refusal: decides status, title and gRPC status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request has no canonical form.
    NotCanonical,
    /// No credential, or one that does not hold.
    Unauthenticated,
    /// The policy denies.
    Denied,
    /// No decision can be had now.
    Unavailable,
}

impl Refusal {
    /// The HTTP status.
    pub fn status(self) -> u32 {
        match self {
            Self::NotCanonical => 400,
            Self::Unauthenticated => 401,
            Self::Denied => 403,
            Self::Unavailable => 503,
        }
    }

    /// The gRPC status (`google.rpc.Code`).
    pub fn grpc_status(self) -> u32 {
        match self {
            Self::NotCanonical => 3,
            Self::Denied => 7,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::NotCanonical => "request has no canonical form",
            Self::Unauthenticated => "workload is not authenticated",
            Self::Denied => "request is denied",
            Self::Unavailable => "no decision can be made now",
        }
    }
}

/// A refusal, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its class.
    pub refusal: Refusal,
    /// The stable reason code.
    pub code: String,
    /// Names the decision.
    pub decision_id: DecisionId,
    /// All reasons of a policy's deny.
    pub reasons: Vec<String>,
    /// Whether a credential was shown: RFC 6750 tells a client so.
    pub credential_shown: bool,
    /// Whether the caller reads gRPC statuses.
    pub grpc: bool,
}

/// Whether this content type says that the caller reads gRPC statuses (gRPC over HTTP/2, "Requests").
pub fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| rest.first().is_none_or(|byte| matches!(byte, b'+' | b';')))
}

/// RFC 9457 problem details.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u32,
    code: &'a str,
    decision_id: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    reasons: &'a [String],
}

impl Reply {
    /// What a caller gets where a policy denied for `reasons`.
    pub fn denied(decision_id: DecisionId, reasons: Vec<String>, grpc: bool) -> Self {
        let code = reasons.first().filter(|reason| is_code(reason)).cloned();
        Self {
            refusal: Refusal::Denied,
            code: code.unwrap_or_else(|| "denied".to_owned()),
            decision_id,
            reasons,
            credential_shown: false,
            grpc,
        }
    }

    /// The body: `application/problem+json`.
    pub fn body(&self) -> Vec<u8> {
        let problem = Problem {
            r#type: format!("urn:edgeward:problem:{}", self.code),
            title: self.refusal.title(),
            status: self.refusal.status(),
            code: &self.code,
            decision_id: self.decision_id.as_str(),
            reasons: &self.reasons,
        };
        serde_json::to_vec(&problem).unwrap_or_default()
    }

    /// The response headers.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/problem+json".to_owned()),
            ("cache-control", "no-store".to_owned()),
            (headers::DECISION_ID, self.decision_id.to_string()),
        ];
        match self.refusal {
            Refusal::Unauthenticated => headers.push(("www-authenticate", self.challenge())),
            Refusal::Unavailable => headers.push(("retry-after", "1".to_owned())),
            Refusal::NotCanonical | Refusal::Denied => {}
        }
        headers
    }

    /// The text of `grpc-message`.
    pub fn grpc_message(&self) -> String {
        format!("{} (decision {})", self.code, self.decision_id)
    }

    /// RFC 6750 section 3: no error code where the client showed nothing.
    fn challenge(&self) -> String {
        if self.credential_shown {
            let code = &self.code;
            format!(r#"Bearer realm="edgeward", error="invalid_token", error_description="{code}""#)
        } else {
            r#"Bearer realm="edgeward""#.to_owned()
        }
    }
}

/// A reason that may stand as the reply's code: it ends up in a header and in `grpc-message`.
fn is_code(reason: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&reason.len()) && reason.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_is_no_code_reaches_no_header() {
        for reason in ["", "a b", "a\r\nset-cookie: b", "Upper", &"a".repeat(65)] {
            let id: DecisionId = "d1".parse().unwrap();
            let reply = Reply::denied(id, vec![reason.to_owned()], false);
            assert_eq!(reply.code, "denied", "{reason:?}");
        }
    }

    #[test]
    fn only_grpc_itself_is_grpc() {
        for kind in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;x=y",
        ] {
            assert!(is_grpc(kind.as_bytes()), "{kind}");
        }
        for kind in [
            "",
            "application/grpc-web",
            "application/grpcx",
            "text/application/grpc",
        ] {
            assert!(!is_grpc(kind.as_bytes()), "{kind}");
        }
    }
}
