//! Evidence, as a platform gave it to this workload, and what a token service is told that it is.

use std::fmt;
use std::path::Path;

use thiserror::Error;

use crate::attestation::evidence::EvidenceKind;
use crate::token_service::JWT;

/// The longest evidence, in bytes: a token service takes no longer form.
const MAX_BYTES: u64 = 64 * 1024;

/// What kind of evidence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EvidenceType {
    /// A JWT; its issuer says whose.
    Jwt,
    /// Evidence of clouds that is none.
    Other(EvidenceKind),
}

impl EvidenceType {
    /// The type as a request names it (RFC 8693 section 3).
    pub(crate) fn as_urn(self) -> &'static str {
        match self {
            Self::Jwt => JWT,
            Self::Other(kind) => kind.as_str(),
        }
    }
}

/// What proves who this workload is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    text: String,
    kind: EvidenceType,
}

/// Why a text is no evidence. It never repeats the text.
#[derive(Debug, Error)]
pub(crate) enum EvidenceError {
    /// The operating system said no.
    #[error("`{path}`: {error}")]
    Io {
        /// The file.
        path: String,
        /// What it said.
        error: std::io::Error,
    },
    /// Nothing, or too much.
    #[error("{of}: must have 1 to {MAX_BYTES} bytes of text")]
    Length {
        /// A file's or variable's name.
        of: String,
    },
    /// More than one word, or bytes that are in no token.
    #[error("{of}: is no token: must be visible ASCII characters in one line")]
    NoToken {
        /// A file's or variable's name.
        of: String,
    },
}

impl Evidence {
    /// Reads `text`, without the white space around it; `of` is where it comes from, for messages.
    pub(crate) fn of_text(text: &str, kind: EvidenceType, of: &str) -> Result<Self, EvidenceError> {
        let text = text.trim();
        if text.is_empty() || text.len() as u64 > MAX_BYTES {
            return Err(EvidenceError::Length { of: of.to_owned() });
        }
        if kind == EvidenceType::Jwt && !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(EvidenceError::NoToken { of: of.to_owned() });
        }
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// Reads a file; none where there is no such file.
    pub(crate) fn of_file(path: &Path, kind: EvidenceType) -> Result<Option<Self>, EvidenceError> {
        let name = format!("`{}`", path.display());
        let read = crate::whole_file::read(path, MAX_BYTES + 1);
        let bytes = read.map_err(|error| EvidenceError::Io {
            path: path.display().to_string(),
            error,
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        let text =
            String::from_utf8(bytes).map_err(|_| EvidenceError::NoToken { of: name.clone() })?;
        Self::of_text(&text, kind, &name).map(Some)
    }

    /// The evidence itself.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What it is.
    pub(super) fn kind(&self) -> EvidenceType {
        self.kind
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
