//! Named networks: which of them an address lies in, found by a binary search.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// All named networks, as the ranges of addresses between which the names change. All IPv4
/// addresses come before all IPv6 addresses; an IPv4 address in IPv6 form is an IPv4 address.
///
/// On the wire: a list of `FIRST-ADDRESS NAME NAME…`, each range ending where the next begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Range>);

/// The addresses from `first` to the next range.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    first: IpAddr,
    /// In order, a space between two.
    names: String,
}

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
        let mut ranges: Vec<Range> = Vec::new();
        for (first, changes) in changes {
            for (name, change) in changes {
                *open.entry(name).or_default() += change;
            }
            open.retain(|_, prefixes| *prefixes != 0);
            let names = open.keys().copied().collect::<Vec<_>>().join(" ");
            if ranges.last().map_or("", |last| &last.names) != names {
                ranges.push(Range { first, names });
            }
        }
        Self(ranges)
    }

    /// The names of the networks that `address` lies in, in order: none for what is no address.
    pub fn of<'n>(&'n self, address: &str) -> impl Iterator<Item = &'n str> {
        self.names(address)
            .split(' ')
            .filter(|name| !name.is_empty())
    }

    fn names(&self, address: &str) -> &str {
        let Ok(address) = address.parse::<IpAddr>() else {
            return "";
        };
        let address = address.to_canonical();
        let after = self.0.partition_point(|range| range.first <= address);
        let range = after.checked_sub(1).and_then(|at| self.0.get(at));
        range.map_or("", |range| &range.names)
    }

    /// Reads the wire form; none where it is not in order.
    pub(super) fn from_wire(texts: Vec<String>) -> Option<Self> {
        let mut ranges: Vec<Range> = Vec::with_capacity(texts.len());
        for text in texts {
            let (first, names) = text.split_once(' ').unwrap_or((&text, ""));
            let first = first.parse().ok()?;
            if ranges.last().is_some_and(|last| last.first >= first) {
                return None;
            }
            let names = names.to_owned();
            ranges.push(Range { first, names });
        }
        Some(Self(ranges))
    }

    /// What they take on the wire, in bytes.
    pub fn bytes(&self) -> usize {
        // The longest address has 39 characters; quotes and a comma.
        let of_range = |range: &Range| 43 + range.names.len();
        self.0.iter().map(of_range).sum()
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

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|range| {
            let mut text = range.first.to_string();
            if !range.names.is_empty() {
                text.push(' ');
                text.push_str(&range.names);
            }
            text
        }))
    }
}

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
