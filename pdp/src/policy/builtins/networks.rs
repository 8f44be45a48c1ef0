//! `net.cidr_contains`, `net.cidr_contains_matches`, `net.cidr_expand`, `net.cidr_intersects` and
//! `net.cidr_merge`.
//!
//! Networks are read as Go's `net.ParseCIDR` reads them: host bits are dropped, and an IPv6 network
//! within `::ffff:0:0/96` is the IPv4 network that it maps.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use regorus::Value;

use super::arguments::{Arguments, type_name};
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[
    ("net.cidr_contains", 2, contains),
    ("net.cidr_contains_matches", 2, contains_matches),
    ("net.cidr_expand", 1, expand),
    ("net.cidr_intersects", 2, |a| {
        let (left, right) = (network(a.text(0)?)?, network(a.text(1)?)?);
        Ok(Value::from(left.contains(&right) || right.contains(&left)))
    }),
    ("net.cidr_merge", 1, merge),
];

/// Addresses that one network may be expanded to.
const MAX_ADDRESSES: u128 = 65_536;
/// Pairs that may be compared in one call.
const MAX_PAIRS: usize = 1_000_000;

/// Reads `address/prefix`.
fn network(text: &str) -> Result<IpNet, Failed> {
    let invalid = || Failed::refused(format!("invalid CIDR address: {text}"));
    let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    let prefix = prefix.parse().map_err(|_| invalid())?;
    let network = IpNet::new(address, prefix).map_err(|_| invalid())?;
    Ok(unmapped(network.trunc()))
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(wide) = network else {
        return network;
    };
    let mapped = wide.network().to_ipv4_mapped();
    let prefix = wide.prefix_len().checked_sub(96);
    match mapped.zip(prefix).map(|(ip, bits)| Ipv4Net::new(ip, bits)) {
        Some(Ok(narrow)) => IpNet::V4(narrow),
        _ => network,
    }
}

/// Reads an address, or else a network.
fn network_or_address(text: &str) -> Result<IpNet, Failed> {
    let address = text.parse::<IpAddr>();
    address
        .map(|address| IpNet::from(address.to_canonical()))
        .or_else(|_| network(text))
        .map_err(|_| {
            Failed::refused(format!(
                "not a valid textual representation of an IP address or CIDR: {text}"
            ))
        })
}

/// The engine's own takes an IPv4 address for one of IPv6 where it is written so
/// (`::ffff:10.0.0.1`), and a list of networks to deny would not hold it.
fn contains(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (outer, inner) = (network(a.text(0)?)?, network_or_address(a.text(1)?)?);
    Ok(Value::from(outer.contains(&inner)))
}

fn expand(a: &Arguments<'_>) -> Result<Value, Failed> {
    let network = network(a.text(0)?)?;
    let bits = u32::from(network.max_prefix_len() - network.prefix_len());
    if 1_u128
        .checked_shl(bits)
        .is_none_or(|count| count > MAX_ADDRESSES)
    {
        return Err(Failed::Bound(
            "a network to expand may have 65536 addresses",
        ));
    }
    let addresses: BTreeSet<Value> = match network {
        IpNet::V4(network) => every(network.network().to_bits().into(), bits)
            .filter_map(|bits| u32::try_from(bits).ok())
            .map(|bits| text(std::net::Ipv4Addr::from_bits(bits).into()))
            .collect(),
        IpNet::V6(network) => every(network.network().to_bits(), bits)
            .map(|bits| text(std::net::Ipv6Addr::from_bits(bits).into()))
            .collect(),
    };
    Ok(Value::from(addresses))
}

fn every(first: u128, bits: u32) -> impl Iterator<Item = u128> {
    (0..1_u128 << bits).map(move |n| first + n)
}

fn text(address: IpAddr) -> Value {
    Value::from(address.to_string())
}

/// What a list of networks holds: the text of each, and what the answer names it by.
fn terms(operand: usize, a: &Arguments<'_>) -> Result<Vec<(Term, Value)>, Failed> {
    let term = |value: &Value| match value {
        Value::Array(tuple) => tuple.first().cloned(),
        Value::String(_) => Some(value.clone()),
        _ => None,
    };
    let term = |value: &Value| {
        term(value).map(Term).ok_or_else(|| {
            let operand = operand + 1;
            Failed::refused(format!(
                "operand {operand}: element must be string or non-empty array"
            ))
        })
    };
    match a.any(operand) {
        it @ Value::String(_) => Ok(vec![(Term(it.clone()), it.clone())]),
        Value::Array(list) => (list.iter().enumerate())
            .map(|(index, value)| Ok((term(value)?, Value::from(index))))
            .collect(),
        Value::Set(set) => set
            .iter()
            .map(|value| Ok((term(value)?, value.clone())))
            .collect(),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| Ok((term(value)?, name.clone())))
            .collect(),
        _ => Err(a.wrong(operand, "one of {string, array, set, object}")),
    }
}

/// One element, not read yet: OPA reads it only where it is compared.
struct Term(Value);

impl Term {
    fn read(
        &self,
        operand: usize,
        how: fn(&str) -> Result<IpNet, Failed>,
    ) -> Result<IpNet, Failed> {
        match &self.0 {
            Value::String(text) => how(text),
            other => Err(Failed::Operand {
                operand,
                wanted: "string",
                got: type_name(other),
            }),
        }
    }
}

/// The pairs of a network and what lies in it.
fn contains_matches(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (networks, inner) = (terms(0, a)?, terms(1, a)?);
    if networks.len().saturating_mul(inner.len()) > MAX_PAIRS {
        return Err(Failed::Bound("1000000 pairs may be compared at once"));
    }
    let mut matches = BTreeSet::new();
    if networks.is_empty() || inner.is_empty() {
        return Ok(Value::from(matches));
    }
    let inner: Vec<(IpNet, &Value)> = inner
        .iter()
        .map(|(term, name)| Ok((term.read(1, network_or_address)?, name)))
        .collect::<Result<_, Failed>>()?;
    for (term, outer) in &networks {
        let network = term.read(1, network)?;
        for (one, name) in &inner {
            if network.contains(one) {
                matches.insert(Value::from(vec![outer.clone(), (*name).clone()]));
            }
        }
    }
    Ok(Value::from(matches))
}

/// The fewest networks that hold the same addresses. An address without a prefix stands for the
/// network of its class; where that is merged with nothing, OPA tells it with the address's own bits.
fn merge(a: &Arguments<'_>) -> Result<Value, Failed> {
    let given: Vec<&Value> = match a.any(0) {
        Value::Array(list) => list.iter().collect(),
        Value::Set(set) => set.iter().collect(),
        _ => return Err(a.wrong(0, "one of {set, array}")),
    };
    let mut networks = Vec::with_capacity(given.len());
    let mut bare = BTreeMap::new();
    for value in given {
        let Value::String(text) = value else {
            return Err(Failed::refused("element must be string"));
        };
        let Ok(address) = text.parse::<IpAddr>() else {
            networks.push(network(text)?);
            continue;
        };
        let IpAddr::V4(address) = address.to_canonical() else {
            return Err(Failed::refused("IPv6 invalid: needs prefix length"));
        };
        let class = match address.octets() {
            [0..0x80, ..] => 8,
            [0x80..0xc0, ..] => 16,
            _ => 24,
        };
        let network = Ipv4Net::new_assert(address, class);
        bare.insert(IpNet::V4(network.trunc()), network.to_string());
        networks.push(IpNet::V4(network.trunc()));
    }
    let merged = IpNet::aggregate(&networks).into_iter().map(|network| {
        let inside = networks.iter().filter(|one| network.contains(*one));
        let own = bare.get(&network).filter(|_| inside.count() == 1);
        Value::from(own.cloned().unwrap_or_else(|| network.to_string()))
    });
    Ok(Value::from(merged.collect::<BTreeSet<_>>()))
}
