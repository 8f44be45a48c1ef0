//! The answer: written by the PDP, read by the filter.
//!
//! [`VERSION`], the verdict, the decision's id, the reasons, the headers to set on the request and
//! on the response (names and values in turn), and what the decision rests on: when it was made and
//! when it ends, or nothing. The program is not told: it is the one that was asked.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::{VERSION, WireError};
use crate::cache_key::{END, LIST, write_text};
use crate::decision::{Decision, DecisionId, Obligations};
use crate::time::UnixSeconds;

const DENY: u8 = 0;
const ALLOW: u8 = 1;
const UNFOUNDED: u8 = 0;
const FOUNDED: u8 = 1;

/// An answer that was read.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// What was decided.
    pub decision: Decision,
    /// The PDP's time when it answered, and the first instant at which the decision must no longer
    /// be reused; none where it must not be at all.
    pub holds: Option<(UnixSeconds, UnixSeconds)>,
}

/// Appends the answer.
pub fn write_answer(
    out: &mut Vec<u8>,
    decision: &Decision,
    holds: Option<(UnixSeconds, UnixSeconds)>,
) {
    out.push(VERSION);
    out.push(if decision.is_allow() { ALLOW } else { DENY });
    write_text(out, decision.id().as_str());
    write_list(out, decision.reasons().iter());
    let nothing = Obligations::default();
    let obligations = match decision {
        Decision::Allow { obligations, .. } => obligations,
        Decision::Deny { .. } => &nothing,
    };
    for headers in [&obligations.request_headers, &obligations.response_headers] {
        write_list(out, headers.iter().flat_map(|(name, value)| [name, value]));
    }
    match holds {
        None => out.push(UNFOUNDED),
        Some((now, until)) => {
            out.push(FOUNDED);
            out.extend_from_slice(&now.0.to_be_bytes());
            out.extend_from_slice(&until.0.to_be_bytes());
        }
    }
}

/// Reads an answer.
pub fn read_answer(body: &[u8]) -> Result<Verdict, WireError> {
    let mut reader = Reader(body);
    let verdict = take_answer(&mut reader)?;
    reader.end()?;
    Ok(verdict)
}

/// Reads the answers to the first of `questions`, in their order, one after the other: to one at the
/// least. The others are to be asked again.
pub fn read_answers(body: &[u8], questions: usize) -> Result<Vec<Verdict>, WireError> {
    let mut reader = Reader(body);
    let mut answers = Vec::with_capacity(questions);
    while answers.is_empty() || !reader.is_at_end() {
        if answers.len() == questions {
            return Err(WireError);
        }
        answers.push(take_answer(&mut reader)?);
    }
    Ok(answers)
}

fn take_answer(reader: &mut Reader<'_>) -> Result<Verdict, WireError> {
    reader.expect(VERSION)?;
    let allow = match reader.byte()? {
        ALLOW => true,
        DENY => false,
        _ => return Err(WireError),
    };
    let id: DecisionId = reader.text()?.parse().map_err(|_| WireError)?;
    let mut reasons = Vec::new();
    read_list(reader, |reader| {
        reasons.push(reader.text()?.to_owned());
        Ok(())
    })?;
    let request_headers = read_headers(reader)?;
    let response_headers = read_headers(reader)?;
    let holds = match reader.byte()? {
        UNFOUNDED => None,
        FOUNDED => Some((UnixSeconds(reader.number()?), UnixSeconds(reader.number()?))),
        _ => return Err(WireError),
    };
    let obligations = Obligations::new(request_headers, response_headers).map_err(|_| WireError)?;
    let decision = if allow {
        Decision::Allow {
            id,
            reasons,
            obligations,
        }
    } else {
        Decision::Deny { id, reasons }
    };
    Ok(Verdict { decision, holds })
}

fn write_list<'t>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'t String>) {
    out.push(LIST);
    for text in texts {
        write_text(out, text);
    }
    out.push(END);
}

fn read_list<'b>(
    reader: &mut Reader<'b>,
    mut item: impl FnMut(&mut Reader<'b>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    reader.expect(LIST)?;
    while !reader.take_if(END) {
        item(reader)?;
    }
    Ok(())
}

fn read_headers(reader: &mut Reader<'_>) -> Result<BTreeMap<String, String>, WireError> {
    let mut headers = BTreeMap::new();
    read_list(reader, |reader| {
        let name = reader.text()?.to_owned();
        let value = reader.text()?.to_owned();
        // A header with two values would have two readings.
        match headers.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(WireError),
        }
    })?;
    Ok(headers)
}
