//! The workload that sends a request, once it is known. How it becomes known is `crate::identify`'s.

use std::rc::Rc;

use edgeward_core::footprint::Footprint;
use edgeward_core::peer::Peer;
use serde_json::value::RawValue;

use crate::caching::{InForce, SubjectKey};
use crate::memory::Remembered;

/// The workload that sends the request, as the PDP is told of it.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Shown by a token, and by a client certificate as well where `peer` is there.
    Token {
        /// What is remembered of the token.
        token: Rc<Remembered>,
        /// The workload at the other end of the connection.
        peer: Option<Rc<Peer>>,
    },
    /// Shown by a client certificate alone.
    Peer {
        /// The workload.
        peer: Rc<Peer>,
        /// The same, as the PDP is told.
        question: Rc<RawValue>,
    },
    /// Nobody showed anything, where that is allowed.
    Anonymous(Rc<RawValue>),
}

impl Caller {
    /// The id that the upstream is told.
    pub fn subject(&self) -> &str {
        match self {
            Self::Token { token, .. } => &token.subject,
            Self::Peer { peer, .. } => peer.id.as_str(),
            Self::Anonymous(_) => "anonymous",
        }
    }

    /// The subject of the question to the PDP; none if it cannot be written.
    pub fn question(&self) -> Option<&RawValue> {
        match self {
            Self::Token { token, .. } => token.question(),
            Self::Peer { question, .. } | Self::Anonymous(question) => Some(question),
        }
    }

    /// Hands over the encodings of the subject, for what decides now and for what every question is
    /// `about`; none if it has none.
    pub fn with_subject_key<T>(
        &self,
        in_force: InForce<'_>,
        about: &Footprint,
        use_key: impl FnOnce((&[u8], &[u8])) -> T,
    ) -> Option<T> {
        match self {
            Self::Token { token, .. } => {
                let mut key = token.key.borrow_mut();
                key.of(token.question()?, in_force, about).map(use_key)
            }
            Self::Peer { question, .. } | Self::Anonymous(question) => {
                let mut key = SubjectKey::default();
                key.of(question, in_force, about).map(use_key)
            }
        }
    }

    /// The workload at the other end of the connection, where it is known.
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            Self::Token { peer, .. } => peer.as_deref(),
            Self::Peer { peer, .. } => Some(peer),
            Self::Anonymous(_) => None,
        }
    }
}
