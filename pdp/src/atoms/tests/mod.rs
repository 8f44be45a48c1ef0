//! Definitions and questions that the tests of atoms share.

mod keys;
mod premises;
mod told;

use edgeward_core::atoms::{Networks, Route, Routes, Template, parse_cidr};
use jiff::tz::TimeZone;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::atoms::country::tests::database;

const NOW: UnixSeconds = UnixSeconds(1_000_000);

fn definitions(networks: &[(&str, &str)], routes: &[(&str, &str)]) -> Definitions {
    let prefixes: Vec<_> = networks
        .iter()
        .map(|(_, text)| [parse_cidr(text).unwrap()])
        .collect();
    let named = networks
        .iter()
        .zip(&prefixes)
        .map(|((name, _), prefixes)| (*name, &prefixes[..]));
    let route = |(name, template): &(&str, &str)| {
        Route::new(name, &[], &[], &Template::parse(template).unwrap())
    };
    Definitions {
        networks: Networks::new(named),
        routes: Routes::new(routes.iter().map(route).collect()),
    }
}

fn schedule(from: u64, until: u64) -> Schedule {
    Schedule {
        zone: TimeZone::UTC,
        zone_name: "UTC".to_owned(),
        windows: Vec::new(),
        spans: vec![(from.try_into().unwrap(), until.try_into().unwrap())],
        except: Vec::new(),
    }
}

/// With a database of countries where `countries` has any; it lies in the folder that comes along.
fn settings(countries: &[(&str, &str)]) -> (AtomSettings, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countries.mmdb");
    std::fs::write(&path, database(countries)).unwrap();
    let settings = AtomSettings {
        networks: 3,
        definitions: definitions(
            &[
                ("corp", "10.0.0.0/8"),
                ("office", "10.1.0.0/16"),
                ("six", "2001:db8::/32"),
            ],
            &[
                ("order", "/orders/{id}"),
                ("pair", "/p/{b}/{a}"),
                ("docs", "/docs/**"),
            ],
        ),
        schedules: vec![
            ("late".to_owned(), schedule(NOW.0 + 100, NOW.0 + 200)),
            ("early".to_owned(), schedule(NOW.0 - 10, NOW.0 + 10)),
            ("always".to_owned(), schedule(0, u64::from(u32::MAX))),
        ],
        country_database: (!countries.is_empty()).then_some(path),
    };
    (settings, folder)
}

fn told(atoms: &Atoms, input: &Value, now: UnixSeconds) -> Value {
    let mut input = input.clone();
    atoms.tell(&mut input, now);
    input
}

fn question(address: &Value, path: &Value) -> Value {
    json!({
        "subject": {"type": "workload", "id": "s"},
        "action": {"name": "GET"},
        "resource": {"type": "http", "id": "h", "properties": {"host": "h", "path": path,
            "route": "admin", "params": {"id": "mine"}, "segments": ["orders", "7"]}},
        "context": {"time": "1970-01-01T00:00:00Z", "schedules": ["late"],
            "source": {"address": address, "networks": ["office"], "country": "XX"}},
    })
}

fn vary(paths: &[&[&str]]) -> Footprint {
    let mut vary = Footprint::nothing();
    for path in paths {
        vary.widen(path.iter().copied());
    }
    vary
}

fn caching(vary: Footprint) -> Caching {
    Caching {
        program: "p".to_owned(),
        policies: String::new(),
        vary,
        atoms: Definitions::default(),
    }
}
