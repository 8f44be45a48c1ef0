//! Decisions that are reused against decisions that are made: over random requests, programs, feeds
//! and times, what a remembered decision says is what would be decided at that instant.

use edgeward_core::decide;
use serde_json::{Value, json};

use super::*;
use crate::feed::TICK;
use crate::step::Ask;
use model::{Event, NETWORKS, Program, ROUTES, any_event, any_program, with_atoms};

#[path = "exchange_cache_model.rs"]
mod model;

const TOKENS: usize = 4;
/// The key that signs them all; whenever it is not published, they are worth nothing.
const SIGNING: u8 = 7;
/// The last token expires while the others hold.
const LIFETIMES: [u64; TOKENS] = [3000, 3000, 3000, 60];

/// What the PDP holds, and what the filter was last told of it.
#[derive(Debug, Clone)]
struct State {
    program: Program,
    key: u8,
    revoked: Option<usize>,
}

struct World {
    worker: Worker,
    tokens: Vec<String>,
    pdp: State,
    told: State,
    now: u64,
    stale_ticks: u32,
    decisions: usize,
    hits: usize,
}

impl World {
    fn new(program: Program) -> Self {
        let tokens = LIFETIMES.iter().enumerate().map(|(number, lifetime)| {
            let header = encode_base64url(br#"{"alg":"EdDSA","kid":"k","typ":"JWT"}"#);
            let claims = json!({"iss": "https://i", "sub": format!("w{}", number / 2), "n": number,
                "aud": "edge", "exp": NOW + lifetime});
            let text = format!(
                "{header}.{}",
                encode_base64url(claims.to_string().as_bytes())
            );
            let signature = key().sign(text.as_bytes()).to_bytes();
            format!("Bearer {text}.{}", encode_base64url(&signature))
        });
        let state = State {
            program,
            key: SIGNING,
            revoked: None,
        };
        let mut world = Self {
            worker: Worker::new(Config::parse(CONFIG.as_bytes()).unwrap()),
            tokens: tokens.collect(),
            pdp: state.clone(),
            told: state,
            now: NOW,
            stale_ticks: 0,
            decisions: 0,
            hits: 0,
        };
        world.feed();
        world
    }

    fn feed(&mut self) {
        self.told = self.pdp.clone();
        let State {
            program,
            key,
            revoked,
        } = &self.told;
        let key = SigningKey::from_bytes(&[*key; 32]).verifying_key();
        let text = FEED.replace("KEY", &encode_base64url(key.as_bytes()));
        let mut feed: Value = serde_json::from_str(&text).unwrap();
        feed["caching"] = json!({"program": program.name(), "vary": program.vary,
            "networks": NETWORKS, "routes": ROUTES});
        let revoked = revoked.map(|subject| format!("subject https://i|w{subject}"));
        feed["revocations"] = json!(revoked.into_iter().collect::<Vec<_>>());
        self.worker
            .take_feed("200", feed.to_string().as_bytes())
            .unwrap();
        self.stale_ticks = 0;
    }

    fn request(
        &mut self,
        token: usize,
        path: &str,
        header: Option<&str>,
    ) -> Result<(), TestCaseError> {
        let authorization = self.tokens[token].clone();
        let mut more = vec![("authorization", authorization.as_str())];
        more.extend(header.map(|value| ("x-h", value)));
        let mut exchange = Exchange::default();
        let facts = Facts {
            now: UnixSeconds(self.now),
            ..facts()
        };
        let gather = exchange.receive(&mut self.worker, request(path, &more));
        prop_assert!(
            matches!(gather, Step::Gather { tls: false }),
            "{:?}",
            gather
        );
        let step = exchange.identify(&mut self.worker, &facts, &FilterCheck(NoHost));
        let expired = self.now >= NOW + LIFETIMES[token];
        if self.told.key != SIGNING {
            // Known as refused, its time is not looked at any more.
            let (status, code) = refusal(&step);
            let of_time = expired && code == "token-expired";
            prop_assert_eq!(status, 401);
            prop_assert!(of_time || code == "token-signature-invalid", "{}", code);
            return Ok(());
        }
        if expired {
            prop_assert_eq!(refusal(&step), (401, "token-expired"));
            return Ok(());
        }
        if self.told.revoked == Some(token / 2) {
            prop_assert_eq!(refusal(&step), (401, "subject-revoked"));
            return Ok(());
        }
        let plain = Self::question(token, path, header);
        let mut question = with_atoms(&plain);
        let (decided, step) = if let Step::Ask(ask) = step {
            self.decisions += 1;
            let step = self.answer(&mut exchange, &ask, &plain, &facts)?;
            question["context"]["time"] = json!(self.now);
            (self.pdp.program.decide(&question, self.now), step)
        } else {
            self.hits += 1;
            prop_assert!(self.stale_ticks <= 20, "reused although the feed is cut");
            question["context"]["time"] = json!(self.now);
            (self.told.program.decide(&question, self.now), step)
        };
        check(&step, &decided)
    }

    /// The PDP answers what was asked in the form in which it was.
    fn answer(
        &mut self,
        exchange: &mut Exchange,
        ask: &Ask,
        question: &Value,
        facts: &Facts<'_>,
    ) -> Result<Step, TestCaseError> {
        let program = &self.pdp.program;
        if ask.door == Door::Decide {
            let asked = decide::read_question(&ask.body).unwrap();
            let told = &self.told.program;
            prop_assert_eq!(asked.program, told.name());
            let vary = &told.vary;
            prop_assert_eq!(&asked.input, &vary.project(with_atoms(question)));
            prop_assert_eq!(asked.about, decide::about().project(question.clone()));
            if *told == *program {
                let answer = program.short_answer(asked.input, self.now, self.decisions);
                return Ok(exchange.answered(&mut self.worker, "200", &answer));
            }
            let gather = exchange.answered(&mut self.worker, "409", b"");
            prop_assert!(matches!(gather, Step::Gather { .. }), "{:?}", gather);
            let step = exchange.identify(&mut self.worker, facts, &FilterCheck(NoHost));
            let Step::Ask(whole) = step else {
                return Ok(step);
            };
            prop_assert_eq!(whole.door, Door::Evaluation);
            return self.answer(exchange, &whole, question, facts);
        }
        let asked: Value = serde_json::from_slice(&ask.body).unwrap();
        prop_assert_eq!(&asked, question, "the test asks as the filter does");
        let answer = program.answer(with_atoms(question), self.now, self.decisions);
        Ok(exchange.answered(&mut self.worker, "200", answer.as_bytes()))
    }

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
}

const FEED: &str = r#"{"version":1,"cursor":"c","lease":"lease","policy_revision":"p","trust_domains":[],
    "issuers":[{"issuer":"https://i","keys":{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"KEY"}]},
    "rules":{"audiences":["edge"],"algorithms":["EdDSA"],"types":["jwt"],"leeway":0,"max_lifetime":3600}}]}"#;

fn check(step: &Step, (allow, tier): &(bool, String)) -> Result<(), TestCaseError> {
    match step {
        Step::Forward(changes) => {
            prop_assert!(*allow);
            prop_assert_eq!(set(changes, "x-tier"), Some(tier.as_str()));
        }
        Step::Reply(reply) => {
            prop_assert!(!*allow, "{:?}", reply);
            prop_assert_eq!(&reply.code, &format!("tier-{tier}"));
        }
        other => prop_assert!(false, "{:?}", other),
    }
    Ok(())
}

/// Runs a history; says how many decisions were made and how many were reused.
fn run(program: Program, events: Vec<Event>) -> Result<(usize, usize), TestCaseError> {
    let mut world = World::new(program);
    for event in events {
        match event {
            Event::Request {
                token,
                path,
                header,
            } => world.request(token, path, header)?,
            Event::Load(program) => world.pdp.program = program,
            Event::Rotate(key) => world.pdp.key = key,
            Event::Revoke(subject) => world.pdp.revoked = subject,
            Event::Feed => world.feed(),
            Event::Quiet => {
                for _ in 0..11 {
                    world.worker.synced.tick(TICK);
                }
                world.stale_ticks += 11;
            }
            Event::Pass(seconds) => world.now += seconds,
            Event::StepBack(seconds) => world.now = NOW.max(world.now - seconds),
        }
    }
    Ok((world.decisions, world.hits))
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
    let (made, reused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let history = (
        any_program(),
        prop::collection::vec(any_event(), STEPS_OF_A_HISTORY),
    );
    runner
        .run(&history, |(program, events)| {
            let (decisions, hits) = run(program, events)?;
            made.set(made.get() + decisions);
            reused.set(reused.get() + hits);
            Ok(())
        })
        .unwrap();
    println!(
        "{} steps: {} decisions made, {} reused, 0 differences",
        steps(),
        made.get(),
        reused.get()
    );
    assert!(
        reused.get() > made.get() / 4,
        "the test must reuse: {} of {}",
        reused.get(),
        made.get()
    );
}
