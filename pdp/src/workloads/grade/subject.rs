//! What a pattern says, attribute by attribute: a subject is taken apart into those that it is made
//! of.

use super::provider_kind::{Facet, Profile, Subject, named};

/// What a pattern says of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said<'p> {
    pub(super) facet: Facet,
    pub(super) text: &'p str,
    pub(super) hold: Hold,
}

/// How much of a value is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hold {
    /// Nothing.
    Any,
    /// Some text.
    Partly,
    /// All of it.
    Exact,
}

impl Hold {
    pub(super) fn of(text: &str) -> Self {
        if !text.contains('*') {
            Self::Exact
        } else if text.chars().all(|one| one == '*') {
            Self::Any
        } else {
            Self::Partly
        }
    }
}

/// What `text`, a pattern of the attribute `name`, says.
pub(super) fn said<'p>(profile: &Profile, name: &str, text: &'p str) -> Vec<Said<'p>> {
    if name == "subject" {
        return of_subject(profile, text);
    }
    let facet = profile.facet(name);
    let said = facet.map(|facet| Said {
        facet,
        text,
        hold: Hold::of(text),
    });
    said.into_iter().collect()
}

fn of_subject<'p>(profile: &Profile, text: &'p str) -> Vec<Said<'p>> {
    match profile.subject {
        Subject::Whole(facet) => vec![Said {
            facet,
            text,
            hold: Hold::of(text),
        }],
        Subject::Pairs(separator, facets) => pairs(facets, text, separator),
        Subject::Steps => steps(text),
        Subject::ServiceAccount => service_account(text),
    }
}

/// The parts of a subject. Behind a `**` nothing is sure to stand where it seems to: it is given
/// partly at the most.
fn parts(text: &str, separator: char) -> impl Iterator<Item = (&str, Hold)> {
    let mut sure = true;
    text.split(separator).map(move |part| {
        let hold = Hold::of(part);
        let hold = if sure { hold } else { hold.min(Hold::Partly) };
        sure &= !part.contains("**");
        (part, hold)
    })
}

/// `name:value:name:value`. A subject that does not begin with a name that is known is not read.
fn pairs<'p>(facets: &[(&str, Facet)], text: &'p str, separator: char) -> Vec<Said<'p>> {
    let mut said = Vec::new();
    let mut parts = parts(text, separator);
    while let Some((part, _)) = parts.next() {
        if part == "pull_request" {
            said.push(Said {
                facet: Facet::Event,
                text: part,
                hold: Hold::Exact,
            });
            continue;
        }
        match named(facets, part) {
            Some(facet) => said.extend(parts.next().map(|(text, hold)| Said { facet, text, hold })),
            None if said.is_empty() => return said,
            None => {}
        }
    }
    said
}

fn steps(text: &str) -> Vec<Said<'_>> {
    let parts: Vec<(&str, Hold)> = parts(text, ':').collect();
    let facets: &[Facet] = match parts.as_slice() {
        [_, (environment, _), _] if environment.starts_with('{') => {
            &[Facet::ThingId, Facet::Scope, Facet::SingleRun]
        }
        [_, _] => &[Facet::ThingId, Facet::SingleRun],
        _ => &[Facet::ThingId],
    };
    let said = facets.iter().zip(parts);
    said.map(|(facet, (text, hold))| Said {
        facet: *facet,
        text,
        hold,
    })
    .collect()
}

fn service_account(text: &str) -> Vec<Said<'_>> {
    let parts: Vec<(&str, Hold)> = parts(text, ':').collect();
    let [("system", _), ("serviceaccount", _), namespace, account] = parts.as_slice() else {
        return Vec::new();
    };
    let of = |facet, (text, hold)| Said { facet, text, hold };
    vec![
        of(Facet::OwnerId, *namespace),
        of(Facet::OwnedName, *account),
    ]
}
