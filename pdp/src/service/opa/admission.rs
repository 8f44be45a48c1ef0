//! Who may call: a static token, and the policy `data.system.authz.allow`, as OPA asks it.
//!
//! INVARIANT: where one is configured, no call is answered that it did not let in; that a policy says
//! nothing lets nobody in.

use edgeward_core::request::{CanonicalQuery, percent_decode};
use http::header::HOST;
use http::{HeaderMap, Uri};
use regorus::Value;
use serde_json::{Map, Value as Json, json};

use super::errors::Trouble;
use super::{Call, Door, read, reference};
use crate::policy::{BuiltinErrors, Reference, from_json};
use crate::service::administrators::{bearer_token, shows_token};
use crate::service::worker::WorkerState;

/// How OPA's REST API is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaApi {
    /// SHA-256 of the bearer tokens of which a call must show one; empty asks for none.
    pub token_digests: Vec<[u8; 32]>,
    /// What else must let a call in.
    pub authorization: Authorization,
    /// Whether whoever is let in may ask queries of its own, which read everything.
    pub queries: bool,
}

/// What must let a call in beside a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// Nothing.
    Off,
    /// The policy `data.system.authz.allow`.
    Basic,
}

const ALLOW: [&str; 3] = ["system", "authz", "allow"];

impl OpaApi {
    /// Whether these `headers` show a token, where one must be shown; asked before a body is read.
    pub(super) fn check_token(&self, headers: &HeaderMap) -> Result<(), Trouble> {
        if self.token_digests.is_empty() || shows_token(headers, &self.token_digests) {
            return Ok(());
        }
        let message = "show a token of `opa_api.tokens_sha256`: `authorization: Bearer …`";
        Err(Trouble::Unauthorized(message.to_owned()))
    }

    /// Asks the policy, where it is to be asked.
    pub(super) fn authorize(
        &self,
        worker: &WorkerState,
        door: Door<'_>,
        call: &Call,
    ) -> Result<(), Trouble> {
        if self.authorization == Authorization::Off {
            return Ok(());
        }
        let at = Reference::of(ALLOW.map(str::to_owned));
        let input = from_json(input(door, call)?);
        let said = read::document(worker, &at, &input, BuiltinErrors::Undefined)?;
        judge(said.as_ref())
    }
}

/// `true`, or an object with `allowed: true`. Anything else lets nobody in.
fn judge(said: Option<&Value>) -> Result<(), Trouble> {
    let rejected = || Trouble::Unauthorized("request rejected by administrative policy".to_owned());
    match said {
        Some(Value::Bool(true)) => Ok(()),
        Some(Value::Object(members)) => {
            let member = |name: &str| members.get(&Value::from(name));
            match (member("allowed"), member("reason")) {
                (None, _) => Err(Trouble::NoAuthorizer),
                (Some(Value::Bool(true)), _) => Ok(()),
                (Some(_), Some(Value::String(reason))) => {
                    Err(Trouble::Unauthorized(reason.to_string()))
                }
                (Some(_), _) => Err(rejected()),
            }
        }
        None => Err(Trouble::NoAuthorizer),
        Some(_) => Err(rejected()),
    }
}

/// The names in the path of a call: those that will be read, so that no spelling of them is let in as one
/// thing and read as another.
fn path(door: Door<'_>, uri: &Uri) -> Result<Vec<String>, Trouble> {
    let (start, names) = match door {
        Door::Default => return Ok(vec![String::new()]),
        Door::Data(below) => (["v1", "data"], reference(below)?.parts().to_vec()),
        Door::DataV0(below) => (["v0", "data"], reference(below)?.parts().to_vec()),
        Door::Policy(id) => {
            let id = percent_decode(id).ok_or_else(Trouble::malformed_path)?;
            (
                ["v1", "policies"],
                id.split('/').map(str::to_owned).collect(),
            )
        }
        Door::Health
        | Door::Config
        | Door::Status
        | Door::Policies
        | Door::Query
        | Door::Compile => {
            let path = uri.path().trim_start_matches('/');
            return Ok(path.split('/').map(str::to_owned).collect());
        }
    };
    Ok(start.into_iter().map(str::to_owned).chain(names).collect())
}

/// What OPA tells its authorizer: names of headers as Go spells them, every value in a list.
fn input(door: Door<'_>, call: &Call) -> Result<Json, Trouble> {
    let query = CanonicalQuery::parse(call.uri.query().unwrap_or_default())
        .map_err(|refusal| Trouble::Parameter(refusal.to_string()))?;
    let mut params = Map::new();
    for (name, value) in query.pairs() {
        add(&mut params, name.clone(), value);
    }
    let mut headers = Map::new();
    // To Go the host is no header.
    for (name, value) in call.headers.iter().filter(|(name, _)| *name != HOST) {
        let value = String::from_utf8_lossy(value.as_bytes());
        add(&mut headers, in_gos_spelling(name.as_str()), &value);
    }
    let mut input = json!({
        "path": path(door, &call.uri)?,
        "method": call.method.as_str(),
        "params": params,
        "headers": headers,
    });
    if let (Some(token), Some(members)) = (bearer_token(&call.headers), input.as_object_mut()) {
        members.insert("identity".to_owned(), token.into());
    }
    // As OPA has it: the body of a query is no input.
    let body = call.body.as_ref().filter(|_| door != Door::Query);
    if let (Some(body), Some(members)) = (body, input.as_object_mut()) {
        members.insert("body".to_owned(), body.clone());
    }
    Ok(input)
}

fn add(to: &mut Map<String, Json>, name: String, value: &str) {
    let values = to.entry(name).or_insert_with(|| Json::Array(Vec::new()));
    if let Some(values) = values.as_array_mut() {
        values.push(value.into());
    }
}

/// `content-type` is `Content-Type` there.
fn in_gos_spelling(name: &str) -> String {
    let mut at_start = true;
    name.chars()
        .map(|letter| {
            let shown = if at_start {
                letter.to_ascii_uppercase()
            } else {
                letter
            };
            at_start = letter == '-';
            shown
        })
        .collect()
}
