//! What callers ask the PDP: a question of one reading, or none.

use edgeward::service::read_input;
use edgeward_core::json;
use edgeward_core::time::UnixSeconds;
use serde_json::{Map, Value};

use crate::Verdict;

const NOW: UnixSeconds = UnixSeconds(1_767_225_600);
const TIME: &str = "2026-01-01T00:00:00Z";
/// The parts of a question, each with the texts that it must have and whether it may be absent.
const PARTS: [(&str, &[&str], bool); 4] = [
    ("subject", &["type", "id"], false),
    ("action", &["name"], false),
    ("resource", &["type", "id"], false),
    ("context", &[], true),
];

/// `input` is what was asked and nothing more: no part is invented, none is changed, what nobody
/// knows is left out; read again it is itself; and without a part that must be there, or beside
/// something else in its place, there is no question.
pub fn authzen_request(data: &[u8]) -> Verdict {
    let input = match read_input(data, NOW) {
        Ok(input) => input,
        Err(message) => {
            assert!(
                message.starts_with("body: ") || message.starts_with('`'),
                "{message}"
            );
            return Verdict::Refused;
        }
    };
    let strict = json::parse_object(data);
    assert!(strict.is_ok(), "not strict JSON, but {input}");
    let asked = strict.unwrap_or_default();
    assert_eq!(input.as_object().map(Map::len), Some(PARTS.len()));
    for (part, texts, _) in PARTS {
        let (seen, said) = (input.get(part), asked.get(part));
        is_what_was_said(part, seen, said);
        for text in texts {
            let text = seen.and_then(|seen| seen.get(text));
            assert!(text.is_some_and(Value::is_string), "{part}: {input}");
        }
    }
    let read = |members: &Map<String, Value>| {
        let body = serde_json::to_vec(members).unwrap_or_default();
        read_input(&body, NOW.plus(1))
    };
    // As written again: a number may be rounded when it is read, and from then on is itself.
    let rounded = read(&asked);
    let input = input.as_object().cloned().unwrap_or_default();
    let again = read(&input).and_then(|again| read(again.as_object().unwrap_or(&Map::new())));
    assert!(rounded.is_ok() && again.is_ok(), "{rounded:?} {again:?}");
    let mut more = input.clone();
    more.insert("x-unknown".to_owned(), Value::Null);
    assert_eq!(
        read(&more),
        read(&input),
        "an unknown member was not ignored"
    );
    nothing_required_may_be_missing(&input, read);
    Verdict::Accepted
}

fn is_what_was_said(part: &str, seen: Option<&Value>, said: Option<&Value>) {
    let members = seen.and_then(Value::as_object);
    assert!(members.is_some(), "{part} is no object");
    for (name, value) in members.into_iter().flatten() {
        let said = said.and_then(|said| said.get(name));
        let filled_in = part == "context" && name == "time" && said.is_none();
        assert!(
            said == Some(value) || (filled_in && value == TIME),
            "{part}.{name}"
        );
    }
    if part == "context" {
        let said = said.and_then(Value::as_object).map_or(0, Map::len);
        assert!(members.is_some_and(|seen| seen.len() >= said && seen.contains_key("time")));
    }
}

fn nothing_required_may_be_missing(
    input: &Map<String, Value>,
    read: impl Fn(&Map<String, Value>) -> Result<Value, String>,
) {
    for (part, texts, may_be_absent) in PARTS {
        let mut changed = input.clone();
        changed.remove(part);
        assert_eq!(read(&changed).is_ok(), may_be_absent, "without {part}");
        for wrong in [Value::Null, Value::Array(Vec::new()), Value::from("x")] {
            changed.insert(part.to_owned(), wrong);
            assert!(read(&changed).is_err(), "{part} is no object");
        }
        for text in texts {
            let mut changed = input.clone();
            if let Some(members) = changed.get_mut(part).and_then(Value::as_object_mut) {
                members.remove(*text);
            }
            assert!(read(&changed).is_err(), "without {part}.{text}");
        }
    }
}
