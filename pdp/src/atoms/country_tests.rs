//! A database written here, byte by byte, and read by the crate that reads `MaxMind`'s.

use super::*;

/// A database in `MaxMind`'s format, version 2.0, over IPv6, in which the addresses below each prefix
/// have a country. IPv4 lies below `::/96`.
pub(in crate::atoms) fn database(prefixes: &[(&str, &str)]) -> Vec<u8> {
    // A trie: of each node what is left and right. 0 is nothing yet, n > 0 is node n, n < 0 a country.
    let mut nodes: Vec<[i64; 2]> = vec![[0, 0]];
    for (number, (prefix, _)) in (1_i64..).zip(prefixes) {
        let prefix: ipnet::IpNet = prefix.parse().unwrap();
        let (bits, length) = match prefix {
            ipnet::IpNet::V4(net) => (u128::from(net.network().to_bits()), 96 + net.prefix_len()),
            ipnet::IpNet::V6(net) => (net.network().to_bits(), net.prefix_len()),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][side] = -number;
            } else {
                if nodes[node][side] <= 0 {
                    nodes.push([0, 0]);
                    nodes[node][side] = i64::try_from(nodes.len() - 1).unwrap();
                }
                node = usize::try_from(nodes[node][side]).unwrap();
            }
        }
    }
    let mut data = Vec::new();
    let mut places = Vec::new();
    for (_, country) in prefixes {
        places.push(data.len());
        data.extend(map(&[("country", map(&[("iso_code", text(country))]))]));
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match *record {
            0 => count,
            next if next > 0 => usize::try_from(next).unwrap(),
            country => count + 16 + places[usize::try_from(-country - 1).unwrap()],
        };
        out.extend(&u32::try_from(value).unwrap().to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let count = u32::try_from(count).unwrap();
    out.extend(map(&[
        ("binary_format_major_version", unsigned(5, 2)),
        ("binary_format_minor_version", unsigned(5, 0)),
        (
            "build_epoch",
            extended(9 - 7, 1_700_000_000_u64.to_be_bytes().as_slice()),
        ),
        ("database_type", text("Test-Country")),
        ("description", map(&[("en", text("made by a test"))])),
        ("ip_version", unsigned(5, 6)),
        ("languages", extended(11 - 7, &[])),
        (
            "node_count",
            [&[6 << 5 | 4][..], &count.to_be_bytes()].concat(),
        ),
        ("record_size", unsigned(5, 24)),
    ]));
    out
}

/// A text of at most 28 bytes.
fn text(text: &str) -> Vec<u8> {
    [
        &[2 << 5 | u8::try_from(text.len()).unwrap()][..],
        text.as_bytes(),
    ]
    .concat()
}

fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let members = members
        .iter()
        .map(|(name, value)| [text(name), value.clone()].concat());
    let mut out = vec![7 << 5 | u8::try_from(members.len()).unwrap()];
    members.for_each(|member| out.extend(member));
    out
}

fn unsigned(kind: u8, value: u8) -> Vec<u8> {
    vec![kind << 5 | 1, value]
}

/// A value of a type whose number is beyond 7.
fn extended(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap(), kind], bytes].concat()
}

const COUNTRIES: &[(&str, &str)] = &[
    ("10.0.0.0/8", "DE"),
    ("192.0.2.0/25", "FR"),
    ("2001:db8::/32", "JP"),
];

fn write(path: &Path, content: &[u8]) {
    let new = path.with_extension("new");
    std::fs::write(&new, content).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn country(database: &Database, address: &str) -> Option<String> {
    database.of(address.parse().unwrap())
}

#[test]
fn an_address_has_the_country_that_the_database_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countries.mmdb");
    write(&path, &database(COUNTRIES));
    let database = Database::read(&path).unwrap();
    for (address, expected) in [
        ("10.255.0.1", Some("DE")),
        ("::ffff:10.255.0.1", Some("DE")),
        ("11.0.0.1", None),
        ("192.0.2.127", Some("FR")),
        ("192.0.2.128", None),
        ("2001:db8:ffff::1", Some("JP")),
        ("2001:db9::1", None),
    ] {
        assert_eq!(
            country(&database, address).as_deref(),
            expected,
            "{address}"
        );
    }
}

#[test]
fn a_file_that_is_absent_or_damaged_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countries.mmdb");
    let absent = Countries::open(&path).unwrap_err().to_string();
    assert!(
        absent.contains("countries.mmdb: cannot be read"),
        "{absent}"
    );
    let whole = database(COUNTRIES);
    for end in [0, 20, whole.len() / 2, whole.len() - 1] {
        write(&path, &whole[..end]);
        let damaged = Countries::open(&path).unwrap_err().to_string();
        assert!(
            damaged.contains("countries.mmdb: is no sound MaxMind database"),
            "{end}: {damaged}"
        );
    }
    // A record that points into nowhere.
    let mut broken = whole;
    broken[..3].copy_from_slice(&[0xff; 3]);
    write(&path, &broken);
    assert!(Countries::open(&path).is_err());
}

#[test]
fn another_file_is_put_in_force_and_one_that_does_not_hold_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countries.mmdb");
    write(&path, &database(COUNTRIES));
    let countries = Arc::new(Countries::open(&path).unwrap());
    let mut revision = countries.subscribe();
    let before = countries.current();
    write(&path, b"nothing");
    countries.reload();
    assert!(Arc::ptr_eq(&before, &countries.current()) && !revision.has_changed().unwrap());
    write(&path, &database(&[("10.0.0.0/8", "US")]));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let following = tokio::spawn(countries.clone().follow());
        let changed = tokio::time::timeout(Duration::from_secs(20), revision.changed()).await;
        assert!(changed.is_ok(), "the change is seen");
        following.abort();
    });
    let after = countries.current();
    assert_eq!(country(&after, "10.0.0.1").as_deref(), Some("US"));
    assert_ne!(after.digest, before.digest);
}
