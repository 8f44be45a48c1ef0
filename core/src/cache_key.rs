//! The key under which a decision is remembered: the canonical bytes of the projected question.
//!
//! One encoding for filter and PDP, and the same bytes whether a question is written from its
//! parts ([`write_question`]) or from JSON ([`write_value`]). Every value has a tag, every text its
//! length, every list and object its end: no two values share an encoding, and none is the
//! beginning of another. Absent, null, false and empty differ. Numbers are written as they are
//! spelt, so that `1` and `1.0` only lose a hit.
//!
//! Not a hash: keys are compared whole.

mod item;

use serde_json::{Number, Value};

pub use item::{Item, Items, KeyError, write_item};

use crate::atoms::Atoms;
use crate::authzen::EvaluationRequest;
use crate::footprint::Footprint;

/// The longest key that is worth remembering, in bytes.
pub const MAX_KEY_BYTES: usize = 4096;

pub(crate) const NULL: u8 = 0;
pub(crate) const FALSE: u8 = 1;
pub(crate) const TRUE: u8 = 2;
pub(crate) const NUMBER: u8 = 3;
pub(crate) const TEXT: u8 = 4;
pub(crate) const LIST: u8 = 5;
pub(crate) const OBJECT: u8 = 6;
pub(crate) const END: u8 = 7;

/// Appends the encoding of `value`.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push(LIST);
            for item in items {
                write_value(out, item);
            }
            out.push(END);
        }
        Value::Object(members) => {
            // In the map's own order, which is by name.
            out.push(OBJECT);
            for (name, value) in members {
                write_text(out, name);
                write_value(out, value);
            }
            out.push(END);
        }
    }
}

/// Appends the encoding of the projection of `value` onto `vary`, without making that.
pub fn write_projection(out: &mut Vec<u8>, value: &Value, vary: &Footprint) {
    let (Footprint::Members(tracked), Value::Object(members)) = (vary, value) else {
        return write_value(out, value);
    };
    // Both are in the order of their names.
    out.push(OBJECT);
    for (name, part) in tracked.iter() {
        if let Some(value) = members.get(name) {
            write_text(out, name);
            write_projection(out, value, part);
        }
    }
    out.push(END);
}

/// Appends the encoding of the projection of `question`, with its atoms, onto `vary`. `subject` is the
/// encoding of the subject's projection: it is the same for every request of a caller, so it is made
/// once. The feed tells no `atoms` that `vary` does not cover, so none is made in vain. Schedules are
/// not in the key: what is decided ends at their boundaries ([`crate::decision::Premises`]).
pub fn write_question(
    out: &mut Vec<u8>,
    question: &EvaluationRequest<'_>,
    subject: &[u8],
    vary: &Footprint,
    atoms: &Atoms,
) {
    // Members by name, as in `write_value`.
    let mut whole = ObjectKey::open(out, vary);
    whole.object("action", |action| action.text("name", question.action.name));
    whole.object("context", |context| {
        context.object("source", |source| {
            let address = question.context.source.address;
            source.text("address", address);
            source.texts("networks", || atoms.networks.of(address));
        });
        if let Some(tls) = &question.context.tls {
            context.object("tls", |part| part.text("peer", tls.peer));
        }
    });
    whole.object("resource", |resource| {
        let target = &question.resource;
        resource.text("id", target.id);
        resource.object("properties", |part| {
            let properties = &target.properties;
            let (host, segments) = (properties.host, properties.segments);
            let route = atoms.routes.find(question.action.name, host, segments);
            part.multimap("headers", &properties.headers.0);
            part.text("host", host);
            if let Some(route) = &route {
                part.object("params", |params| {
                    for (name, value) in &route.params {
                        params.text(name, value);
                    }
                });
            }
            part.text("path", properties.path);
            if let Some(port) = properties.port {
                part.number("port", port);
            }
            part.multimap("query", &properties.query.0);
            if let Some(route) = &route {
                part.text("route", route.name);
            }
            part.texts("segments", || segments.iter().map(String::as_str));
        });
        resource.text("type", target.r#type);
    });
    whole.encoded("subject", subject);
    whole.close();
}

/// An object that is being written, of which only some members may be.
struct ObjectKey<'o> {
    out: &'o mut Vec<u8>,
    part: &'o Footprint,
}

impl<'o> ObjectKey<'o> {
    fn open(out: &'o mut Vec<u8>, part: &'o Footprint) -> Self {
        out.push(OBJECT);
        Self { out, part }
    }

    fn close(self) {
        self.out.push(END);
    }

    /// Writes the name, where the member may be read.
    fn name(&mut self, name: &str) -> Option<&'o Footprint> {
        let part = self.part.member(name)?;
        write_text(self.out, name);
        Some(part)
    }

    fn object(&mut self, name: &str, fill: impl FnOnce(&mut ObjectKey<'_>)) {
        if let Some(part) = self.name(name) {
            let mut object = ObjectKey::open(self.out, part);
            fill(&mut object);
            object.close();
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        if self.name(name).is_some() {
            write_text(self.out, text);
        }
    }

    fn number(&mut self, name: &str, number: u16) {
        if self.name(name).is_some() {
            write_number(self.out, &number.into());
        }
    }

    fn texts<'t, I: Iterator<Item = &'t str>>(&mut self, name: &str, texts: impl FnOnce() -> I) {
        if self.name(name).is_some() {
            write_texts(self.out, texts());
        }
    }

    fn encoded(&mut self, name: &str, encoding: &[u8]) {
        if self.name(name).is_some() {
            self.out.extend_from_slice(encoding);
        }
    }

    /// Names with several values, written as an object of lists.
    fn multimap(&mut self, name: &str, pairs: &[(&str, &str)]) {
        let Some(part) = self.name(name) else { return };
        let mut object = ObjectKey::open(self.out, part);
        match part {
            Footprint::Members(members) => {
                for name in members.keys() {
                    object.values(name, pairs);
                }
            }
            Footprint::Whole => {
                // By name; a sort would cost the filter's module more than it saves: headers are few.
                let mut last = None;
                let names = || pairs.iter().map(|(name, _)| *name);
                while let Some(name) = names().filter(|name| last < Some(*name)).min() {
                    object.values(name, pairs);
                    last = Some(name);
                }
            }
        }
        object.close();
    }

    fn values(&mut self, name: &str, pairs: &[(&str, &str)]) {
        let mut values = pairs
            .iter()
            .filter(|(other, _)| *other == name)
            .map(|(_, value)| *value)
            .peekable();
        if values.peek().is_some() {
            self.texts(name, || values);
        }
    }
}

fn write_texts<'t>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'t str>) {
    out.push(LIST);
    for text in texts {
        write_text(out, text);
    }
    out.push(END);
}

pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_bytes(out, TEXT, text.as_bytes());
}

/// As JSON spells it: by the code that writes JSON, which is there anyway.
fn write_number(out: &mut Vec<u8>, number: &Number) {
    // It has no way to fail: no number is a map key, and memory takes what is written.
    let text = serde_json::to_vec(number).unwrap_or_default();
    write_bytes(out, NUMBER, &text);
}

/// A tag, a length in bytes (seven bits a byte, the lowest first), the text.
fn write_bytes(out: &mut Vec<u8>, tag: u8, text: &[u8]) {
    out.push(tag);
    let low = |length: usize| u8::try_from(length & 0x7f).unwrap_or_default();
    let mut length = text.len();
    while length > 0x7f {
        out.push(low(length) | 0x80);
        length >>= 7;
    }
    out.push(low(length));
    out.extend_from_slice(text);
}

#[cfg(test)]
#[path = "cache_key_tests.rs"]
mod tests;
