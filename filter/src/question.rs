//! The question of one request: answered from memory where what is remembered still stands, else
//! written down for the PDP, in the shortest form that it can read.

use edgeward_core::authzen::{Context, EvaluationRequest, Source, Tls};
use edgeward_core::decide;
use edgeward_core::decision::{Decision, LocalKind};

use crate::caching::{self, Pending};
use crate::caller::Caller;
use crate::identify::Facts;
use crate::intake::Intake;
use crate::stats::Counter;
use crate::step::{Ask, Door};
use crate::worker::Worker;

/// Of so many questions one is put whole, so that the PDP can try the policy's footprint on it.
const COMPARE_EVERY: u32 = 1024;

/// What became of a question.
pub(crate) enum Question {
    /// It was decided before, and is decided alike under an id that says so.
    Decided(Decision),
    /// It has to be asked; with what is needed to remember the answer, where that may be done.
    Open(Ask, Option<Pending>),
    /// It cannot be written: not reachable with what was read.
    Unwritable,
}

/// A question that finds no answer in memory.
struct Miss {
    cause: Counter,
    pending: Option<Pending>,
    /// The projection, for the PDP that told the footprint.
    projected: Option<Vec<u8>>,
}

impl From<Counter> for Miss {
    fn from(cause: Counter) -> Self {
        Self {
            cause,
            pending: None,
            projected: None,
        }
    }
}

/// Puts the question whether `caller` may do what `intake` says.
pub(crate) fn put(
    worker: &mut Worker,
    intake: &Intake,
    caller: &Caller,
    facts: &Facts<'_>,
) -> Question {
    let address = std::cell::OnceCell::new();
    // A call of the host: not made where nothing depends on it.
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
    let Some(subject) = caller.question() else {
        return Question::Unwritable;
    };
    let mut question = EvaluationRequest::http(subject, &intake.request, headers, context);
    let in_force = worker.synced.caching();
    if in_force.is_some_and(|in_force| caching::reads_source(&in_force.caching.vary)) {
        question.context.source = source();
    }
    let miss = match look_up(worker, &question, caller, facts) {
        Ok(decision) => {
            worker.tally.count(Counter::CacheHit);
            return Question::Decided(decision);
        }
        Err(miss) => miss,
    };
    worker.tally.count(miss.cause);
    worker.asked = worker.asked.wrapping_add(1);
    let door = match &miss.projected {
        None => Door::Evaluation,
        Some(_) if intake.ask_whole => Door::Evaluation,
        Some(_) if worker.asked.is_multiple_of(COMPARE_EVERY) => Door::Compare,
        Some(_) => Door::Decide,
    };
    let body = if let (Door::Decide, Some(projected)) = (door, miss.projected) {
        projected
    } else {
        question.context.source = source();
        match serde_json::to_vec(&question) {
            Ok(whole) => whole,
            Err(_) => return Question::Unwritable,
        }
    };
    Question::Open(Ask { door, body }, miss.pending)
}

fn look_up(
    worker: &mut Worker,
    question: &EvaluationRequest<'_>,
    caller: &Caller,
    facts: &Facts<'_>,
) -> Result<Decision, Miss> {
    let Some(in_force) = worker.synced.caching() else {
        return Err(Counter::CacheMissVary.into());
    };
    let fresh = worker.synced.is_fresh(worker.config.cache.max_staleness);
    let (cache, key, about) = (&mut worker.cache, &mut worker.key, &worker.about);
    let found = caller.with_subject_key(in_force, about, |(subject, who)| {
        let found = caching::look_up(cache, key, in_force, fresh, question, subject, facts.now);
        found.map_err(|(miss, pending)| {
            let mut body = Vec::with_capacity(key.len() + 512);
            decide::write_question(&mut body, &in_force.caching.program);
            let atoms = &in_force.caching.atoms;
            edgeward_core::cache_key::write_question(&mut body, question, who, about, atoms);
            body.extend_from_slice(key);
            Miss {
                cause: in_force.cause(miss),
                pending,
                projected: Some(body),
            }
        })
    });
    // It has no subject that can be read: not reachable with what was written.
    let cached = found.ok_or(Counter::CacheMissVary)??;
    let original = cached.decision.id();
    match worker.synced.next_reused_id(LocalKind::Cached, original) {
        Some(id) => Ok(cached.decision.under(id)),
        // Its id is so long that no other can name it.
        None => Err(Counter::CacheMissVary.into()),
    }
}
