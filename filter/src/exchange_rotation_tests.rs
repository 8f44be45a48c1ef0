//! An issuer changes its keys while requests come in: what is refused, told and then believed.

use edgeward_core::missing_keys::read;

use super::*;
use crate::feed::TICK;

/// A feed in which the issuer has one key, made from `seed`.
fn feed(key_id: &str, seed: u8) -> String {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let x = encode_base64url(key.verifying_key().as_bytes());
    format!(
        r#"{{"version":1,"cursor":"{key_id}-{seed}","lease":"lease","policy_revision":"p",
        "trust_domains":[],"issuers":[{{"issuer":"https://i","keys":{{"keys":[
            {{"kty":"OKP","crv":"Ed25519","kid":"{key_id}","x":"{x}"}}]}},
          "rules":{{"audiences":["edge"],"algorithms":["EdDSA"],"types":["jwt"],"leeway":0,
            "max_lifetime":3600}}}}]}}"#
    )
}

/// A request to be let pass on its identity alone, with a token of `issuer`.
fn signed(issuer: &str, key_id: &str, seed: u8) -> Vec<Field> {
    let header = serde_json::json!({"alg": "EdDSA", "kid": key_id, "typ": "JWT"});
    let claims = serde_json::json!({"iss": issuer, "sub": "w", "aud": "edge", "exp": NOW + 60});
    let [header, claims] =
        [header, claims].map(|part| encode_base64url(part.to_string().as_bytes()));
    let text = format!("{header}.{claims}");
    let signature = SigningKey::from_bytes(&[seed; 32]).sign(text.as_bytes());
    let token = format!("Bearer {text}.{}", encode_base64url(&signature.to_bytes()));
    request("/id", &[("authorization", &token)])
}

fn told(worker: &mut Worker) -> Vec<(String, String)> {
    let report = worker.wanted.tick(TICK);
    let keys = report.map_or_else(Vec::new, |report| read(&report).unwrap());
    keys.into_iter()
        .map(|key| (key.owner.to_string(), key.key_id))
        .collect()
}

#[test]
fn a_token_whose_key_is_new_is_refused_told_and_accepted_once_the_feed_has_its_key() {
    let mut worker = synced();
    worker
        .synced
        .answered("200", feed("old", 1).as_bytes())
        .unwrap();
    for _ in 0..3 {
        let (_, step) = begin(&mut worker, signed("https://i", "new", 2));
        assert_eq!(refusal(&step), (401, "token-key-unknown"));
    }
    let wanted = ("issuer `https://i`".to_owned(), "new".to_owned());
    assert_eq!(told(&mut worker), [wanted]);
    worker
        .synced
        .answered("200", feed("new", 2).as_bytes())
        .unwrap();
    let (_, step) = begin(&mut worker, signed("https://i", "new", 2));
    assert!(matches!(step, Step::Forward(_)), "{step:?}");
    let (_, step) = begin(&mut worker, signed("https://i", "old", 1));
    assert_eq!(refusal(&step), (401, "token-key-unknown"));
}

#[test]
fn nothing_is_told_of_issuers_that_are_not_configured_nor_of_tokens_refused_for_anything_else() {
    let mut worker = synced();
    for (fields, code) in [
        (
            signed("https://stranger.test", "new", 2),
            "token-issuer-unknown",
        ),
        (signed("https://i", "k", 2), "token-signature-invalid"),
        (
            request("/id", &[("authorization", "Bearer x")]),
            "token-not-compact",
        ),
        (request("/id", &[]), "identity-missing"),
    ] {
        let (_, step) = begin(&mut worker, fields);
        assert_eq!(refusal(&step), (401, code));
        assert_eq!(told(&mut worker), []);
    }
}

proptest! {
    #[test]
    fn whatever_kids_a_flood_invents_all_are_refused_and_one_a_second_is_told(
        kids in proptest::collection::vec("\\PC{1,128}", 1..50)
    ) {
        let mut worker = synced();
        let mut reports = Vec::new();
        for kid in kids.iter().filter(|kid| *kid != "k") {
            let (_, step) = begin(&mut worker, signed("https://i", kid, 2));
            prop_assert_eq!(refusal(&step), (401, "token-key-unknown"));
            reports.extend(told(&mut worker));
        }
        prop_assert!(reports.len() <= 1 + kids.len() / 10, "{:?}", reports);
    }
}
