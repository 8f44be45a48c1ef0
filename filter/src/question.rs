//! The question of one request: answered from memory where what is remembered still stands, else
//! written down for the PDP.

use edgeward_core::authzen::{Context, EvaluationRequest, Source, Tls};
use edgeward_core::decision::Decision;

use crate::caching::{self, Pending};
use crate::identify::{Caller, Facts};
use crate::intake::Intake;
use crate::stats::Counter;
use crate::worker::Worker;

/// What became of a question.
pub(crate) enum Question {
    /// It was decided before, and is decided alike under an id that says so.
    Decided(Decision),
    /// It has to be asked; with what is needed to remember the answer, where that may be done.
    Open(Vec<u8>, Option<Pending>),
    /// It cannot be written: not reachable with what was read.
    Unwritable,
}

/// Puts the question whether `caller` may do what `intake` says.
pub(crate) fn put(
    worker: &mut Worker,
    intake: &Intake,
    caller: &Caller,
    facts: &Facts<'_>,
) -> Question {
    let address = std::cell::OnceCell::new();
    // A call of the host: not made for a hit that does not depend on it.
    let source = || Source {
        address: address.get_or_init(|| {
            let source = (facts.source)();
            source
                .map(|address| address.to_string())
                .unwrap_or_default()
        }),
    };
    let context = Context {
        source: Source { address: "" },
        tls: caller.peer().map(|peer| Tls {
            peer: peer.id.as_str(),
        }),
    };
    let headers = intake.visible_headers();
    let mut question =
        EvaluationRequest::http(caller.question(), &intake.request, headers, context);
    let in_force = worker.synced.caching();
    if in_force.is_some_and(|in_force| caching::reads_source(&in_force.caching.vary)) {
        question.context.source = source();
    }
    let pending = match look_up(worker, &question, caller, facts) {
        Ok(decision) => {
            worker.tally.count(Counter::CacheHit);
            return Question::Decided(decision);
        }
        Err((counter, pending)) => {
            worker.tally.count(counter);
            pending
        }
    };
    question.context.source = source();
    match serde_json::to_vec(&question) {
        Ok(body) => Question::Open(body, pending),
        Err(_) => Question::Unwritable,
    }
}

fn look_up(
    worker: &mut Worker,
    question: &EvaluationRequest<'_>,
    caller: &Caller,
    facts: &Facts<'_>,
) -> Result<Decision, (Counter, Option<Pending>)> {
    let settings = &worker.config.cache;
    let Some(in_force) = worker.synced.caching() else {
        return Err((Counter::CacheMissVary, None));
    };
    if !worker.synced.is_fresh(settings.max_staleness) {
        return Err((Counter::CacheMissStale, None));
    }
    let (cache, scratch) = (&mut worker.cache, &mut worker.key);
    let found = caller.with_subject_key(in_force, |subject| {
        caching::look_up(cache, scratch, in_force, question, subject, facts.now)
    });
    let cached = match found {
        Some(Ok(cached)) => cached,
        Some(Err((miss, pending))) => return Err((caching::counter_of(miss), pending)),
        None => return Err((Counter::CacheMissVary, None)),
    };
    let original = cached.decision.id();
    match worker.synced.next_cached_id(original) {
        Some(id) => Ok(cached.decision.under(id)),
        // Its id is so long that no other can name it.
        None => Err((Counter::CacheMissVary, None)),
    }
}
