//! What a search asks for: the question without the member that is searched for, and which page.

use serde_json::{Map, Value as Json};

use super::Kind;
use super::candidates::Candidate;
use crate::service::question::{bad, entity};
use crate::service::reply::Refusal;

/// Results of one page, where the call wants no fewer.
const LIMIT: usize = 1000;

/// A call, read.
pub(super) struct Wanted {
    /// `subject`, `action`, `resource`, `context`: what is searched for has no id, and an action nothing at
    /// all.
    pub(super) input: Map<String, Json>,
    pub(super) page: Page,
}

/// Which page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) is_asked_for: bool,
    pub(super) token: Option<String>,
    pub(super) limit: usize,
}

impl Wanted {
    pub(super) fn read(kind: Kind, body: &[u8]) -> Result<Self, Refusal> {
        let mut members = edgeward_core::json::parse_object(body)
            .map_err(|error| bad(format!("body: {error}")))?;
        let page = page(members.remove("page"))?;
        let mut input = Map::new();
        for (name, required) in [
            ("subject", &["type", "id"][..]),
            ("action", &["name"]),
            ("resource", &["type", "id"]),
        ] {
            let required = match (name == kind.name(), kind) {
                (true, Kind::Action) => continue,
                // Its id is ignored (section 8.3): it is what is asked for.
                (true, _) => &["type"],
                (false, _) => required,
            };
            input.insert(name.to_owned(), entity(&mut members, name, required)?);
        }
        match members.remove("context") {
            None => {}
            Some(context @ Json::Object(_)) => {
                input.insert("context".to_owned(), context);
            }
            Some(_) => return Err(bad("`context` must be an object")),
        }
        Ok(Self { input, page })
    }

    /// The type of entity that is searched for; none for actions.
    pub(super) fn kind_of_entity(&self, kind: Kind) -> Option<&str> {
        self.input.get(kind.name())?.get("type")?.as_str()
    }

    /// The question about `candidate`. What it says of itself stands before what the call says of all.
    pub(super) fn question(&self, kind: Kind, candidate: &Candidate) -> Map<String, Json> {
        let mut question = self.input.clone();
        let mut entity = candidate.shown.clone();
        let said = self.input.get(kind.name());
        let said = said.and_then(|said| said.get("properties"));
        if let (Some(properties), Some(members)) = (
            candidate.properties.as_ref().or(said),
            entity.as_object_mut(),
        ) {
            members.insert("properties".to_owned(), properties.clone());
        }
        question.insert(kind.name().to_owned(), entity);
        question
    }
}

fn page(written: Option<Json>) -> Result<Page, Refusal> {
    let mut members = match written {
        None => {
            return Ok(Page {
                is_asked_for: false,
                token: None,
                limit: LIMIT,
            });
        }
        Some(Json::Object(members)) => members,
        Some(_) => return Err(bad("`page` must be an object")),
    };
    let token = match members.remove("token") {
        None => None,
        Some(Json::String(token)) => Some(token).filter(|token| !token.is_empty()),
        Some(_) => return Err(bad("`page.token` must be a string")),
    };
    let limit = match members.remove("limit") {
        None => LIMIT,
        Some(limit) => {
            let limit = limit.as_u64().filter(|limit| *limit > 0);
            let limit = limit.ok_or_else(|| bad("`page.limit` must be a whole number above 0"))?;
            usize::try_from(limit).unwrap_or(LIMIT).min(LIMIT)
        }
    };
    Ok(Page {
        is_asked_for: true,
        token,
        limit,
    })
}
