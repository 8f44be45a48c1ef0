//! An `AuthZEN` evaluation request, read straight to its key: the canonical bytes
//! (`core::cache_key`) of the part of it that the policy can read. Nothing is built of the rest, and
//! yet all of it is judged: as strictly as `core::json` does, at every depth.
//!
//! INVARIANT: whatever this accepts, `question::read` reads, and the key is the encoding of that input's
//! projection. What this does not accept goes there, to be told what is wrong with it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use edgeward_core::cache_key::{Item, write_item};
use edgeward_core::footprint::Footprint;
use edgeward_core::json::Name;
use edgeward_core::time::UnixSeconds;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::asked::Asked;
use super::place::{Place, Says};
use super::reading::{Reading, Written};
use super::reply::Refusal;
use super::{question, supplied};

/// Members of one object that are compared one by one; more are looked up in a set.
const FEW: usize = 24;

/// Reads `body`, asked at `now`, and writes the key of its projection on `vary` into `key`; it and
/// `scratch` are overwritten.
pub(super) fn read<'b>(
    body: &'b [u8],
    now: UnixSeconds,
    vary: &Footprint,
    key: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) -> Result<Asked<'b>, Refusal> {
    key.clear();
    let asked = said(body, vary, key, scratch).map_err(|error| refusal(body, &error))?;
    supply(key, scratch, &asked, now, vary)?;
    Ok(asked)
}

/// Puts into `key` what the PDP supplies.
pub(super) fn supply(
    key: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    asked: &Asked<'_>,
    now: UnixSeconds,
    vary: &Footprint,
) -> Result<(), Refusal> {
    let supplied = supplied::members(asked, now, vary);
    supplied::put_into_key(key, scratch, &supplied, vary)
        .map_err(|error| Refusal::BadRequest(format!("body: {error}")))
}

/// What the caller says.
fn said<'b>(
    body: &'b [u8],
    vary: &Footprint,
    key: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) -> Result<Asked<'b>, serde_json::Error> {
    // One pass over all of it is cheaper than one over each text.
    let text = str::from_utf8(body).map_err(serde_json::Error::custom)?;
    let mut reading = Reading::into(key, scratch);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    reading
        .value(Place::Question, Some(vary))
        .deserialize(&mut deserializer)?;
    deserializer.end()?;
    if reading.required != Says::ALL_REQUIRED {
        return Err(serde_json::Error::custom("a required text is missing"));
    }
    Ok(reading.asked)
}

/// What is wrong with `body`, in the words of the reader that reads it whole.
fn refusal(body: &[u8], error: &serde_json::Error) -> Refusal {
    match question::said(body) {
        Err(refusal) => refusal,
        // Cannot be, and then it is no question.
        Ok(_) => Refusal::BadRequest(format!("body: {error}")),
    }
}

/// The value that comes next: where it stands, and what of it may be read, if anything.
struct Next<'r, 'k, 'b, 'f> {
    reading: &'r mut Reading<'k, 'b>,
    place: Place,
    part: Option<&'f Footprint>,
}

impl<'k, 'b> Reading<'k, 'b> {
    fn value<'r, 'f>(
        &'r mut self,
        place: Place,
        part: Option<&'f Footprint>,
    ) -> Next<'r, 'k, 'b, 'f> {
        Next {
            reading: self,
            place,
            part,
        }
    }
}

impl<'b> Next<'_, '_, 'b, '_> {
    /// Writes what has no members.
    fn leaf<E: Error>(self, item: Item<'_>) -> Result<(), E> {
        if self.place.is_object() || self.place.is_required_text() {
            return Err(E::custom("not of the type it must be"));
        }
        if self.part.is_some() {
            write_item(self.reading.key, item);
        }
        Ok(())
    }

    fn number<E: Error>(self, number: &Number) -> Result<(), E> {
        // No number is longer; as JSON spells it, by the code that writes JSON.
        let mut spelt = [0_u8; 40];
        let mut rest = &mut spelt[..];
        serde_json::to_writer(&mut rest, number).map_err(E::custom)?;
        let unused = rest.len();
        let text = spelt.get(..spelt.len() - unused).unwrap_or_default();
        self.leaf(Item::Number(str::from_utf8(text).map_err(E::custom)?))
    }

    fn text<E: Error>(self, text: Cow<'b, str>) -> Result<(), E> {
        if self.place.is_object() {
            return Err(E::custom("not an object"));
        }
        if self.part.is_some() {
            write_item(self.reading.key, Item::Text(&text));
        }
        if let Place::Text(says) = self.place {
            self.reading.note(says, text);
        }
        Ok(())
    }
}

impl<'b> DeserializeSeed<'b> for Next<'_, '_, 'b, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'b> Visitor<'b> for Next<'_, '_, 'b, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.leaf(Item::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.leaf(Item::Flag(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(&value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(&value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number is not finite"))?;
        self.number(&number)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'b str) -> Result<(), E> {
        self.text(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.text(Cow::Owned(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut items: A) -> Result<(), A::Error> {
        let Next {
            reading,
            place,
            part,
        } = self;
        if place.is_object() || place.is_required_text() {
            return Err(A::Error::custom("not of the type it must be"));
        }
        // A list is read in whole or not at all.
        let part = part.map(|_| &Footprint::Whole);
        if part.is_some() {
            write_item(reading.key, Item::List);
        }
        while items
            .next_element_seed(reading.value(Place::Anywhere, part))?
            .is_some()
        {}
        if part.is_some() {
            write_item(reading.key, Item::End);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'b>>(self, mut members: A) -> Result<(), A::Error> {
        let Next {
            reading,
            place,
            part,
        } = self;
        if place.is_required_text() {
            return Err(A::Error::custom("not a text"));
        }
        if part.is_some() {
            write_item(reading.key, Item::Object);
        }
        let start = reading.key.len();
        let (first_name, first_written) = (reading.names.len(), reading.written.len());
        let mut many: Option<HashSet<Cow<'b, str>>> = None;
        while let Some(name) = members.next_key_seed(Name)? {
            let is_new = match &mut many {
                None => !reading.has(first_name, &name),
                Some(known) => known.insert(name.clone()),
            };
            if !is_new {
                return Err(A::Error::custom("duplicate member name"));
            }
            if many.is_none() && reading.names.len() - first_name >= FEW {
                let known = reading.names.get(first_name..).unwrap_or_default();
                many = Some(known.iter().chain([&name]).cloned().collect());
            }
            let (place, is_known) = place.member(&name, &mut reading.asked);
            // What the standard does not know is no part of the question.
            let part = part
                .filter(|_| is_known)
                .and_then(|part| part.member(&name));
            let from = reading.key.len();
            if part.is_some() {
                write_item(reading.key, Item::Text(&name));
            }
            let index = reading.names.len();
            reading.names.push(name);
            members.next_value_seed(reading.value(place, part))?;
            if part.is_some() {
                reading.written.push(Written {
                    name: index,
                    from,
                    to: reading.key.len(),
                });
            }
        }
        reading
            .sort(first_written, start)
            .ok_or_else(|| A::Error::custom("members cannot be ordered"))?;
        reading.names.truncate(first_name);
        reading.written.truncate(first_written);
        if part.is_some() {
            write_item(reading.key, Item::End);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "question_key_tests.rs"]
mod tests;
