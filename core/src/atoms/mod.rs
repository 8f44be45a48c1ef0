//! Atoms: small values that stand for a condition on a large one. Which named networks an address
//! lies in, which route a request takes and what its path holds in the route's variables.
//!
//! A policy that asks for an atom in place of the address or path it is made of tells far fewer
//! questions apart, so its decisions are reused far more often ([`crate::cache_key`]).
//!
//! INVARIANT: the PDP makes atoms itself and believes no caller about them. The filter makes the same
//! from the same definitions, which the sync feed tells ([`crate::feed::Caching`]), for its key and for
//! the questions that are put as its key ([`crate::decide`]).
//!
//! What this is not: schedules and countries. Those need a clock, a calendar or a database, so only
//! the PDP makes them: `pdp/src/atoms/`.

mod networks;
mod routes;

pub use networks::{CidrError, Networks, parse_cidr};
pub use routes::{HostError, Route, RouteMatch, Routes, Template, TemplateError, parse_host};

use serde::Serialize;

use crate::members::{MemberError, Members};

/// The longest name of a network, route or schedule, in bytes.
pub const MAX_NAME_BYTES: usize = 64;
/// The most named networks.
pub const MAX_NETWORKS: usize = 256;
/// The most CIDR prefixes of all networks together.
pub const MAX_PREFIXES: usize = 4096;
/// The most bytes that all networks take in the sync feed: overlaps repeat their names.
pub const MAX_NETWORK_BYTES: usize = 512 * 1024;
/// The most routes.
pub const MAX_ROUTES: usize = 256;
/// The longest template of a route, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 1024;
/// The most hosts, and the most methods, of one route.
pub const MAX_ALTERNATIVES: usize = 32;

/// What networks and routes there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Atoms {
    /// Networks by name.
    pub networks: Networks,
    /// Routes by name, in the order in which they are tried.
    pub routes: Routes,
}

impl Atoms {
    /// Takes the wire form out of `members`; what is absent is empty. What the texts hold was checked
    /// by whom they come from.
    pub(crate) fn read(members: &mut Members) -> Result<Self, MemberError> {
        Ok(Self {
            networks: Networks(members.text_list("networks")?),
            routes: Routes(members.text_list("routes")?),
        })
    }
}

/// Takes what stands before the next `at`, an ASCII character, off the front of `rest`, or all of it.
/// Not inlined: an iterator of `str::split` takes several times as much of the filter's module, in
/// each place.
#[inline(never)]
fn cut<'t>(rest: &mut Option<&'t str>, at: u8) -> Option<&'t str> {
    let text = (*rest)?;
    let end = text.bytes().position(|byte| byte == at);
    *rest = end.and_then(|end| text.get(end + 1..));
    text.get(..end.unwrap_or(text.len()))
}

/// Whether `name` is plain enough to stand in lists and documents: 1 to [`MAX_NAME_BYTES`] of
/// letters, digits, `-`, `_` and `.`.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(plain)
}
