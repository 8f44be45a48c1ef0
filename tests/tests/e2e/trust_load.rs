//! Issue 5, under load: while callers never stop, our own keys change, platforms change theirs, federated trust
//! domains roll over, and all of their servers are down for a while. Nobody who may is refused, and nobody who
//! may not gets in.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use edgeward_tests::mint::SigningKey;
use edgeward_tests::trust::Trust;
use edgeward_tests::trust::cases::form;
use edgeward_tests::trust::platforms::AUDIENCE;
use serde_json::{Value, json};

/// The longest wait for our own keys to change: theirs is the shortest life that a key can have.
const PATIENCE: Duration = Duration::from_secs(150);

/// What the callers saw.
#[derive(Default)]
struct Seen {
    done: AtomicBool,
    served: AtomicU64,
    refused: AtomicU64,
    wrong: Mutex<Vec<String>>,
    keys: Mutex<Vec<String>>,
}

impl Seen {
    fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    fn repeat(&self, mut call: impl FnMut(u64)) {
        let mut number = 0;
        while !self.done.load(Ordering::Relaxed) {
            call(number);
            number += 1;
        }
    }

    fn key(&self, token: &str) {
        let header = token.split('.').next().unwrap_or_default();
        let header = edgeward_core::jose::decode_base64url(header).expect("base64url");
        let header: Value = serde_json::from_slice(&header).expect("JSON");
        let id = header["kid"].as_str().expect("a kid").to_owned();
        let mut keys = self.keys.lock().unwrap();
        if !keys.contains(&id) {
            keys.push(id);
        }
    }
}

/// Evidence in, token out, request through: nothing of it may fail.
fn rightful(trust: &Trust, seen: &Seen, evidence: &str, audience: &str, path: &str) {
    let reply = trust.ask(&form(evidence, audience).each(), None);
    let answer = reply.json();
    let Some(token) = answer["access_token"].as_str() else {
        return seen.wrong(format!("{audience}: no token: {} {answer}", reply.status));
    };
    seen.key(token);
    let reply = trust.call(path, token, None);
    if reply.status != 200 {
        return seen.wrong(format!("{path}: {} {}", reply.status, reply.text()));
    }
    seen.served.fetch_add(1, Ordering::Relaxed);
}

/// Nothing of this may succeed.
fn wrongful(trust: &Trust, seen: &Seen, number: u64) {
    let pod = |claims: Value| trust.platforms.pod("cart", &claims);
    let (evidence, audience) = match number % 4 {
        0 => (pod(json!({})), "payments"),
        1 => {
            // By a key that nobody published.
            let key = SigningKey::es256(&format!("made-up-{number}"));
            let good = pod(json!({}));
            let claims = good.split('.').nth(1).unwrap_or_default();
            let claims = edgeward_core::jose::decode_base64url(claims).expect("base64url");
            (
                key.token(&serde_json::from_slice(&claims).expect("JSON")),
                "orders",
            )
        }
        2 => {
            let mut forged = pod(json!({}));
            let end = forged.len() - 8;
            forged.replace_range(end.., "AAAAAAAA");
            (forged, "orders")
        }
        _ => (
            pod(json!({ "aud": [AUDIENCE, "https://vault.test"] })),
            "orders",
        ),
    };
    let reply = trust.ask(&form(&evidence, audience).each(), None);
    if reply.status == 200 {
        return seen.wrong(format!("a token for {}: {}", number % 4, reply.text()));
    }
    // Evidence itself opens no route.
    let reply = trust.call("/orders/7", &evidence, None);
    if reply.status == 200 {
        return seen.wrong(format!("through by evidence {}", number % 4));
    }
    seen.refused.fetch_add(1, Ordering::Relaxed);
}

/// What happens to the platforms meanwhile.
fn unrest(trust: &Trust, round: u64) {
    let platforms = &trust.platforms;
    let all = [&platforms.cluster, &platforms.github, &platforms.partner];
    match round % 4 {
        0 => platforms.cluster.rotate(true),
        1 => platforms.partner.roll_over(2 + round),
        2 => platforms.github.rotate(true),
        _ => {
            for platform in all {
                platform.keys().set_down(true);
            }
            sleep(Duration::from_secs(3));
            for platform in all {
                platform.keys().set_down(false);
            }
        }
    }
    sleep(Duration::from_secs(3));
}

#[test]
fn keys_change_and_platforms_fail_under_load_and_no_caller_notices() {
    // The shortest lives that a key can have.
    let trust = Trust::with(&json!({ "keys": {
        "rotate_after": "1m", "propagation": "1s", "refresh_hint": "1s",
    } }));
    let seen = Seen::default();
    let rounds = std::thread::scope(|scope| {
        let platforms = &trust.platforms;
        for _ in 0..2 {
            scope.spawn(|| {
                seen.repeat(|number| {
                    // Every second time fresh evidence, else such as was seen before.
                    let claims = json!({ "jti": format!("{}", number / 2) });
                    let evidence = platforms.pod("cart", &claims);
                    rightful(&trust, &seen, &evidence, "orders", "/orders/7");
                });
            });
            scope.spawn(|| seen.repeat(|number| wrongful(&trust, &seen, number)));
        }
        scope.spawn(|| {
            seen.repeat(|_| {
                rightful(&trust, &seen, &platforms.svid("/feed"), "stock", "/stock");
            });
        });
        scope.spawn(|| {
            seen.repeat(|_| {
                let evidence = platforms.job(&json!({}));
                rightful(&trust, &seen, &evidence, "deploys", "/deploys/42");
            });
        });
        let started = Instant::now();
        let mut rounds = 0;
        while started.elapsed() < PATIENCE && seen.keys.lock().unwrap().len() < 2 {
            unrest(&trust, rounds);
            rounds += 1;
        }
        // By the new key of our own too.
        sleep(Duration::from_secs(3));
        seen.done.store(true, Ordering::Relaxed);
        rounds
    });
    let wrong = seen.wrong.into_inner().unwrap();
    let few: Vec<&String> = wrong.iter().take(10).collect();
    let (served, refused) = (seen.served.into_inner(), seen.refused.into_inner());
    assert!(
        wrong.is_empty(),
        "{} of {served} and {refused}: {few:#?}\n{}",
        wrong.len(),
        trust
            .pdp
            .log()
            .lines()
            .rev()
            .take(40)
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(
        seen.keys.into_inner().unwrap().len() >= 2,
        "no key took over"
    );
    assert!(
        rounds >= 8 && served > 1000 && refused > 100,
        "{rounds} {served} {refused}"
    );
    println!("{served} served, {refused} refused, in {rounds} changes");
}
