//! Where a search goes on: a token that is good for the same search among the same candidates only, by the
//! same policies and data.
//!
//! What this is not: a secret. Whoever makes one up gets another page of a search that is theirs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::Kind;
use super::candidates::Candidate;
use super::wanted::Wanted;
use crate::service::question::bad;
use crate::service::reply::Refusal;

/// Bytes of the digest, and of the place after it.
const DIGEST: usize = 16;
const PLACE: usize = 8;

/// What tells a search from every other.
pub(super) struct Mark([u8; DIGEST]);

impl Mark {
    /// Of the search `wanted` among `candidates`, by the policies and data of `revision`.
    pub(super) fn of(
        kind: Kind,
        wanted: &Wanted,
        revision: &str,
        candidates: &[Candidate],
    ) -> Self {
        let mut hash = Sha256::new();
        let question = serde_json::Value::Object(wanted.input.clone()).to_string();
        let limit = wanted.page.limit.to_string();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        for text in [kind.name(), revision, &limit, &question] {
            add(text);
        }
        // Where they are others, a place among them is another's.
        for candidate in candidates {
            add(&candidate.shown.to_string());
            add(&format!("{:?}", candidate.properties));
        }
        let mut mark = [0; DIGEST];
        for (byte, of) in mark.iter_mut().zip(hash.finalize()) {
            *byte = of;
        }
        Self(mark)
    }

    /// The token for the candidates from `place` on.
    pub(super) fn token(&self, place: usize) -> String {
        let mut bytes = self.0.to_vec();
        bytes.extend((place as u64).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that `token` says; the first where there is none.
    pub(super) fn start(&self, token: Option<&str>) -> Result<usize, Refusal> {
        let Some(token) = token else {
            return Ok(0);
        };
        self.place(token).ok_or_else(|| {
            bad(
                "`page.token` is not of this search, or policies or candidates have changed since: search again \
                 without it",
            )
        })
    }

    fn place(&self, token: &str) -> Option<usize> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let place = bytes.strip_prefix(&self.0)?;
        let place: [u8; PLACE] = place.try_into().ok()?;
        usize::try_from(u64::from_be_bytes(place)).ok()
    }
}
