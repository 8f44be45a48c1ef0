//! What `?explain` can give: the notes that the policies' `trace` leaves, as OPA's events.
//!
//! What this is not: OPA's trace of the steps of an evaluation, which the engine does not keep. Whoever wants
//! that is refused (`Trouble::NoExplanation`), and not shown an empty one.

use serde::Serialize;

/// One note, with the members that OPA gives it.
#[derive(Serialize)]
pub(super) struct Event<'a> {
    op: &'static str,
    /// Of which query it is part is not known: all are told as parts of the first.
    query_id: u64,
    parent_id: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    node: (),
    locals: [(); 0],
    message: &'a str,
}

/// An explanation, in the order of the evaluation.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Explanation<'a> {
    Events(Vec<Event<'a>>),
    /// For people.
    Lines(Vec<String>),
}

impl<'a> Explanation<'a> {
    /// Of `notes`; for people where it is `pretty`.
    pub(super) fn of(notes: &'a [String], pretty: bool) -> Self {
        if pretty {
            let lines = notes.iter().map(|note| {
                let note = serde_json::Value::from(note.as_str());
                format!("Note {note}")
            });
            let lines: Vec<String> = lines.collect();
            // As OPA writes that there is none.
            return Self::Lines(if lines.is_empty() {
                vec![String::new()]
            } else {
                lines
            });
        }
        let event = |message: &'a String| Event {
            op: "note",
            query_id: 0,
            parent_id: 0,
            kind: "",
            node: (),
            locals: [],
            message,
        };
        Self::Events(notes.iter().map(event).collect())
    }
}
