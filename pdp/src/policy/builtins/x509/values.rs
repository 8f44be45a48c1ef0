//! Values as Go writes them in JSON: bytes in base64, texts without broken UTF-8, lists that may be null.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::{BigInt, BigUint};
use regorus::Value;

use super::super::Failed;

/// Bytes of the longest whole number: keys have fewer, and writing one as decimals costs its square.
const MAX_NUMBER: usize = 2048;

/// The members of an object.
#[derive(Default)]
pub(super) struct Members(BTreeMap<Value, Value>);

impl Members {
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.insert(Value::from(name), value.into());
    }

    pub(super) fn unset(&mut self, name: &'static str) {
        self.0.remove(&Value::from(name));
    }

    /// The length of a list; 0 where it is none.
    pub(super) fn length(&self, name: &'static str) -> usize {
        match self.0.get(&Value::from(name)) {
            Some(Value::Array(list)) => list.len(),
            _ => 0,
        }
    }

    /// Sets these to null.
    pub(super) fn none(&mut self, names: &[&'static str]) {
        for name in names {
            self.set(name, Value::Null);
        }
    }

    /// Sets these to 0.
    pub(super) fn zero(&mut self, names: &[&'static str]) {
        for name in names {
            self.set(name, 0_u64);
        }
    }

    /// Sets these to false.
    pub(super) fn no(&mut self, names: &[&'static str]) {
        for name in names {
            self.set(name, false);
        }
    }

    pub(super) fn value(self) -> Value {
        Value::from(self.0)
    }
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    Value::from(STANDARD.encode(bytes))
}

/// Text whose broken bytes are replaced one by one.
pub(in crate::policy::builtins) fn text(bytes: &[u8]) -> Value {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Value::from(out)
}

/// A list that is null where it is empty.
pub(super) fn list(items: Vec<Value>) -> Value {
    if items.is_empty() {
        Value::Null
    } else {
        Value::from(items)
    }
}

pub(super) fn oid(parts: &[u32]) -> Value {
    let parts = parts.iter().map(|part| Value::from(u64::from(*part)));
    Value::from(parts.collect::<Vec<_>>())
}

/// A whole number in two's complement.
pub(super) fn integer(bytes: &[u8]) -> Result<Value, Failed> {
    if bytes.len() > MAX_NUMBER {
        return Err(Failed::Bound(
            "a number in a certificate may have 2048 bytes",
        ));
    }
    number(&BigInt::from_signed_bytes_be(bytes).to_string())
}

pub(super) fn unsigned(number_of: &BigUint) -> Result<Value, Failed> {
    number(&number_of.to_string())
}

fn number(decimals: &str) -> Result<Value, Failed> {
    let parsed = decimals.parse().map(Value::Number);
    parsed.map_err(|_| Failed::refused("not a number"))
}

/// An address, and one of IPv4 that is written as IPv6 by itself.
pub(super) fn address(bytes: &[u8]) -> Option<Value> {
    let address = if let Ok(narrow) = <[u8; 4]>::try_from(bytes) {
        IpAddr::V4(Ipv4Addr::from(narrow))
    } else {
        IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))
    };
    Some(Value::from(address.to_canonical().to_string()))
}
