//! An address against every prefix, one by one, and against the ranges made of them.

use proptest::prelude::*;

use super::*;

fn networks(named: &[(&'static str, &[&str])]) -> (Networks, Vec<(&'static str, Vec<IpNet>)>) {
    let parsed: Vec<(&'static str, Vec<IpNet>)> = named
        .iter()
        .map(|(name, texts)| {
            (
                *name,
                texts.iter().map(|text| parse_cidr(text).unwrap()).collect(),
            )
        })
        .collect();
    let borrowed = parsed.iter().map(|(name, nets)| (*name, nets.as_slice()));
    (Networks::new(borrowed), parsed)
}

fn of(networks: &Networks, address: &str) -> String {
    networks.of(address).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_address_is_in_every_network_that_holds_it_and_in_no_other() {
    let (networks, _) = networks(&[
        ("corp", &["10.0.0.0/8", "fd00::/8"]),
        ("all4", &["0.0.0.0/0"]),
        ("all6", &["::/0"]),
        ("office", &["10.1.2.0/24", "10.1.2.128/25"]),
        ("top", &["255.255.255.255/32", "ffff::/16"]),
    ]);
    for (address, names) in [
        ("10.0.0.0", "all4 corp"),
        ("9.255.255.255", "all4"),
        ("10.255.255.255", "all4 corp"),
        ("11.0.0.0", "all4"),
        ("10.1.1.255", "all4 corp"),
        ("10.1.2.0", "all4 corp office"),
        ("10.1.2.255", "all4 corp office"),
        ("10.1.3.0", "all4 corp"),
        ("255.255.255.255", "all4 top"),
        ("0.0.0.0", "all4"),
        ("::", "all6"),
        ("fd12::1", "all6 corp"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "all6 top"),
        // IPv4 in IPv6 form is that IPv4 address and lies in no IPv6 network.
        ("::ffff:10.1.2.7", "all4 corp office"),
    ] {
        assert_eq!(of(&networks, address), names, "{address}");
    }
}

#[test]
fn what_is_no_address_is_in_no_network() {
    let (networks, _) = networks(&[("all", &["0.0.0.0/0", "::/0"])]);
    for text in [
        "",
        "10.1",
        "10.0.0.1:80",
        "[::1]",
        "fe80::1%eth0",
        " 10.0.0.1",
        "010.0.0.1",
        "0x7f.0.0.1",
    ] {
        assert_eq!(of(&networks, text), "", "{text:?}");
    }
    assert_eq!(of(&Networks::default(), "10.0.0.1"), "");
}

#[test]
fn a_network_has_one_spelling() {
    for (text, problem) in [
        ("10.0.0.1", "is not a network"),
        ("10.0.0.0/33", "is not a network"),
        ("corp", "is not a network"),
        ("10.0.0.1/8", "`10.0.0.0/8` is the network"),
        ("::ffff:10.0.0.0/104", "write the IPv4 network"),
    ] {
        let error = parse_cidr(text).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    // Few enough that prefixes overlap and their edges are hit.
    let edge = prop::sample::select(vec![0_u32, 1, 2, 127, 128, 255]);
    let v4 =
        (edge.clone(), edge.clone()).prop_map(|(high, low)| IpAddr::V4((high << 24 | low).into()));
    let v6 = (edge.clone(), edge)
        .prop_map(|(high, low)| IpAddr::V6((u128::from(high) << 120 | u128::from(low)).into()));
    prop_oneof![v4, v6]
}

fn any_prefix() -> impl Strategy<Value = IpNet> {
    (any_address(), 0..=128_u8).prop_map(|(address, length)| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        IpNet::new(address, length.min(most)).unwrap().trunc()
    })
}

proptest! {
    #[test]
    fn ranges_say_what_the_prefixes_say_also_over_the_wire(
        prefixes in prop::collection::vec((0..4_usize, any_prefix()), 0..12),
        addresses in prop::collection::vec(any_address(), 1..8),
    ) {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let of_name = |name: usize| prefixes.iter().filter(move |(other, _)| *other == name).map(|(_, net)| *net);
        let named: Vec<(&str, Vec<IpNet>)> =
            (0..4).map(|name| (NAMES[name], of_name(name).collect())).collect();
        let networks = Networks::new(named.iter().map(|(name, nets)| (*name, nets.as_slice())));
        let wire = serde_json::to_value(&networks).unwrap();
        let told = Networks(serde_json::from_value(wire).unwrap());
        prop_assert_eq!(&told, &networks);
        for address in addresses {
            let expected: Vec<&str> = named
                .iter()
                .filter(|(_, nets)| nets.iter().any(|net| net.contains(&address)))
                .map(|(name, _)| *name)
                .collect();
            let found: Vec<&str> = told.of(&address.to_string()).collect();
            prop_assert_eq!(found, expected, "{} in {:?}", address, networks);
        }
    }
}
