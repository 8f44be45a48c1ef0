//! Named networks: which of them an address lies in, found by a binary search.

use std::collections::BTreeMap;
use std::iter;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;
use thiserror::Error;

use super::cut;

/// All named networks, as the ranges of addresses between which the names change. All IPv4
/// addresses come before all IPv6 addresses; an IPv4 address in IPv6 form is an IPv4 address.
///
/// A range is one text, on the wire and in memory: its first address (`place`) and the names, in
/// order, a space before each. It ends where the next begins. Texts compare as their addresses do,
/// and so the filter's module need not read them: that took four kilobytes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Networks(pub(super) Vec<String>);

/// Why a text is no network.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum CidrError {
    /// No CIDR prefix at all.
    #[error("`{0}` is not a network: write it as `10.0.0.0/8`, one address as `10.1.2.3/32`")]
    NotANetwork(String),
    /// It has bits beyond the prefix.
    #[error("`{0}` has bits beyond its prefix: `{1}` is the network")]
    HostBits(String, IpNet),
    /// IPv4 in IPv6 form.
    #[error("`{0}` is IPv4 in IPv6 form: write the IPv4 network")]
    Mapped(String),
}

/// A network in CIDR notation, without bits beyond its prefix.
pub fn parse_cidr(text: &str) -> Result<IpNet, CidrError> {
    let given = || text.chars().take(64).collect::<String>();
    let network: IpNet = text.parse().map_err(|_| CidrError::NotANetwork(given()))?;
    if network.addr() != network.network() {
        return Err(CidrError::HostBits(given(), network.trunc()));
    }
    if network.prefix_len() >= 96 && network.addr().to_canonical() != network.addr() {
        return Err(CidrError::Mapped(given()));
    }
    Ok(network)
}

impl Networks {
    /// Networks by name.
    pub fn new<'n>(named: impl IntoIterator<Item = (&'n str, &'n [IpNet])>) -> Self {
        // What changes at an address: prefixes of a name that begin there, less those that ended.
        let mut changes: BTreeMap<IpAddr, Vec<(&str, i32)>> = BTreeMap::new();
        for (name, prefixes) in named {
            for prefix in prefixes {
                changes.entry(prefix.network()).or_default().push((name, 1));
                if let Some(end) = after(prefix.broadcast()) {
                    changes.entry(end).or_default().push((name, -1));
                }
            }
        }
        let mut open: BTreeMap<&str, i32> = BTreeMap::new();
        let (mut ranges, mut last) = (Vec::new(), String::new());
        for (first, changes) in changes {
            for (name, change) in changes {
                *open.entry(name).or_default() += change;
            }
            open.retain(|_, prefixes| *prefixes != 0);
            let inside: String = open.keys().flat_map(|name| [" ", name]).collect();
            if last != inside {
                ranges.push(place(first) + &inside);
                last = inside;
            }
        }
        Self(ranges)
    }

    /// The names of the networks that `address` lies in, in order: none for what is no address.
    pub fn of(&self, address: &str) -> impl Iterator<Item = &str> {
        let mut names = self.range(address);
        cut(&mut names, b' ');
        iter::from_fn(move || cut(&mut names, b' '))
    }

    fn range(&self, address: &str) -> Option<&str> {
        let address: IpAddr = address.parse().ok()?;
        let mut place = place(address.to_canonical());
        // After whatever begins at the address itself, and before all that begins later.
        place.push('~');
        let after = self.0.partition_point(|range| *range < place);
        self.0.get(after.checked_sub(1)?).map(String::as_str)
    }

    /// What they take on the wire, in bytes.
    pub fn bytes(&self) -> usize {
        // With quotes and a comma.
        self.0.iter().map(|range| range.len() + 3).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The address after `address`, that of IPv6 after the last of IPv4; none after the last of all.
fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => Some(
            v4.to_bits()
                .checked_add(1)
                .map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |bits| {
                    IpAddr::V4(bits.into())
                }),
        ),
        IpAddr::V6(v6) => v6
            .to_bits()
            .checked_add(1)
            .map(|bits| IpAddr::V6(bits.into())),
    }
}

/// A text that compares with others as the address does with theirs: `40a010203`, `6fd00…01`.
fn place(address: IpAddr) -> String {
    let mut text = String::new();
    match address {
        IpAddr::V4(v4) => push_hex(&mut text, '4', &v4.octets()),
        IpAddr::V6(v6) => push_hex(&mut text, '6', &v6.octets()),
    }
    text
}

fn push_hex(text: &mut String, family: char, octets: &[u8]) {
    text.push(family);
    for octet in octets {
        for digit in [octet >> 4, octet & 15] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
    }
}

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
