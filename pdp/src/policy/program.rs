//! What decides, named by its content: what a decision rests on beside its question and the time.
//!
//! It has two halves. The *policies* are the Rego text that serves (tests decide nothing), the entry
//! point, the limits of the engine, and what was found to be readable, by which questions are
//! projected. The *data* are what of the data files can be read. Sets that agree in both decide
//! alike, whatever else tells them apart: other data, other tests, another order of loading.
//!
//! Each half has a number in this process, so that a look-up compares two integers; filters know the
//! whole by its name.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use edgeward_core::footprint::Footprint;
use edgeward_core::revocation::hex;
use regorus::Value;
use sha2::{Digest, Sha256};

use super::footprint::Analysis;
use super::settings::PolicySettings;
use super::sources::Sources;

/// How many contents keep their number once they are no longer in force: going back to one of them
/// gives its decisions back.
const REMEMBERED: usize = 256;

type Content = [u8; 32];

/// The two halves, as numbers that only this process knows. Equal numbers, equal content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Of the policies.
    pub policies: u64,
    /// Of the data that they can read.
    pub data: u64,
}

/// What decides.
#[derive(Debug)]
pub(super) struct Program {
    /// A digest of both halves, in hex.
    pub(super) name: String,
    /// One of the policies alone.
    pub(super) policies: String,
    pub(super) numbers: Numbers,
}

impl Program {
    /// What `sources` come to where they are asked as `settings` say and can read `footprint`.
    pub(super) fn of(sources: &Sources, settings: &PolicySettings, footprint: &Analysis) -> Self {
        let (policies, data) = (
            policies(sources, settings, footprint),
            data(sources, footprint),
        );
        let mut both = Sha256::new();
        both.update(policies);
        both.update(data);
        Self {
            name: hex(&both.finalize()),
            policies: hex(&policies),
            numbers: Numbers {
                policies: number_of(policies),
                data: number_of(data),
            },
        }
    }
}

fn policies(sources: &Sources, settings: &PolicySettings, footprint: &Analysis) -> Content {
    let mut hash = Sha256::new();
    // Another release may have another engine, or other limits.
    text(&mut hash, concat!("edgeward ", env!("CARGO_PKG_VERSION")));
    text(&mut hash, &settings.entry_point);
    let limits = (
        settings.evaluation_timeout,
        settings.clock_quantum,
        settings.builtin_errors,
    );
    text(&mut hash, &format!("{limits:?}"));
    for footprint in [&footprint.input, &footprint.data] {
        // One byte more or less widens or narrows what questions are told apart by.
        text(&mut hash, &format!("{footprint:?}"));
    }
    for module in sources.modules.iter().filter(|module| !module.is_test()) {
        text(&mut hash, &module.file);
        text(&mut hash, &module.text);
    }
    for policy in &sources.compiled {
        text(&mut hash, &policy.file);
        hash.update((policy.bytes.len() as u64).to_be_bytes());
        hash.update(&policy.bytes);
        // Which of its parts answers for what.
        text(&mut hash, &format!("{:?}", policy.entry_points));
    }
    hash.finalize().into()
}

fn data(sources: &Sources, footprint: &Analysis) -> Content {
    let mut hash = Sha256::new();
    text(&mut hash, "data");
    part(&mut hash, &sources.data, &footprint.data);
    hash.finalize().into()
}

/// Adds what of `value` can be read by `footprint`.
fn part(hash: &mut Sha256, value: &Value, footprint: &Footprint) {
    match (footprint, value) {
        (Footprint::Members(members), Value::Object(_)) => {
            hash.update([b'{']);
            for (name, footprint) in members.iter() {
                let value = &value[name.as_str()];
                if *value != Value::Undefined {
                    text(hash, name);
                    part(hash, value, footprint);
                }
            }
            hash.update([b'}']);
        }
        (_, Value::Object(members)) => {
            hash.update([b'{']);
            for (name, value) in members.iter() {
                part(hash, name, &Footprint::Whole);
                part(hash, value, &Footprint::Whole);
            }
            hash.update([b'}']);
        }
        (_, Value::Array(items)) => {
            hash.update([b'[']);
            for item in items.iter() {
                part(hash, item, &Footprint::Whole);
            }
            hash.update([b']']);
        }
        (_, Value::String(string)) => text(hash, string),
        // Numbers, flags and null have one spelling each; data files hold nothing else.
        (_, other) => {
            hash.update([b'=']);
            text(hash, &format!("{other:?}"));
            text(hash, &kind_of_number(other));
        }
    }
}

/// Tells a whole number from a fraction of the same value: `10000000000000000` and `1e16` are written
/// alike, and reckoned with in another way. No fraction can hold the product.
fn kind_of_number(value: &Value) -> String {
    const THREE_TO_THE_40TH: u64 = 12_157_665_459_056_928_801;
    match (value, &Value::from(THREE_TO_THE_40TH)) {
        (Value::Number(number), Value::Number(factor)) => number
            .mul(factor)
            .map_or_else(|_| String::new(), |product| product.format_decimal()),
        _ => String::new(),
    }
}

/// A tag and the length first, so that no two contents share one stream of bytes.
fn text(hash: &mut Sha256, text: &str) {
    hash.update([b'"']);
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

/// Contents seen lately, the newest last, and the next number.
static SEEN: Mutex<(VecDeque<(Content, u64)>, u64)> = Mutex::new((VecDeque::new(), 1));

/// The number of `content`: the one it had, or the next.
fn number_of(content: Content) -> u64 {
    let seen = &mut *SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let (contents, next) = seen;
    let known = contents.iter().position(|(known, _)| *known == content);
    let entry = known
        .and_then(|place| contents.remove(place))
        .unwrap_or_else(|| {
            *next += 1;
            (content, *next)
        });
    contents.push_back(entry);
    if contents.len() > REMEMBERED {
        contents.pop_front();
    }
    entry.1
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
