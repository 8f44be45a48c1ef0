//! A question, as a door takes it, and its key where more goes into that than the caller says: the
//! atoms, which the PDP tells, and what a filter leaves to the PDP.

use edgeward_core::cache_key::write_value;
use edgeward_core::decide::Question;
use edgeward_core::feed::Caching;
use edgeward_core::footprint::Footprint;
use edgeward_core::time::UnixSeconds;

use super::asked::Asked;
use super::question;
use super::question_key::supply;
use super::reply::Refusal;
use crate::atoms::{Atoms, PARAMS, ROUTE, SCHEDULES, Told, reads};

/// How much is made of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// What is remembered is reused, and now and then an evaluation is tried on the whole input.
    Usual,
    /// It is evaluated anew, and tried on the whole input.
    Compare,
}

/// A question, as a door takes it.
#[derive(Clone, Copy)]
pub(super) enum Put<'q> {
    /// The body of an evaluation request.
    Whole(&'q [u8], Care),
    /// A projection, for one program alone: there is no more to try anything on.
    Projected(&'q Question<'q>),
}

/// Writes the key of `body` where the policy can read an atom: what atoms are made of is more than it reads, so
/// the question is read whole and told them.
pub(super) fn of_whole(
    body: &[u8],
    now: UnixSeconds,
    vary: &Footprint,
    atoms: &Atoms,
    key: &mut Vec<u8>,
) -> Result<(Asked<'static>, Told), Refusal> {
    let mut input = question::read(body, now)?;
    let asked = Asked::of(&input).into_owned();
    let told = atoms.tell(&mut input, now);
    key.clear();
    write_value(key, &vary.project(input));
    Ok((asked, told))
}

/// Whether what atoms are told into a question can be seen through `vary`.
pub(super) fn reads_atoms(vary: &Footprint) -> bool {
    let places: [&[&str]; 4] = [
        &SCHEDULES,
        // Made where there is none.
        &["context", "source"],
        &ROUTE,
        &PARAMS,
    ];
    places.into_iter().any(|path| reads(vary, path))
}

/// Writes the key of a filter's `question` for the program `caching`, asked at `now`, into `key`; none
/// where it is for another. What only the PDP knows is the PDP's to say: no filter's clock decides.
pub(super) fn of_projected<'q>(
    question: &'q Question<'_>,
    now: UnixSeconds,
    caching: &Caching,
    atoms: &Atoms,
    (key, scratch): (&mut Vec<u8>, &mut Vec<u8>),
) -> Result<(Asked<'q>, Told), Refusal> {
    let vary = &caching.vary;
    let mut input = question.input.clone();
    let told = atoms.complete(&mut input, vary, now);
    if !atoms.is_program(question.program, caching, &told) {
        return Err(Refusal::AnotherProgram);
    }
    let asked = Asked {
        has_context: input.get("context").is_some(),
        has_time: false,
        ..Asked::of(&question.about)
    };
    key.clear();
    // It is a projection already, or this makes it one.
    write_value(key, &vary.project(input));
    supply(key, scratch, &asked, now, vary)?;
    Ok((asked, told))
}
