//! `regex.globs_match`: whether there is a text, not empty where a pattern loops, that two patterns of
//! single characters, `.`, `[a-c]`, `+` and `*` both match.
//!
//! The algorithm is OPA's, for its answers are: alike ends are set aside, and loops then take what they
//! can without looking back more than once.

use regorus::Value;

use super::arguments::Arguments;
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[("regex.globs_match", 2, |a: &Arguments<'_>| {
    let (left, right) = (parse(a.text(0)?)?, parse(a.text(1)?)?);
    let Some((left, right)) = without_ends(&left, &right) else {
        return Ok(Value::from(false));
    };
    let mut steps = 0;
    Ok(Value::from(meet(left, right, &mut steps)?))
})];

/// Comparisons of one call: patterns with many loops would need more of them than there is time for.
const MAX_STEPS: usize = 100_000;
/// Loops within loops of one call, each of which takes stack.
const MAX_TOKENS: usize = 1_000;

/// What one place of a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Characters {
    Any,
    /// Of one of these ranges, both ends included.
    Ranges(Vec<(char, char)>),
}

impl Characters {
    fn meets(&self, other: &Self) -> bool {
        let (Self::Ranges(left), Self::Ranges(right)) = (self, other) else {
            return true;
        };
        let overlap = |(from, to): &(char, char)| right.iter().any(|(a, b)| from <= b && a <= to);
        left.iter().any(overlap)
    }
}

/// How often a place repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    Once,
    /// `+`.
    OnceOrMore,
    /// `*`.
    AnyNumber,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    characters: Characters,
    repeats: Repeats,
}

fn parse(pattern: &str) -> Result<Vec<Place>, Failed> {
    let invalid = |at: usize, why: &str| {
        Failed::Refused(format!(
            "input:{pattern}, pos:{at}, {why}: the input provided is invalid"
        ))
    };
    let mut places: Vec<Place> = Vec::new();
    let mut rest = pattern.chars().enumerate();
    while let Some((at, character)) = rest.next() {
        let characters = match character {
            '+' | '*' => {
                let flagged = places.last_mut().filter(|p| p.repeats == Repeats::Once);
                let place = flagged.ok_or_else(|| {
                    invalid(
                        at + 1,
                        &format!("flag '{character}' must be preceded by a non-flag"),
                    )
                })?;
                place.repeats = if character == '+' {
                    Repeats::OnceOrMore
                } else {
                    Repeats::AnyNumber
                };
                join_alike(&mut places);
                continue;
            }
            '.' => Characters::Any,
            '[' => Characters::Ranges(ranges(&mut rest).map_err(|(at, why)| invalid(at, why))?),
            ']' => return Err(invalid(at + 1, "set-close ']' with no preceding '['")),
            '\\' => match rest.next() {
                Some((_, escaped)) => Characters::Ranges(vec![(escaped, escaped)]),
                None => return Err(invalid(at, "input ends with a \\ (escape) character")),
            },
            plain => Characters::Ranges(vec![(plain, plain)]),
        };
        places.push(Place {
            characters,
            repeats: Repeats::Once,
        });
    }
    if places.len() > MAX_TOKENS {
        return Err(Failed::Bound("a pattern may have 1000 places"));
    }
    Ok(places)
}

/// Makes one loop of two over the same.
fn join_alike(places: &mut Vec<Place>) {
    let [.., before, last] = places.as_mut_slice() else {
        return;
    };
    if before.repeats == Repeats::Once || before.characters != last.characters {
        return;
    }
    if last.repeats == Repeats::OnceOrMore {
        before.repeats = Repeats::OnceOrMore;
    }
    places.pop();
}

/// What a bracket holds, up to the one that closes it.
fn ranges(
    rest: &mut impl Iterator<Item = (usize, char)>,
) -> Result<Vec<(char, char)>, (usize, &'static str)> {
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut last = 0;
    // A `-` makes the character before it the start of a range.
    let mut open = false;
    for (at, character) in rest.by_ref() {
        last = at + 1;
        match (character, open) {
            (']', true) => {
                return Err((
                    at,
                    "range character '-' must be followed by a Unicode character",
                ));
            }
            (']', false) => return Ok(ranges),
            ('-', false) => {
                if ranges.is_empty() {
                    return Err((
                        at,
                        "range character '-' must be preceded by a Unicode character",
                    ));
                }
                open = true;
            }
            (end, true) => {
                match ranges.last_mut() {
                    Some((from, to)) if *from <= end => *to = end,
                    _ => return Err((at + 1, "range is out of order")),
                }
                open = false;
            }
            (one, false) => ranges.push((one, one)),
        }
    }
    Err((last, "found [ without matching ]"))
}

/// The patterns without the places at both ends that repeat in neither, but for one, if those meet.
fn without_ends<'p>(left: &'p [Place], right: &'p [Place]) -> Option<(&'p [Place], &'p [Place])> {
    let once = |(l, r): &(&Place, &Place)| l.repeats == Repeats::Once && r.repeats == Repeats::Once;
    let meets = |(l, r): (&Place, &Place)| l.characters.meets(&r.characters);
    let starts = left.iter().zip(right).take_while(once);
    let start = starts.clone().count();
    if !starts.into_iter().all(meets) {
        return None;
    }
    let start = start.saturating_sub(1);
    let (left, right) = (left.get(start..)?, right.get(start..)?);
    let ends = left.iter().rev().zip(right.iter().rev()).take_while(once);
    let end = ends.clone().count();
    if !ends.into_iter().all(meets) {
        return None;
    }
    let end = end.saturating_sub(1);
    Some((
        left.get(..left.len() - end)?,
        right.get(..right.len() - end)?,
    ))
}

/// Whether both patterns meet to their ends.
fn meet(mut left: &[Place], mut right: &[Place], steps: &mut usize) -> Result<bool, Failed> {
    loop {
        *steps += 1;
        if *steps > MAX_STEPS {
            return Err(Failed::Bound("patterns may take 100000 steps"));
        }
        let ([l, after_l @ ..], [r, after_r @ ..]) = (left, right) else {
            return Ok(left.is_empty() && right.is_empty());
        };
        match (l.repeats, r.repeats) {
            (Repeats::Once, Repeats::Once) => {
                if !l.characters.meets(&r.characters) {
                    return Ok(false);
                }
            }
            (Repeats::Once, _) => return looped(right, left, steps),
            (_, Repeats::Once) => return looped(left, right, steps),
            _ => return Ok(looped(left, right, steps)? || looped(right, left, steps)?),
        }
        (left, right) = (after_l, after_r);
    }
}

/// Whether `looping`, whose first place repeats, meets `other`.
fn looped(looping: &[Place], other: &[Place], steps: &mut usize) -> Result<bool, Failed> {
    let ([first, after @ ..], [one, rest @ ..]) = (looping, other) else {
        return Ok(false);
    };
    let mut other = other;
    if first.repeats == Repeats::OnceOrMore {
        if !first.characters.meets(&one.characters) {
            return Ok(false);
        }
        other = rest;
    }
    for (at, place) in other.iter().enumerate() {
        let next = after.first();
        if next.is_some_and(|next| next.characters.meets(&place.characters))
            && meet(after, other.get(at..).unwrap_or_default(), steps)?
        {
            return Ok(true);
        }
        *steps += 1;
        if !first.characters.meets(&place.characters) {
            return Ok(false);
        }
    }
    Ok(after.is_empty())
}
