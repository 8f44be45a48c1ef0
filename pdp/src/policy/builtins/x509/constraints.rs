//! Name constraints (RFC 5280 section 4.2.1.10), and what Go takes for a name of a domain.
//!
//! A mailbox whose local part is quoted or has a backslash is an error here; Go takes it.

use std::net::IpAddr;

use regorus::Value;

use super::super::Failed;
use super::alternatives::ascii;
use super::der::{Reader, SEQUENCE, context, parts};
use super::values::{Members, address, bytes, list};
use super::{malformed, need};

const INVALID: &str = "invalid NameConstraints extension";

/// What one of the two subtrees names.
#[derive(Default)]
struct Subtrees {
    hosts: Vec<Value>,
    mailboxes: Vec<Value>,
    networks: Vec<Value>,
    uris: Vec<Value>,
    /// There was a name of another kind.
    unhandled: bool,
}

/// Writes the constraints, and says whether there were any of a kind that Go does not handle.
pub(super) fn write(value: &[u8], critical: bool, out: &mut Members) -> Result<bool, Failed> {
    let mut outer = Reader(value);
    let mut inside = need(outer.inside(SEQUENCE), INVALID)?;
    let permitted = need(inside.optional(parts(0)), INVALID)?;
    let excluded = need(inside.optional(parts(1)), INVALID)?;
    if !outer.is_empty() || !inside.is_empty() {
        return Err(malformed(INVALID));
    }
    let empty = Reader(&[]);
    let (permitted, excluded) = (permitted.unwrap_or(empty), excluded.unwrap_or(empty));
    if permitted.is_empty() && excluded.is_empty() {
        return Err(malformed("empty name constraints extension"));
    }
    let (permitted, excluded) = (Subtrees::read(permitted)?, Subtrees::read(excluded)?);
    out.set("PermittedDNSDomains", list(permitted.hosts));
    out.set("PermittedEmailAddresses", list(permitted.mailboxes));
    out.set("PermittedIPRanges", list(permitted.networks));
    out.set("PermittedURIDomains", list(permitted.uris));
    out.set("ExcludedDNSDomains", list(excluded.hosts));
    out.set("ExcludedEmailAddresses", list(excluded.mailboxes));
    out.set("ExcludedIPRanges", list(excluded.networks));
    out.set("ExcludedURIDomains", list(excluded.uris));
    out.set("PermittedDNSDomainsCritical", critical);
    Ok(permitted.unhandled || excluded.unhandled)
}

impl Subtrees {
    fn read(mut subtrees: Reader<'_>) -> Result<Self, Failed> {
        const HOST: u8 = context(2);
        const MAILBOX: u8 = context(1);
        const URI: u8 = context(6);
        const NETWORK: u8 = context(7);
        let mut read = Self::default();
        let checked = |name: &[u8], valid: fn(&str) -> bool| {
            let name = Some(ascii(name)?).filter(|name| valid(name));
            name.map(Value::from)
                .ok_or_else(|| malformed("failed to parse a constraint"))
        };
        while !subtrees.is_empty() {
            let mut subtree = need(subtrees.inside(SEQUENCE), INVALID)?;
            let base = need(subtree.any(), INVALID)?;
            match base.tag {
                HOST => {
                    let host = checked(base.body, |host| is_domain(host.as_bytes(), true))?;
                    read.hosts.push(host);
                }
                MAILBOX => read.mailboxes.push(checked(base.body, is_mailbox)?),
                URI => {
                    let valid = |host: &str| {
                        host.parse::<IpAddr>().is_err() && is_domain(host.as_bytes(), true)
                    };
                    read.uris.push(checked(base.body, valid)?);
                }
                NETWORK => read
                    .networks
                    .push(need(network(base.body), "invalid IP constraint")?),
                _ => read.unhandled = true,
            }
        }
        Ok(read)
    }
}

/// An address and a mask that is a prefix.
fn network(body: &[u8]) -> Option<Value> {
    let (start, mask) = body.split_at_checked(body.len() / 2)?;
    let mut zeros = mask.iter().skip_while(|byte| **byte == 0xff);
    let first = zeros.next().copied().unwrap_or_default();
    let prefix = first.leading_ones() + first.trailing_zeros().min(8) == 8;
    if start.len() != mask.len() || !prefix || zeros.any(|byte| *byte != 0) {
        return None;
    }
    let mut network = Members::default();
    network.set("IP", address(start)?);
    network.set("Mask", bytes(mask));
    Some(network.value())
}

/// The domain of a mailbox's, or the mailbox.
fn is_mailbox(mailbox: &str) -> bool {
    let Some((local, domain)) = mailbox.split_once('@') else {
        return is_domain(mailbox.as_bytes(), true);
    };
    let atoms = local.split('.').all(|atom| {
        let of_atom =
            |byte| u8::is_ascii_alphanumeric(&byte) || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        !atom.is_empty() && atom.bytes().all(of_atom)
    });
    atoms && is_domain(domain.as_bytes(), false)
}

/// Whether Go takes it for a domain: anything that can be seen between single dots.
pub(super) fn is_domain(name: &[u8], constraint: bool) -> bool {
    if name.is_empty() {
        return true;
    }
    let name = name
        .strip_prefix(b".")
        .filter(|_| constraint)
        .unwrap_or(name);
    let mut labels = name.split(|byte| *byte == b'.');
    labels.all(|label| !label.is_empty() && label.iter().all(u8::is_ascii_graphic))
}
