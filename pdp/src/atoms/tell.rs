//! Atoms written into a question, in place of whatever its asker wrote there.

use edgeward_core::atoms::Atoms as Definitions;
use edgeward_core::request::{CanonicalPath, PathNormalization};
use serde_json::{Map, Value};

/// `context.schedules`, which is always a list.
pub(super) fn schedules(input: &mut Value, active: &[String]) {
    if let Some(context) = context(input) {
        let active: Vec<Value> = active.iter().map(|name| name.as_str().into()).collect();
        context.insert("schedules".to_owned(), active.into());
    }
}

/// `context.source.networks`, which is always a list.
pub(super) fn networks(input: &mut Value, definitions: &Definitions) {
    let Some(source) = source(input) else { return };
    let names: Vec<Value> = definitions
        .networks
        .of(address(source))
        .map(Value::from)
        .collect();
    source.insert("networks".to_owned(), names.into());
}

/// `context.source.country`, which is there where it is known.
pub(super) fn country(input: &mut Value, of: impl FnOnce(&str) -> Option<String>) {
    let Some(source) = source(input) else { return };
    source.remove("country");
    if let Some(country) = of(address(source)) {
        source.insert("country".to_owned(), country.into());
    }
}

/// A question of the service has a context; what `edgeward eval` is given may lack it.
fn context(input: &mut Value) -> Option<&mut Map<String, Value>> {
    object(input.as_object_mut()?, "context")
}

fn source(input: &mut Value) -> Option<&mut Map<String, Value>> {
    object(context(input)?, "source")
}

/// The object `name`, made where there is none. Something else than an object has no members that
/// could be taken for atoms.
fn object<'m>(
    members: &'m mut Map<String, Value>,
    name: &str,
) -> Option<&'m mut Map<String, Value>> {
    members
        .entry(name)
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
}

fn address(source: &Map<String, Value>) -> &str {
    let address = source.get("address");
    address.and_then(Value::as_str).unwrap_or_default()
}

/// `resource.properties.route` and `.params`, which are there where a route matches.
pub(super) fn route(input: &mut Value, definitions: &Definitions) {
    let method = input
        .get("action")
        .and_then(|action| action.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let Some(resource) = input.get_mut("resource") else {
        return;
    };
    let is_http = resource.get("type").and_then(Value::as_str) == Some("http");
    let Some(properties) = resource
        .get_mut("properties")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    properties.remove("route");
    properties.remove("params");
    if !is_http || definitions.routes.is_empty() {
        return;
    }
    let text = |name: &str| {
        properties
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let Some(path) = canonical(text("path")) else {
        return;
    };
    let Some(found) = definitions
        .routes
        .find(&method, text("host"), path.segments())
    else {
        return;
    };
    let params = found.params.iter();
    let params = params.map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let (name, params) = (found.name.to_owned(), params.collect::<Map<_, _>>());
    properties.insert("route".to_owned(), name.into());
    properties.insert("params".to_owned(), params.into());
}

/// The path, if it has a canonical form and is in it: whatever the mode of the filter, what it sends
/// is left alone by the most lenient form that joins nothing.
fn canonical(path: &str) -> Option<CanonicalPath> {
    let parsed = CanonicalPath::parse(path, PathNormalization::Base).ok()?;
    (parsed.as_str() == path).then_some(parsed)
}
