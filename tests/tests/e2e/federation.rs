//! Issue 5: federation, by configuration only. Another PDP, with a proxy of its own, takes the tokens that ours issues:
//! by the bundle that ours publishes, also when its keys change.

use std::time::{Duration, Instant};

use edgeward_tests::built;
use edgeward_tests::envoy::{Envoy, Launch};
use edgeward_tests::mint::SigningKey;
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use edgeward_tests::trust::Trust;
use edgeward_tests::trust::cases::form;
use edgeward_tests::upstream::Upstream;
use serde_json::{Value, json};

/// A partner: its own PDP, filter and service. It has no keys of ours but those that it fetches.
struct Partner {
    pdp: Pdp,
    envoy: Envoy,
    _upstream: Upstream,
}

impl Partner {
    fn of(trust: &Trust) -> Self {
        let config = json!({ "trust_domains": [trust.as_trust_domain(&["orders"])] });
        let mut pdp = Pdp::prepare(&config, &built::workspace().join("tests/policy-trust"));
        pdp.run();
        let upstream = Upstream::start();
        let setup = Setup::local()
            .cluster("edgeward_pdp", pdp.address())
            .cluster("upstream", upstream.address());
        Self {
            envoy: Envoy::launch(&setup, &Launch::default()),
            pdp,
            _upstream: upstream,
        }
    }

    fn status(&self, token: &str) -> u16 {
        Request::get("/orders/7")
            .bearer(token)
            .send(self.envoy.address())
            .status
    }
}

fn token(trust: &Trust, audience: &str) -> String {
    let evidence = trust.platforms.pod("cart", &json!({}));
    let reply = trust.ask(&form(&evidence, audience).each(), None);
    reply.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("three parts");
    let part = edgeward_core::jose::decode_base64url(part).expect("base64url");
    serde_json::from_slice(&part).expect("JSON")
}

#[test]
fn a_partner_s_pdp_takes_our_tokens_by_our_bundle_also_when_our_keys_change() {
    // The shortest lives that a key can have.
    let ours = Trust::with(&json!({ "keys": {
        "rotate_after": "1m", "propagation": "5s", "refresh_hint": "2s",
    } }));
    let partner = Partner::of(&ours);
    let first = token(&ours, "orders");
    let is_taken = || (partner.status(&first) == 200).then_some(());
    assert!(
        wait_for(Duration::from_secs(20), is_taken).is_some(),
        "{}",
        partner.pdp.log()
    );
    // Signed by nobody of ours: the same claims, and the same name of a key.
    let kid = part(&first, 0)["kid"].as_str().expect("a kid").to_owned();
    let forged =
        SigningKey::es256(&kid).sign(&part(&first, 0).to_string(), &part(&first, 1).to_string());
    assert_eq!(partner.status(&forged), 401);
    // Of our trust domain's workload, by the partner's word: we take none of theirs.
    assert_eq!(ours.call("/orders/7", &forged, None).status, 401);
    let began = Instant::now();
    loop {
        assert!(
            began.elapsed() < Duration::from_secs(150),
            "no key took over"
        );
        let fresh = token(&ours, "orders");
        let status = partner.status(&fresh);
        assert_eq!(status, 200, "{:?}\n{}", began.elapsed(), partner.pdp.log());
        if part(&fresh, 0)["kid"] != json!(kid) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
