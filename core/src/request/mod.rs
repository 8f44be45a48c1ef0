//! One canonical request, or a refusal.
//!
//! What is decided is what is forwarded: the filter decides on these values and writes the same
//! bytes back to the request before it leaves. A request that has no canonical form here is
//! answered with 400, because two readers could read it two ways.

mod authority;
mod fields;
mod method;
mod path;
mod query;

pub use authority::Authority;
pub use fields::{FieldRefusal, field_value};
pub use method::{Method, MethodRefusal};
pub use path::{
    CanonicalPath, PathNormalization, PathRefusal, UnknownNormalization, percent_decode,
};
pub(crate) use query::serialize_multimap;
pub use query::{CanonicalQuery, QueryRefusal};

pub use authority::AuthorityRefusal;
use thiserror::Error;

/// The longest `:path` (path and query) looked at, in bytes, and the longest in canonical form:
/// a character that must be encoded takes three bytes there.
pub const MAX_TARGET_BYTES: usize = 16 * 1024;

/// Why a request has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RequestRefusal {
    /// A pseudo-header is missing, doubled or not text.
    #[error("`{0}` is missing, doubled or not text")]
    Pseudo(&'static str),
    /// Longer than [`MAX_TARGET_BYTES`].
    #[error("request target is longer than {MAX_TARGET_BYTES} bytes")]
    TargetTooLong,
    /// The method.
    #[error(transparent)]
    Method(#[from] MethodRefusal),
    /// The host.
    #[error(transparent)]
    Authority(#[from] AuthorityRefusal),
    /// The path.
    #[error(transparent)]
    Path(#[from] PathRefusal),
    /// The query.
    #[error(transparent)]
    Query(#[from] QueryRefusal),
    /// A header field.
    #[error(transparent)]
    Field(#[from] FieldRefusal),
}

impl RequestRefusal {
    /// The stable reason code, kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::Pseudo(_) => "request-pseudo-header-invalid",
            Self::TargetTooLong => "request-target-too-long",
            Self::Method(_) => "request-method-invalid",
            Self::Authority(_) => "request-host-invalid",
            Self::Path(refusal) => refusal.code(),
            Self::Query(_) => "request-query-invalid",
            Self::Field(_) => "request-header-invalid",
        }
    }
}

/// Method, host, path and query in the one form that is decided on and forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalRequest {
    /// The method.
    pub method: Method,
    /// The host and port.
    pub authority: Authority,
    /// The path.
    pub path: CanonicalPath,
    /// The query, if the target has a question mark.
    pub query: Option<CanonicalQuery>,
}

impl CanonicalRequest {
    /// Reads `:method`, `:authority` and `:path` as they stand in the request.
    pub fn parse(
        method: &str,
        authority: &str,
        target: &str,
        normalization: PathNormalization,
    ) -> Result<Self, RequestRefusal> {
        if target.len() > MAX_TARGET_BYTES {
            return Err(RequestRefusal::TargetTooLong);
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let method = Method::parse(method)?;
        let authority = Authority::parse(authority)?;
        let parsed = CanonicalPath::parse(path, normalization)?;
        // The query's text is never changed, so the target grows by what the path does.
        if target.len() - path.len() + parsed.as_str().len() > MAX_TARGET_BYTES {
            return Err(RequestRefusal::TargetTooLong);
        }
        Ok(Self {
            method,
            authority,
            path: parsed,
            query: query.map(CanonicalQuery::parse).transpose()?,
        })
    }

    /// Path and query as they are forwarded.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{}", self.path.as_str(), query.as_str()),
            None => self.path.as_str().to_owned(),
        }
    }

    /// Whether `target` is what [`Self::target`] would build, without building it.
    pub fn is_target(&self, target: &str) -> bool {
        match (target.strip_prefix(self.path.as_str()), &self.query) {
            (Some(rest), Some(query)) => rest.strip_prefix('?') == Some(query.as_str()),
            (Some(rest), None) => rest.is_empty(),
            (None, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_bounded_as_it_came_and_as_it_is_forwarded() {
        let read = |target: &str| {
            CanonicalRequest::parse("GET", "example.org", target, PathNormalization::Strict)
        };
        let with_path = |character: &str, number: usize, query: &str| {
            read(&format!("/{}{query}", character.repeat(number)))
        };
        let longest = with_path("a", MAX_TARGET_BYTES - 1, "").unwrap();
        assert_eq!(longest.target().len(), MAX_TARGET_BYTES);
        // `{` becomes `%7B`.
        let third = (MAX_TARGET_BYTES - 1) / 3;
        let grown = with_path("{", third, "").unwrap();
        assert_eq!(grown.target().len(), 1 + 3 * third);
        assert_eq!(read(&grown.target()), Ok(grown));
        for too_long in [
            with_path("a", MAX_TARGET_BYTES, ""),
            with_path("a", MAX_TARGET_BYTES - 1, "?"),
            with_path("{", third + 1, ""),
            with_path("{", third, "?q"),
        ] {
            assert_eq!(too_long, Err(RequestRefusal::TargetTooLong));
        }
    }
}
