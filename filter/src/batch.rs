//! Questions of one turn of the host's event loop, put to the PDP in one call.
//!
//! A call costs the host more than all that is asked by it, and under load it reads many requests in
//! one turn. So a question is left here and its request held; when the turn is over the root is
//! called (`crate::host::call_root`), and asks for all of them. Nothing is waited for: a question that
//! is alone is asked in the same turn. And a call of the root is answered whoever leaves meanwhile.
//!
//! What this is not: a request's wait for the answer to another's question ([`crate::flight`]). Here
//! each has its own, and gets its own answer.
//!
//! INVARIANT: as in [`crate::flight`], only the request that is held holds its [`Waiter`] for long: for
//! one that left nothing is asked.

use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use edgeward_core::decide::MAX_QUESTIONS;

use crate::flight::Waiter;
use crate::step::{Ask, Door};

/// Where questions are no more than this together they go in one call, in bytes: a quarter of what the
/// PDP takes by default.
const MAX_BYTES: usize = 256 * 1024;

/// Questions that are asked when this turn is over.
#[derive(Debug, Default)]
pub struct Batch {
    open: bool,
    called: bool,
    questions: VecDeque<(Weak<Waiter>, Vec<u8>)>,
}

impl Batch {
    /// From now on the root can be called: questions may be left here.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Whether questions may be left here.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Leaves a question of `asker`, written for [`Door::Decide`].
    pub(crate) fn put(&mut self, asker: &Rc<Waiter>, body: Vec<u8>) {
        self.questions.push_back((Rc::downgrade(asker), body));
    }

    /// Whether the root has to be called: once for all that is left in a turn.
    pub fn must_call(&mut self) -> bool {
        let must = !self.called && !self.questions.is_empty();
        self.called |= must;
        must
    }

    /// The next call to be made, and for whom, in the order of its questions; none when all are made.
    pub fn next_call(&mut self) -> Option<(Ask, Vec<Rc<Waiter>>)> {
        self.called = false;
        let mut together = Vec::new();
        let mut askers = Vec::new();
        while askers.len() < MAX_QUESTIONS
            && let Some((asker, body)) = self.questions.pop_front()
        {
            let Some(asker) = asker.upgrade() else {
                continue;
            };
            if askers.is_empty() {
                together = body;
            } else if together.len() + body.len() <= MAX_BYTES {
                together.extend_from_slice(&body);
            } else {
                self.questions.push_front((Rc::downgrade(&asker), body));
                break;
            }
            askers.push(asker);
        }
        let ask = Ask {
            door: Door::Decide,
            body: together,
        };
        (!askers.is_empty()).then_some((ask, askers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Exchange;

    fn put(batch: &mut Batch, stream: u32, body: &[u8]) -> Rc<Waiter> {
        let waiter = Waiter::of(Exchange::of(stream));
        batch.put(&waiter, body.to_vec());
        waiter
    }

    fn streams(askers: &[Rc<Waiter>]) -> Vec<u32> {
        askers.iter().map(|asker| asker.stream).collect()
    }

    #[test]
    fn what_is_left_in_a_turn_goes_in_one_call_without_those_who_left() {
        let mut batch = Batch::default();
        assert!(!batch.must_call());
        let _first = put(&mut batch, 1, b"a");
        assert!(batch.must_call() && !batch.must_call(), "once a turn");
        let second = put(&mut batch, 2, b"b");
        let _third = put(&mut batch, 3, b"c");
        drop(second);
        let (ask, askers) = batch.next_call().unwrap();
        assert_eq!((&ask.body[..], streams(&askers)), (&b"ac"[..], vec![1, 3]));
        assert!(batch.next_call().is_none() && !batch.must_call());
        let _next = put(&mut batch, 4, b"d");
        assert!(batch.must_call(), "again in the next turn");
    }

    #[test]
    fn a_call_is_bounded_and_no_question_is_left_behind() {
        let mut batch = Batch::default();
        let count = u32::try_from(MAX_QUESTIONS).unwrap() * 2 + 1;
        let small: Vec<_> = (0..count).map(|n| put(&mut batch, n, b"q")).collect();
        let mut calls = Vec::new();
        while let Some((ask, askers)) = batch.next_call() {
            assert_eq!(ask.body.len(), askers.len());
            calls.push(askers.len());
        }
        assert_eq!(calls, [MAX_QUESTIONS, MAX_QUESTIONS, 1]);
        drop(small);

        let large = vec![0; MAX_BYTES - 1];
        let _kept: Vec<_> = [&large[..], b"q", &large, &large]
            .into_iter()
            .zip(1..)
            .map(|(body, stream)| put(&mut batch, stream, body))
            .collect();
        let mut calls = Vec::new();
        while let Some((_, askers)) = batch.next_call() {
            calls.push(streams(&askers));
        }
        assert_eq!(calls, [vec![1, 2], vec![3], vec![4]]);
    }
}
