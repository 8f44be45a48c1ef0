//! Decisions that are reused or shared against decisions that are made: over random requests,
//! programs, feeds, failures and times, what is not asked for is what would be decided at that
//! instant, and whoever waits is answered.

use serde_json::{Value, json};

use super::*;
use model::{Counts, Event, Program, any_event, any_program};
use world::World;

#[path = "exchange_cache_model.rs"]
mod model;
#[path = "exchange_cache_world.rs"]
mod world;

const TOKENS: usize = 4;
/// The key that signs them all; whenever it is not published, they are worth nothing.
const SIGNING: u8 = 7;
/// The last token expires while the others hold.
const LIFETIMES: [u64; TOKENS] = [3000, 3000, 3000, 60];

const FEED: &str = r#"{"version":1,"cursor":"c","lease":"lease","policy_revision":"p","trust_domains":[],
    "issuers":[{"issuer":"https://i","keys":{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"KEY"}]},
    "rules":{"audiences":["edge"],"algorithms":["EdDSA"],"types":["jwt"],"leeway":0,"max_lifetime":3600}}]}"#;

/// Two of each subject, by one key.
fn tokens() -> Vec<String> {
    let token = |(number, lifetime): (usize, &u64)| {
        let header = encode_base64url(br#"{"alg":"EdDSA","kid":"k","typ":"JWT"}"#);
        let claims = json!({"iss": "https://i", "sub": format!("w{}", number / 2), "n": number,
            "aud": "edge", "exp": NOW + lifetime});
        let claims = encode_base64url(claims.to_string().as_bytes());
        let text = format!("{header}.{claims}");
        let signature = key().sign(text.as_bytes()).to_bytes();
        format!("Bearer {text}.{}", encode_base64url(&signature))
    };
    LIFETIMES.iter().enumerate().map(token).collect()
}

/// What the filter asks.
fn question(token: usize, path: &str, header: Option<&str>) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let values: Vec<&str> = query
        .split('&')
        .filter_map(|pair| pair.split('=').nth(1))
        .collect();
    let mut query = json!({});
    if !values.is_empty() {
        query["q"] = json!(values);
    }
    let headers = header.map_or(json!({}), |value| json!({"x-h": [value]}));
    json!({
        "subject": {"type": "workload", "id": format!("https://i|w{}", token / 2), "properties": {
            "issuer": "https://i", "claims": {"iss": "https://i", "sub": format!("w{}", token / 2),
            "n": token, "aud": "edge", "exp": NOW + LIFETIMES[token]}}},
        "action": {"name": "GET"},
        "resource": {"type": "http", "id": "shop.example", "properties": {"host": "shop.example",
            "path": path, "segments": [path.trim_start_matches('/')], "query": query, "headers": headers}},
        "context": {"source": {"address": "192.0.2.7"}},
    })
}

/// Runs a history to its end.
fn run(program: Program, together: bool, events: Vec<Event>) -> Result<Counts, TestCaseError> {
    let mut world = World::new(program, together);
    for event in events {
        match event {
            Event::Request {
                token,
                path,
                header,
            } => world.request(token, path, header)?,
            Event::Answer { which, late } => world.answer(which, late)?,
            Event::Fail { which, status } => world.fail(which, status)?,
            Event::Leave(which) => world.leave(which),
            Event::Tick => world.tick()?,
            Event::Turn => world.turn()?,
            Event::Load(program) => world.pdp.program = program,
            Event::Rotate(key) => world.pdp.key = key,
            Event::Revoke(subject) => world.pdp.revoked = subject,
            Event::Feed => world.feed(),
            Event::Quiet => world.quiet(),
            Event::Pass(seconds) => world.now += seconds,
            Event::StepBack(seconds) => world.now = NOW.max(world.now - seconds),
        }
    }
    world.finish()
}

/// `EDGEWARD_CACHE_STEPS` makes it longer: `./just soak-cache`.
fn steps() -> u64 {
    let steps = std::env::var("EDGEWARD_CACHE_STEPS").ok();
    steps
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(100_000)
}

const STEPS_OF_A_HISTORY: usize = 200;

#[test]
fn a_reused_decision_is_the_one_that_would_be_made_at_that_instant() {
    let histories = u32::try_from(steps() / STEPS_OF_A_HISTORY as u64).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: histories,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    });
    let all = std::cell::Cell::new(Counts::default());
    let history = (
        any_program(),
        any::<bool>(),
        prop::collection::vec(any_event(), STEPS_OF_A_HISTORY),
    );
    runner
        .run(&history, |(program, together, events)| {
            all.set(all.get() + run(program, together, events)?);
            Ok(())
        })
        .unwrap();
    let Counts {
        made,
        together,
        reused,
        shared,
        failed,
        stale,
    } = all.get();
    println!(
        "{} steps: {made} decisions made, {failed} calls without, {together} calls for several, {reused} reused, {shared} shared, \
         {stale} beyond their time where the posture says so, 0 differences",
        steps()
    );
    assert!(reused > made / 4, "the test must reuse: {reused} of {made}");
    assert!(together > made / 50, "the test must ask together");
    assert!(stale > 0, "the test must serve stale ones");
    assert!(
        shared > made / 50,
        "the test must share: {shared} of {made}"
    );
}
