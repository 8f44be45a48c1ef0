//! Verdicts that many decisions of a shard share: a policy gives few different ones, so each is kept
//! once there.
//!
//! Bounded in bytes by itself. A verdict for which there is no room is its decision's own, and counts as
//! part of that.

use std::collections::HashSet;
use std::sync::Arc;

use crate::policy::Verdict;

/// A node of a map of texts has room for so many, of which half may be empty.
const NODE_BYTES: usize = 560;
const NODE_MEMBERS: usize = 5;

/// Those that are shared.
#[derive(Debug)]
pub(super) struct Verdicts {
    limit: usize,
    known: HashSet<Arc<Verdict>>,
    bytes: usize,
    /// Those for which there was no room, since room was looked for.
    refused: usize,
}

impl Verdicts {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            known: HashSet::new(),
            bytes: 0,
            refused: 0,
        }
    }

    /// The one that equals `verdict`, to be shared; else none, and `verdict` is its decision's own.
    pub(super) fn share(&mut self, verdict: &Arc<Verdict>) -> Option<Arc<Verdict>> {
        if let Some(known) = self.known.get(&**verdict) {
            return Some(known.clone());
        }
        let bytes = bytes_of(verdict);
        if self.bytes + bytes > self.limit {
            self.refused += 1;
            // Looking for room takes time, so not before as many went without as there are.
            if self.refused <= self.known.len() {
                return None;
            }
            self.forget_unused();
            if self.bytes + bytes > self.limit {
                return None;
            }
        }
        self.bytes += bytes;
        self.known.insert(verdict.clone());
        Some(verdict.clone())
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget_unused(&mut self) {
        self.refused = 0;
        self.known.retain(|verdict| Arc::strong_count(verdict) > 1);
        self.bytes = self.known.iter().map(|verdict| bytes_of(verdict)).sum();
    }
}

/// What a verdict takes, at the most.
pub(super) fn bytes_of(verdict: &Verdict) -> usize {
    const OWN: usize = size_of::<Verdict>() + 48;
    let Verdict {
        reasons,
        obligations,
        ..
    } = verdict;
    let texts = |bytes: usize| bytes + bytes / 8 + 8;
    let reasons: usize = reasons
        .iter()
        .map(|reason| size_of::<String>() + texts(reason.len()))
        .sum();
    let headers = [&obligations.request_headers, &obligations.response_headers];
    let headers = headers.into_iter().map(|headers| {
        let members = headers
            .iter()
            .map(|(name, value)| texts(name.len()) + texts(value.len()));
        headers.len().div_ceil(NODE_MEMBERS) * NODE_BYTES + members.sum::<usize>()
    });
    OWN + reasons + headers.sum::<usize>()
}
