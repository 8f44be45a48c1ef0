//! The door for unknown keys: what it takes, what it refuses, and what comes of it.

use std::time::{Duration, Instant};

use edgeward_core::feed::Feed;

use super::fixtures::{ISSUER, write_keys};
use super::harness::{Answer, Pdp, exchange, settings};

const PATH: &str = "/edgeward/v1/keys/unknown";
/// RFC 8037, appendix A.2.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"k1","alg":"EdDSA","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn report(pdp: &Pdp, kind: &str, body: &str) -> Answer {
    let headers = [("content-type", kind)];
    exchange(pdp.connect(), "POST", PATH, &headers, body.as_bytes())
}

fn of(issuer: &str, kid: &str) -> String {
    format!(r#"{{"keys":[{{"issuer":"{issuer}","kid":"{kid}"}}]}}"#)
}

fn counted(pdp: &Pdp, outcome: &str) -> u64 {
    let metrics = pdp.get("/metrics").body;
    let series = format!("edgeward_unknown_keys_total{{outcome=\"{outcome}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&series));
    line.unwrap_or_else(|| panic!("{series}: {metrics}"))
        .parse()
        .unwrap()
}

#[test]
fn a_report_that_is_none_is_refused_by_the_name_of_its_fault_and_counts_as_nothing() {
    let pdp = Pdp::deciding("decision := true");
    let long = "k".repeat(65 * 1024);
    for (kind, body, status, fault) in [
        ("text/plain", of(ISSUER, "k"), 400, "content-type must be"),
        (
            "application/json",
            String::new(),
            400,
            "report: not acceptable JSON",
        ),
        (
            "application/json",
            "{}".to_owned(),
            400,
            "keys: must be a list of 1 to 8 keys",
        ),
        (
            "application/json",
            of("", "k"),
            400,
            "keys[0].issuer: issuer must be",
        ),
        (
            "application/json",
            of(ISSUER, ""),
            400,
            "keys[0].kid: must be given",
        ),
        (
            "application/json",
            of(ISSUER, &long),
            413,
            "body is longer than 65536 bytes",
        ),
    ] {
        let answer = report(&pdp, kind, &body);
        assert_eq!(answer.status, status, "{body:.80}: {}", answer.body);
        let message = answer.json().as_str().unwrap().to_owned();
        assert!(message.starts_with(fault), "{body:.80}: {message}");
    }
    assert_eq!(pdp.get(PATH).status, 405);
    for outcome in ["asked", "joined", "known", "rate_limited", "unknown_owner"] {
        assert_eq!(counted(&pdp, outcome), 0, "{outcome}");
    }
}

#[test]
fn an_owner_that_is_not_configured_is_counted_and_nothing_else() {
    let pdp = Pdp::deciding("decision := true");
    let body = r#"{"keys":[{"issuer":"https://stranger.test","kid":"k"},
        {"trust_domain":"stranger.test","kid":"k"}]}"#;
    let answer = report(&pdp, "application/json", body);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(counted(&pdp, "unknown_owner"), 2);
    assert_eq!(counted(&pdp, "asked"), 0);
}

#[test]
fn a_key_that_is_there_is_known_and_one_that_is_not_is_asked_for_without_waiting() {
    let pdp = Pdp::deciding("decision := true");
    write_keys(pdp.folder.path(), KEY);
    let started = Instant::now();
    while !pdp.get("/edgeward/v1/sync").body.contains("\"k1\"") {
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(
        report(&pdp, "application/json", &of(ISSUER, "k1")).status,
        204
    );
    assert_eq!(counted(&pdp, "known"), 1);
    assert_eq!(
        report(&pdp, "application/json", &of(ISSUER, "k2")).status,
        204
    );
    assert_eq!(counted(&pdp, "asked") + counted(&pdp, "joined"), 1);
    let feed = Feed::parse(pdp.get("/edgeward/v1/sync").body.as_bytes()).unwrap();
    assert_eq!(feed.issuers[0].keys["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn a_listener_for_operators_alone_takes_no_report() {
    let mut settings = settings();
    settings.admin = Some(([127, 0, 0, 1], 0).into());
    let pdp = Pdp::start(settings);
    let admin = match &pdp.addresses[1] {
        crate::service::BoundAddress::Tcp(address) => {
            std::net::TcpStream::connect(address).unwrap()
        }
        crate::service::BoundAddress::Unix(path) => panic!("{}", path.display()),
    };
    let headers = [("content-type", "application/json")];
    let body = of(ISSUER, "k");
    assert_eq!(
        exchange(admin, "POST", PATH, &headers, body.as_bytes()).status,
        404
    );
    assert_eq!(report(&pdp, "application/json", &body).status, 204);
}
