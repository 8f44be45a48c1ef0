//! Bad configurations by the message a person sees, good ones by what they become.

mod refused;

use std::path::Path;
use std::time::Duration;

use edgeward_core::request::PathNormalization;
use proptest::prelude::*;

use super::*;
use crate::keys::{BundleSource, IssuerSource};
use crate::service::Gateway;

const COMPLETE: &str = include_str!("../testdata/complete.yaml");

fn messages(text: &str) -> Vec<String> {
    match Config::parse(text, Path::new("/etc/edgeward")) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn each_mistake_is_named_with_field_line_and_fix() {
    for (text, expected) in refused::REFUSED {
        assert_eq!(messages(text), [*expected], "{text}");
    }
}

#[test]
fn every_problem_is_reported_in_one_run() {
    let text = "workers: 0\nlimits: {drain: soon}\nissuers:\n  - issuer: a\n    keys: {}\n";
    let fields: Vec<String> = messages(text)
        .iter()
        .filter_map(|message| message.split_once(": ").map(|(field, _)| field.to_owned()))
        .collect();
    let expected = [
        "workers",
        "limits.drain",
        "issuers[0].audiences",
        "issuers[0].keys",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn hostile_yaml_is_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n";
    let deep = "[".repeat(10_000);
    let twice = "workers: 1\n---\nworkers: 2\n";
    let merge = "base: &b {tcp: x}\nadmin: {<<: *b}\n";
    for text in [
        bomb,
        &deep,
        twice,
        merge,
        "!!python/object x",
        "\u{0}",
        "- 1",
        "7",
        "*x",
    ] {
        assert!(!messages(text).is_empty(), "{text:.40}");
    }
}

#[test]
fn a_duplicate_key_deep_inside_inline_keys_is_refused() {
    let text =
        "issuers: [{issuer: a, audiences: [e], keys: {inline: {keys: [{kty: RSA, kty: EC}]}}}]";
    let expected = "issuers[0].keys.inline.keys[0].kty: stands here twice: remove one (line 1)";
    assert_eq!(messages(text), [expected]);
}

#[test]
fn nothing_written_is_a_safe_standalone_service() {
    let standalone = Config::standalone().expect("defaults are valid");
    for text in ["", "# only a comment\n", "{}"] {
        let config = Config::parse(text, Path::new("")).expect(text);
        assert_eq!(format!("{config:?}"), format!("{standalone:?}"), "{text:?}");
    }
    assert_eq!(standalone.environment, Environment::Production);
    let address = "127.0.0.1:8181".parse().expect("address");
    assert_eq!(standalone.listeners, [Listener::Tcp { address, tls: None }]);
    assert_eq!(standalone.policies.source, PolicySource::Example);
    assert!(standalone.keys.issuers.is_empty() && standalone.keys.trust_domains.is_empty());
}

#[test]
fn a_complete_file_becomes_checked_values() {
    let config =
        Config::parse(COMPLETE, Path::new("/etc/edgeward")).expect("complete.yaml is valid");
    let policies = &config.policies;
    let directory = PathBuf::from("/etc/edgeward/policies");
    assert_eq!(policies.source, PolicySource::Directory(directory));
    assert_eq!(policies.evaluation_timeout, Duration::from_millis(50));
    assert_eq!(policies.engine, EngineChoice::Interpreter);
    assert_eq!(
        (config.limits.body, config.limits.connections),
        (524_288, 512)
    );
    assert_eq!(config.sync_max_wait, Duration::from_secs(20));
    let door = config.ext_authz.as_ref().expect("a door");
    assert_eq!(door.token.header, "x-svc-token");
    assert_eq!(door.allowed_request_headers, ["x-tenant"]);
    assert_eq!(door.normalization, PathNormalization::MergeSlashes);
    assert!(door.token.forward && door.anonymous && door.joined_headers && door.peer.certificates);
    assert_eq!(door.peer.trusted_hops.len(), 2);
    assert_eq!(door.gateways, [Gateway::Envoy, Gateway::Nginx]);
    assert_eq!(config.cache.max_bytes, 16 * 1024 * 1024);
    assert_eq!(config.cache.allow_ttl, Duration::from_secs(30));
    assert_eq!(config.cache.deny_ttl, Duration::from_secs(5));
    let atoms = &config.atoms;
    let networks: Vec<&str> = atoms.definitions.networks.of("10.1.2.3").collect();
    assert_eq!((networks, atoms.networks), (vec!["corp", "office"], 2));
    assert_eq!(atoms.definitions.routes.len(), 2);
    let [(name, hours)] = atoms.schedules.as_slice() else {
        panic!("one schedule")
    };
    assert_eq!(
        (name.as_str(), &*hours.zone_name),
        ("office-hours", "Europe/Berlin")
    );
    let parts = (hours.windows.len(), hours.spans.len(), hours.except.len());
    assert_eq!(parts, (2, 1, 2));
    let database = Path::new("/etc/edgeward/countries.mmdb");
    assert_eq!(atoms.country_database.as_deref(), Some(database));
    assert_eq!(config.listeners.len(), 3);
    let [github, corporate] = config.keys.issuers.as_slice() else {
        panic!("two issuers")
    };
    assert!(matches!(github.source, IssuerSource::Discovery { .. }));
    assert_eq!((github.rules.leeway, github.rules.max_lifetime), (0, 600));
    let IssuerSource::JwksUrl { fetch, .. } = &corporate.source else {
        panic!("a JWKS URL")
    };
    assert_eq!(
        fetch.ca_file.as_deref(),
        Some(Path::new("/etc/edgeward/ca.pem"))
    );
    assert!(
        !fetch.addresses.allow_loopback,
        "production does not fetch from loopback"
    );
    let [domain, federated] = config.keys.trust_domains.as_slice() else {
        panic!("two domains")
    };
    let BundleSource::File(path) = &domain.source else {
        panic!("a file")
    };
    assert_eq!(path, Path::new("/etc/edgeward/bundle.json"));
    assert!(matches!(federated.source, BundleSource::HttpsSpiffe { .. }));
}

#[test]
fn no_part_of_the_file_takes_unknown_keys() {
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).expect("JSON");
    let definitions = schema["$defs"].as_object().expect("definitions");
    let objects: Vec<_> = definitions
        .iter()
        .filter(|(_, definition)| definition["type"] == "object")
        .chain([(&"the file".to_owned(), &schema)])
        .map(|(name, definition)| (name.clone(), definition["additionalProperties"].clone()))
        .collect();
    assert!(objects.len() > 10, "{objects:?}");
    for (name, additional) in objects {
        assert_eq!(
            additional, false,
            "{name}: `deny_unknown_fields` is missing"
        );
    }
}

#[test]
fn the_published_schema_is_current() {
    let published = include_str!("../../../config.schema.json");
    assert_eq!(
        published,
        json_schema(),
        "run `cargo run -p edgeward -- schema > pdp/config.schema.json`"
    );
}

proptest! {
    #[test]
    fn random_text_never_panics(text in "\\PC{0,200}|([a-z_]{1,8}: ?[\\[{&*!<'\"]?\n? ?){0,20}") {
        let _ = Config::parse(&text, Path::new(""));
    }

    #[test]
    fn a_mutated_file_never_panics(
        at in 0..COMPLETE.len(),
        length in 0..40usize,
        insert in "[\\[\\]{}:,&*!|>'\"%@`# \n\t0-9a-z-]{0,12}",
    ) {
        let mut bytes = COMPLETE.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, insert.into_bytes());
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = Config::parse(&text, Path::new(""));
        }
    }
}
