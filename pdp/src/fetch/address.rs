//! Which addresses a key document may come from: the guard against server-side request forgery.
//!
//! It looks at the address that is connected to, after name resolution, so that no name can be
//! pointed somewhere else between check and use. IPv6 addresses that stand for an IPv4 address are
//! judged as that one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::AddressRule;

/// Where clouds serve credentials and identities to whoever asks from the machine: AWS, GCP, Azure
/// and most others share the first; ECS, EKS pod identity, Alibaba, Oracle, Azure's wire server.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];
/// The same over IPv6: AWS, EKS pod identity, GCP.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

/// Why `address` must not be connected to; `None` when it may.
pub(super) fn refusal(address: IpAddr, rule: AddressRule) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_v4(address, rule),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(embedded) => refusal_v4(embedded, rule),
            None => refusal_v6(address, rule),
        },
    }
}

fn refusal_v4(address: Ipv4Addr, rule: AddressRule) -> Option<&'static str> {
    let [first, ..] = address.octets();
    if METADATA_V4.contains(&address) {
        return Some("a cloud metadata address");
    }
    match first {
        0 => Some("an unspecified address"),
        224..=239 => Some("a multicast address"),
        240.. => Some("a reserved or broadcast address"),
        _ if address.is_loopback() && !rule.allow_loopback => Some("a loopback address"),
        _ if address.is_link_local() && !rule.allow_link_local => Some("a link-local address"),
        _ => None,
    }
}

fn refusal_v6(address: Ipv6Addr, rule: AddressRule) -> Option<&'static str> {
    if METADATA_V6.contains(&address) {
        Some("a cloud metadata address")
    } else if address.is_unspecified() {
        Some("an unspecified address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.is_loopback() && !rule.allow_loopback {
        Some("a loopback address")
    } else if address.is_unicast_link_local() && !rule.allow_link_local {
        Some("a link-local address")
    } else {
        None
    }
}

/// The IPv4 address that traffic to `address` may end at: mapped and compatible (RFC 4291 section
/// 2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0, 0, 0, 0, 0, 0, high, low] if !address.is_unspecified() && !address.is_loopback() => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        [0x2001, 0, .., high, low] => Some(join(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: AddressRule = AddressRule {
        allow_loopback: true,
        allow_link_local: true,
    };

    fn refused(text: &str, rule: AddressRule) -> bool {
        refusal(text.parse().unwrap(), rule).is_some()
    }

    #[test]
    fn metadata_multicast_and_unspecified_addresses_are_refused_whatever_is_allowed() {
        for text in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "240.0.0.1",
        ] {
            assert!(refused(text, OPEN), "{text}");
        }
    }

    #[test]
    fn loopback_and_link_local_are_refused_unless_allowed() {
        for text in [
            "127.0.0.1",
            "127.255.0.9",
            "::1",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "169.254.0.1",
            "fe80::1",
            "febf::1",
            "2001::80ff:fffe",
        ] {
            assert!(refused(text, AddressRule::default()), "{text}");
            assert!(!refused(text, OPEN), "{text}");
        }
    }

    #[test]
    fn public_and_private_addresses_are_allowed() {
        for text in [
            "93.184.216.34",
            "10.0.0.1",
            "192.168.1.1",
            "2606:4700::1",
            "fd12::1",
        ] {
            assert!(!refused(text, AddressRule::default()), "{text}");
        }
    }
}
