//! The candidates of a search: entities in a document of the policies, in their order there. One that is there
//! with other properties is asked about again.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::Kind;
use super::wanted::Wanted;
use crate::policy::Reference;
use crate::service::opa;
use crate::service::reply::Refusal;
use crate::service::worker::WorkerState;

/// One of them.
#[derive(Debug, PartialEq)]
pub(super) struct Candidate {
    /// As it is found: `{type, id}` or `{name}`.
    pub(super) shown: Json,
    pub(super) properties: Option<Json>,
}

impl Candidate {
    fn is_of_type(&self, wanted: &str) -> bool {
        self.shown.get("type").and_then(Json::as_str) == Some(wanted)
    }
}

/// The most that a document may say: all of it is made for each page.
const MAX_CANDIDATES: usize = 20_000;

/// Those that `document` says, of the type that is searched for; none where it is undefined.
pub(super) fn of(
    worker: &WorkerState,
    kind: Kind,
    document: &Reference,
    wanted: &Wanted,
) -> Result<Vec<Candidate>, Refusal> {
    let input = Json::Object(wanted.input.clone());
    let said = opa::document_of(worker, document, input).map_err(|why| {
        tracing::warn!(%document, code = why.code(), error = %why, "no candidates for a search");
        Refusal::Unavailable(format!("no candidates for this search: {}", why.code()))
    })?;
    read(kind, said, wanted.kind_of_entity(kind)).map_err(|why| {
        tracing::error!(%document, why, "the candidates of a search are none");
        let code = "policy-result-invalid";
        Refusal::Unavailable(format!("no candidates for this search: {code}: {why}"))
    })
}

fn read(kind: Kind, said: Option<Json>, of_type: Option<&str>) -> Result<Vec<Candidate>, String> {
    let items = match said {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(_) => return Err("it must be a list or a set".to_owned()),
    };
    if items.len() > MAX_CANDIDATES {
        return Err(format!(
            "there are more than {MAX_CANDIDATES}: narrow the document by what it sees of the search"
        ));
    }
    let mut seen = BTreeSet::new();
    let mut candidates = Vec::new();
    for (number, item) in items.into_iter().enumerate() {
        let candidate = candidate(kind, item)
            .ok_or_else(|| format!("element {number} is no {}", kind.name()))?;
        let is_wanted = of_type.is_none_or(|wanted| candidate.is_of_type(wanted));
        let said = format!("{}{:?}", candidate.shown, candidate.properties);
        if is_wanted && seen.insert(said) {
            candidates.push(candidate);
        }
    }
    Ok(candidates)
}

/// An entity with its texts, and `properties` where it has some.
fn candidate(kind: Kind, item: Json) -> Option<Candidate> {
    let mut members = match (kind, item) {
        (_, Json::Object(members)) => members,
        (Kind::Action, Json::String(name)) => Map::from_iter([("name".to_owned(), name.into())]),
        _ => return None,
    };
    let names: &[&str] = match kind {
        Kind::Subject | Kind::Resource => &["type", "id"],
        Kind::Action => &["name"],
    };
    let mut shown = Map::new();
    for name in names {
        let text = members.remove(*name).filter(Json::is_string)?;
        shown.insert((*name).to_owned(), text);
    }
    let properties = members.remove("properties");
    if properties
        .as_ref()
        .is_some_and(|properties| !properties.is_object())
    {
        return None;
    }
    Some(Candidate {
        shown: Json::Object(shown),
        properties,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn candidates_are_entities_of_the_type_each_once_and_in_their_order() {
        let of = |kind, said: Json, of_type| read(kind, Some(said), of_type);
        let user = |id: &str| json!({"type": "user", "id": id});
        let said = json!([user("b"), {"type": "robot", "id": "r"}, user("a"), user("b"),
            {"type": "user", "id": "p", "properties": {"x": 1}}]);
        let found = of(Kind::Subject, said, Some("user")).unwrap();
        let ids: Vec<_> = found
            .iter()
            .map(|c| c.shown["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["b", "a", "p"]);
        assert_eq!(found[2].properties, Some(json!({"x": 1})));
        assert_eq!(found[2].shown, user("p"));
        let actions = of(Kind::Action, json!(["read", {"name": "write"}]), None).unwrap();
        assert_eq!(actions[1].shown, json!({"name": "write"}));
        assert_eq!(read(Kind::Action, None, None), Ok(Vec::new()));
        for (kind, said) in [
            (Kind::Subject, json!({"a": 1})),
            (Kind::Subject, json!(["a"])),
            (Kind::Subject, json!([{"type": "user", "id": 1}])),
            (Kind::Resource, json!([{"id": "1"}])),
            (Kind::Action, json!([{"name": "a", "properties": 1}])),
        ] {
            assert!(of(kind, said.clone(), None).is_err(), "{said}");
        }
    }
}
