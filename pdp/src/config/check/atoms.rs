//! Networks and routes, and where the database of countries is. Schedules: `super::schedules`.

use std::collections::BTreeMap;

use edgeward_core::atoms::{
    Atoms, MAX_ALTERNATIVES, MAX_NAME_BYTES, MAX_NETWORK_BYTES, MAX_NETWORKS, MAX_PREFIXES,
    MAX_ROUTES, Networks, Route, Routes, Template, is_name, parse_cidr, parse_host,
};
use edgeward_core::request::Method;

use super::{Context, schedules};
use crate::atoms::AtomSettings;
use crate::config::RawConfig;
use crate::config::problem::{Field, Findings};
use crate::config::raw_atoms::RawRoute;

pub(super) fn atoms(
    raw: &mut RawConfig,
    root: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> AtomSettings {
    let networks = std::mem::take(&mut raw.networks);
    let routes = std::mem::take(&mut raw.routes);
    let schedules = std::mem::take(&mut raw.schedules);
    let country_database = raw.country_database.take();
    let field = root.key("country_database");
    if country_database
        .as_ref()
        .is_some_and(|path| path.as_os_str().is_empty())
    {
        findings.refuse(&field, "must not be empty: name the file");
    }
    AtomSettings {
        networks: networks.len(),
        definitions: Atoms {
            networks: self::networks(&networks, &root.key("networks"), findings),
            routes: self::routes(&routes, &root.key("routes"), findings),
        },
        schedules: schedules::schedules(schedules, &root.key("schedules"), findings),
        country_database: country_database.map(|path| context.resolve(&path)),
    }
}

/// Notes a name that is none.
pub(super) fn check_name(name: &str, field: &Field, findings: &mut Findings) {
    if !is_name(name) {
        let message = format!(
            "a name must be 1 to {MAX_NAME_BYTES} letters, digits, `-`, `_` or `.`: change it"
        );
        findings.refuse(field, message);
    }
}

/// Notes that there are too many of something.
pub(super) fn check_count(count: usize, most: usize, field: &Field, findings: &mut Findings) {
    if count > most {
        findings.refuse(field, format!("has {count}: at most {most} are allowed"));
    }
}

fn networks(
    raw: &BTreeMap<String, Vec<String>>,
    field: &Field,
    findings: &mut Findings,
) -> Networks {
    check_count(raw.len(), MAX_NETWORKS, field, findings);
    let mut named = Vec::new();
    for (name, texts) in raw {
        let field = field.key(name);
        check_name(name, &field, findings);
        let prefixes = texts.iter().enumerate();
        let prefixes: Vec<_> = prefixes
            .filter_map(|(index, text)| findings.accept(&field.index(index), parse_cidr(text)))
            .collect();
        named.push((name.as_str(), prefixes));
    }
    let prefixes = named.iter().map(|(_, prefixes)| prefixes.len()).sum();
    check_count(prefixes, MAX_PREFIXES, field, findings);
    let named = named
        .iter()
        .map(|(name, prefixes)| (*name, prefixes.as_slice()));
    let networks = Networks::new(named);
    if networks.bytes() > MAX_NETWORK_BYTES {
        let message = format!(
            "overlap so much that filters would be told more than {MAX_NETWORK_BYTES} bytes: \
             shorten names or remove networks"
        );
        findings.refuse(field, message);
    }
    networks
}

fn routes(raw: &[RawRoute], field: &Field, findings: &mut Findings) -> Routes {
    check_count(raw.len(), MAX_ROUTES, field, findings);
    let mut routes: Vec<Route> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let field = field.index(index);
        let Some(route) = route(raw, &field, findings) else {
            continue;
        };
        if let Some(before) = routes.iter().find(|before| before.covers(&route)) {
            let name = before.name();
            let message =
                format!("is never taken, since `{name}` before it takes all of it: move it up");
            findings.refuse(&field, message);
        }
        routes.push(route);
    }
    Routes::new(routes)
}

fn route(raw: &RawRoute, field: &Field, findings: &mut Findings) -> Option<Route> {
    check_name(&raw.name, &field.key("name"), findings);
    let hosts = raw.hosts.as_deref();
    let hosts = alternatives(hosts, &field.key("hosts"), findings, |host| {
        parse_host(host)
            .map(drop)
            .map_err(|error| error.to_string())
    });
    let methods = raw.methods.as_deref();
    let methods =
        alternatives(
            methods,
            &field.key("methods"),
            findings,
            |method| match Method::parse(method) {
                // A star is for hosts: no method that anybody uses has one.
                Ok(parsed) if parsed.as_str() == method && !method.contains('*') => Ok(()),
                _ => Err("is not a method: write one such as `GET`".to_owned()),
            },
        );
    let template = Template::parse(&raw.template);
    let template = findings.accept(&field.key("template"), template)?;
    Some(Route::new(&raw.name, methods, hosts, &template))
}

/// A list of texts that each pass `check`; left out, it is empty and means any.
fn alternatives<'r>(
    raw: Option<&'r [String]>,
    field: &Field,
    findings: &mut Findings,
    check: impl Fn(&str) -> Result<(), String>,
) -> &'r [String] {
    let Some(texts) = raw else { return &[] };
    if texts.is_empty() {
        findings.refuse(field, "must not be empty: leave it out to accept any");
    }
    check_count(texts.len(), MAX_ALTERNATIVES, field, findings);
    for (index, text) in texts.iter().enumerate() {
        findings.accept(&field.index(index), check(text));
    }
    texts
}
