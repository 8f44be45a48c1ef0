//! Routes: which named template the path of a request has, and what stands for its variables.
//!
//! Matched segment by segment, on the decoded segments of the canonical path and never on its text,
//! so that no spelling of a path takes another route.

use serde::Serialize;
use thiserror::Error;

use super::{MAX_TEMPLATE_BYTES, cut};
use crate::request::Authority;

/// All routes, in the order in which they are tried: the first that matches is the one. Each is the
/// text that [`Route`] wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Routes(pub(super) Vec<String>);

/// One route, as the text that it is on the wire and in memory: `NAME METHODS HOSTS TEMPLATE`, where
/// several methods or hosts have a comma between them and none are any. Read into parts, it would
/// take more of the filter's module than that saves time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route(String);

/// A route that a request takes.
#[derive(Debug, PartialEq, Eq)]
pub struct RouteMatch<'m> {
    /// Its name.
    pub name: &'m str,
    /// What stands for its variables, by name and in the order of the names.
    pub params: Vec<(&'m str, &'m str)>,
}

/// A template: `/orders/{id}/items/**`. A segment is a text, a variable in braces for one segment
/// that is not empty, or, at the end, `**` for whatever follows, nothing included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// Why a text is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// It has no slash at its beginning.
    #[error("must begin with a slash, such as `/orders/{{id}}`")]
    NoSlash,
    /// It is too long.
    #[error("must be at most {MAX_TEMPLATE_BYTES} bytes")]
    Long,
    /// A segment is empty.
    #[error("has an empty segment, which only its end may have: remove a slash")]
    Empty,
    /// `.` or `..`.
    #[error("has a dot segment, which no canonical path has: remove it")]
    Dot,
    /// `**` is not the last segment.
    #[error("has `**` before its end: write `{{name}}` for one segment")]
    Rest,
    /// Braces that are not around a whole segment, or not around a name.
    #[error(
        "has braces that are not `{{name}}`, alone between slashes and a name of letters, digits and `_`"
    )]
    Braces,
    /// A variable that is there twice.
    #[error("has a variable twice: give each a name of its own")]
    Twice,
    /// A character that no decoded segment has, or that looks like what it is not.
    #[error(
        "has one of `%`, `*`, `?`, `#`, a backslash or a control character: write what a segment holds when it is decoded"
    )]
    Character,
}

/// Why a text is no host of a route.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a host: write it in lower case without port, or `*.` and one")]
pub struct HostError(String);

/// A host as requests have it, or `*.` and one for any name below it.
pub fn parse_host(text: &str) -> Result<&str, HostError> {
    let host = text.strip_prefix("*.").unwrap_or(text);
    match Authority::parse(host) {
        Ok(authority) if authority.as_str() == host && authority.port().is_none() => Ok(text),
        _ => Err(HostError(text.chars().take(80).collect())),
    }
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(TemplateError::Long);
        }
        let segments = text.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        let mut segments = segments.split('/').peekable();
        let mut variables = Vec::new();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            match segment {
                "" if !is_last => return Err(TemplateError::Empty),
                "." | ".." => return Err(TemplateError::Dot),
                "**" if !is_last => return Err(TemplateError::Rest),
                "**" => {}
                _ if segment.contains(['{', '}']) => {
                    let name = variable(segment).ok_or(TemplateError::Braces)?;
                    if variables.contains(&name) {
                        return Err(TemplateError::Twice);
                    }
                    variables.push(name);
                }
                _ => check_literal(segment)?,
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether every path of `other` is one of this.
    pub fn covers(&self, other: &Self) -> bool {
        let mut others = other.0.split('/').skip(1);
        for part in self.0.split('/').skip(1) {
            if part == "**" {
                return true;
            }
            let is_covered = match others.next() {
                None | Some("**") => false,
                Some(other) => part == other || (part.starts_with('{') && !other.is_empty()),
            };
            if !is_covered {
                return false;
            }
        }
        others.next().is_none()
    }
}

fn variable(segment: &str) -> Option<&str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(plain)).then_some(name)
}

fn check_literal(segment: &str) -> Result<(), TemplateError> {
    let refused = |character: char| character.is_control() || "%*?#\\".contains(character);
    if segment.contains(refused) {
        return Err(TemplateError::Character);
    }
    Ok(())
}

impl Route {
    /// A route of parts that are each checked: `name` by [`super::is_name`], hosts by
    /// [`parse_host`], methods by [`crate::request::Method`], and without a star.
    pub fn new(name: &str, methods: &[String], hosts: &[String], template: &Template) -> Self {
        let (methods, hosts) = (methods.join(","), hosts.join(","));
        Self([name, &methods, &hosts, &template.0].join(" "))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        let [name, ..] = self.parts();
        name
    }

    /// Whether every request that could take `other` takes this one.
    pub fn covers(&self, other: &Self) -> bool {
        let within = |all: &str, some: &str| {
            all.is_empty() || (!some.is_empty() && some.split(',').all(|one| is_listed(all, one)))
        };
        let [_, methods, hosts, template] = self.parts();
        let [_, other_methods, other_hosts, other_template] = other.parts();
        within(methods, other_methods)
            && within(hosts, other_hosts)
            && Template(template.to_owned()).covers(&Template(other_template.to_owned()))
    }

    fn parts(&self) -> [&str; 4] {
        let mut parts = self.0.splitn(4, ' ');
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }
}

/// What `route` says, if a request takes it.
fn take<'m>(
    route: &'m str,
    method: &str,
    host: &str,
    segments: &'m [String],
) -> Option<RouteMatch<'m>> {
    let mut rest = Some(route);
    let name = cut(&mut rest, b' ')?;
    if !is_listed(cut(&mut rest, b' ')?, method) || !is_listed(cut(&mut rest, b' ')?, host) {
        return None;
    }
    // What is before the first slash: nothing.
    cut(&mut rest, b'/');
    let mut params = Vec::new();
    let mut segments = segments.iter();
    while let Some(part) = cut(&mut rest, b'/') {
        if part == "**" {
            return Some(RouteMatch { name, params });
        }
        let segment = segments.next()?.as_str();
        match part.strip_prefix('{') {
            Some(name) if !segment.is_empty() => {
                let name = name.strip_suffix('}').unwrap_or(name);
                let later = params.iter().position(|(other, _)| *other > name);
                params.insert(later.unwrap_or(params.len()), (name, segment));
            }
            None if part == segment => {}
            _ => return None,
        }
    }
    let is_end = segments.next().is_none();
    is_end.then_some(RouteMatch { name, params })
}

/// Whether `given` is one of `list`, or below one that begins with `*.`; an empty list has all.
fn is_listed(list: &str, given: &str) -> bool {
    let mut rest = Some(list);
    while let Some(listed) = cut(&mut rest, b',') {
        let is_it = match listed.strip_prefix('*') {
            // Of a host; a method with a star is not one of a route.
            Some(domain) => given.len() > domain.len() && given.ends_with(domain),
            None => listed == given,
        };
        if is_it {
            return true;
        }
    }
    list.is_empty()
}

impl Routes {
    /// In this order.
    pub fn new(routes: Vec<Route>) -> Self {
        Self(routes.into_iter().map(|Route(text)| text).collect())
    }

    /// The first route that a request takes. `segments` are those of its canonical path, decoded.
    pub fn find<'m>(
        &'m self,
        method: &str,
        host: &str,
        segments: &'m [String],
    ) -> Option<RouteMatch<'m>> {
        let mut routes = self.0.iter();
        routes.find_map(|route| take(route, method, host, segments))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
