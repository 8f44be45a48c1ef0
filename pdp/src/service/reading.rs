//! A question while it is read: the key so far, the names seen, the facts noted.
//!
//! It knows neither JSON nor what may be read: that is `question_key`'s.

use std::borrow::Cow;

use super::asked::Asked;
use super::place::Says;

/// Members of all open objects that most questions have room with.
const USUAL: usize = 48;

/// What has been read so far.
pub(super) struct Reading<'k, 'b> {
    pub(super) key: &'k mut Vec<u8>,
    scratch: &'k mut Vec<u8>,
    /// Of the members of all open objects.
    pub(super) names: Vec<Cow<'b, str>>,
    /// Those among them that are in the key.
    pub(super) written: Vec<Written>,
    pub(super) asked: Asked<'b>,
    /// One bit for each required text.
    pub(super) required: u8,
}

/// A member in the key.
pub(super) struct Written {
    /// Its place among the names.
    pub(super) name: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl<'k, 'b> Reading<'k, 'b> {
    /// Into `key`; `scratch` is overwritten.
    pub(super) fn into(key: &'k mut Vec<u8>, scratch: &'k mut Vec<u8>) -> Self {
        Self {
            key,
            scratch,
            names: Vec::with_capacity(USUAL),
            written: Vec::with_capacity(USUAL),
            asked: Asked::default(),
            required: 0,
        }
    }

    /// Whether the object whose first member is at `first` already has one of this name.
    pub(super) fn has(&self, first: usize, name: &str) -> bool {
        let known = self.names.get(first..).unwrap_or_default();
        known.iter().any(|known| **known == *name)
    }

    /// Puts the members from `first` on, which lie behind each other from `start` on, in order.
    pub(super) fn sort(&mut self, first: usize, start: usize) -> Option<()> {
        let names = &self.names;
        let name = |written: &Written| names.get(written.name).map(|name| &**name);
        let members = self.written.get_mut(first..)?;
        if members.is_sorted_by(|a, b| name(a) < name(b)) {
            return Some(());
        }
        members.sort_unstable_by(|a, b| name(a).cmp(&name(b)));
        self.scratch.clear();
        for member in &*members {
            self.scratch
                .extend_from_slice(self.key.get(member.from..member.to)?);
        }
        self.key.truncate(start);
        self.key.extend_from_slice(self.scratch);
        Some(())
    }

    /// Notes a text where the service needs it.
    pub(super) fn note(&mut self, says: Says, text: Cow<'b, str>) {
        self.required |= says.required();
        let asked = &mut self.asked;
        match says {
            Says::SubjectId => asked.subject = text,
            Says::ActionName => asked.action = text,
            Says::ResourceId => asked.resource = text,
            Says::Issuer => asked.issuer = Some(text),
            Says::TrustDomain => asked.trust_domain = Some(text),
            Says::TokenId => asked.token_id = Some(text),
            Says::Session => asked.session = Some(text),
            Says::Peer => asked.peer = Some(text),
            Says::SubjectType | Says::ResourceType => {}
        }
    }
}
