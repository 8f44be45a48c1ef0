//! Some members of one JSON object, read as strictly as all of it is elsewhere: what nobody asked for
//! is read past and not kept. Tokens are read like this, by everyone who shows one.
//!
//! What this is not: lenient. Every value is read to its end, and no object may have a name twice.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{JsonError, StrictSeed, duplicate};

/// The members of one JSON object that have these `names`, in that order.
pub fn pick<const N: usize>(
    bytes: &[u8],
    names: [&str; N],
) -> Result<[Option<Value>; N], JsonError> {
    let mut found = [const { None }; N];
    pick_into(bytes, &names, &mut found)?;
    Ok(found)
}

fn pick_into(bytes: &[u8], names: &[&str], found: &mut [Option<Value>]) -> Result<(), JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let is_object = Picked { names, found }.deserialize(&mut reader)?;
    reader.end()?;
    is_object.then_some(()).ok_or(JsonError::NotAnObject)
}

/// A value of which, where it is an object, some members are kept. Says whether it is one.
///
/// All kinds of values are taken, though only one is wanted: `serde`'s own refusal would print what
/// it found, for which the filter's module has to know how to write a floating-point number.
struct Picked<'n> {
    names: &'n [&'n str],
    found: &'n mut [Option<Value>],
}

/// A value of which nothing is kept.
fn past() -> Picked<'static> {
    Picked {
        names: &[],
        found: &mut [],
    }
}

impl<'de> DeserializeSeed<'de> for Picked<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Picked<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<bool, A::Error> {
        let mut others = BTreeSet::new();
        while let Some(name) = entries.next_key_seed(Name)? {
            let place = self.names.iter().position(|wanted| *wanted == name);
            let is_first = if let Some(place) = place.and_then(|at| self.found.get_mut(at)) {
                let value = entries.next_value_seed(StrictSeed)?;
                place.replace(value).is_none()
            } else {
                entries.next_value_seed(past())?;
                others.insert(name)
            };
            if !is_first {
                return Err(duplicate());
            }
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        while items.next_element_seed(past())?.is_some() {}
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    // The reader itself refuses numbers that are not finite.
    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// A member's name; borrowed, unless it is spelt with escapes.
#[derive(Debug)]
pub struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse_object;
    use super::*;

    #[test]
    fn the_members_named_come_in_the_order_of_their_names() {
        let text = r#" {"x":[1,{"y":null}],"\u0061":{"n":2},"b":null,"z":1e2} "#;
        let [b, none, a] = pick(text.as_bytes(), ["b", "c", "a"]).unwrap();
        assert_eq!(b, Some(Value::Null));
        assert_eq!(none, None);
        assert_eq!(a, Some(serde_json::json!({"n": 2})));
    }

    /// JSON and what is nearly JSON, of a few names that often collide.
    fn text() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "1",
            "-0.5e3",
            "1e999",
            "\"\"",
            "\"\\ud800\"",
            "true",
            "null",
            "nul",
            "{",
            "[1,]",
        ]);
        let name = || prop::sample::select(vec!["\"a\"", "\"b\"", "\"\\u0061\"", "\"c\"", "a"]);
        let leaf = leaf.prop_map(str::to_owned);
        let value = leaf.prop_recursive(4, 24, 4, move |inner| {
            let members = prop::collection::vec((name(), inner.clone()), 0..4);
            let object = members.prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(name, value)| format!("{name}:{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            });
            let list = prop::collection::vec(inner, 0..3);
            prop_oneof![3 => object, 1 => list.prop_map(|items| format!("[{}]", items.join(",")))]
        });
        (value, prop::sample::select(vec!["", " ", "x", "{}"])).prop_map(|(text, end)| text + end)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_picked_is_read_as_all_of_it_would_be(text in text()) {
            let names = ["a", "c"];
            let all = parse_object(text.as_bytes()).ok();
            let wanted = all.map(|all| names.map(|name| all.get(name).cloned()));
            prop_assert_eq!(pick(text.as_bytes(), names).ok(), wanted);
        }
    }
}
