//! Acting on behalf of another: each hop narrows, and says who it was.

use edgeward_core::time::UnixSeconds;
use serde_json::json;

use super::stage::{Stage, claims};
use crate::token_service::{ExchangeRefusal, Issued, JWT};

impl Stage {
    /// `actor`, on its own evidence, asks on behalf of who is in `token`.
    fn act(
        &self,
        token: &str,
        actor: &str,
        more: &[(&str, &str)],
    ) -> Result<Issued, ExchangeRefusal> {
        let evidence = self.evidence(actor);
        let actor = [("actor_token", &*evidence), ("actor_token_type", JWT)];
        self.ask(token, &[&actor[..], more].concat())
    }

    fn act_code(&self, token: &str, actor: &str, audience: &str) -> &'static str {
        self.act(token, actor, &[("audience", audience)])
            .unwrap_err()
            .code()
    }
}

#[test]
fn who_was_sent_a_token_may_go_on_for_its_workload_and_is_named_in_it() {
    let mut stage = Stage::new();
    let sent = stage.ask(
        &stage.evidence("cart"),
        &[("audience", "orders"), ("scope", "read")],
    );
    let sent = sent.unwrap().token;
    let ends = claims(&sent)["exp"].clone();
    stage.now = UnixSeconds(stage.now.0 + 60);
    let first = stage
        .act(
            &sent,
            "orders",
            &[("audience", "payments"), ("scope", "read")],
        )
        .unwrap();
    let first_claims = claims(&first.token);
    assert_eq!(first_claims["sub"], "spiffe://prod.test/cart");
    assert_eq!(first_claims["aud"], json!(["payments"]));
    assert_eq!(
        first_claims["act"],
        json!({ "sub": "spiffe://prod.test/orders" })
    );
    assert_eq!(
        first_claims["exp"], ends,
        "no longer than what it was made from"
    );
    let second = stage
        .act(&first.token, "payments", &[("audience", "ledger")])
        .unwrap();
    let second_claims = claims(&second.token);
    assert_eq!(second_claims["sub"], "spiffe://prod.test/cart");
    assert_eq!(
        second_claims["act"],
        json!({ "sub": "spiffe://prod.test/payments", "act": { "sub": "spiffe://prod.test/orders" } })
    );
    assert!(
        second_claims.get("scope").is_none(),
        "a scope is not inherited unasked"
    );
}

#[test]
fn a_hop_gets_no_scope_that_the_last_had_not() {
    let stage = Stage::new();
    let sent = stage.ask(
        &stage.evidence("cart"),
        &[("audience", "orders"), ("scope", "read")],
    );
    let sent = sent.unwrap().token;
    let refused = stage.act(
        &sent,
        "orders",
        &[("audience", "payments"), ("scope", "write")],
    );
    assert_eq!(refused.unwrap_err().code(), "scope-not-granted");
}

#[test]
fn nobody_acts_for_another_who_was_not_sent_its_token_or_may_not() {
    let stage = Stage::new();
    let sent = stage.token("cart", "orders");
    assert_eq!(
        stage.act_code(&sent, "payments", "ledger"),
        "delegation-not-addressed"
    );
    assert_eq!(
        stage.act_code(&sent, "orders", "ledger"),
        "audience-not-granted"
    );
    assert_eq!(
        stage.act_code(&sent, "orders", "orders"),
        "audience-not-granted"
    );
    assert_eq!(
        stage.act_code(&sent, "cart", "orders"),
        "delegation-not-allowed"
    );
    let other = stage.token("orders", "payments");
    assert_eq!(
        stage.act_code(&other, "payments", "ledger"),
        "delegation-not-allowed"
    );
    let evidence = stage.evidence("cart");
    assert_eq!(
        stage.act_code(&evidence, "orders", "payments"),
        "delegation-of-evidence"
    );
}

#[test]
fn who_acts_must_be_itself_and_not_somebody_s_delegate() {
    let stage = Stage::new();
    let sent = stage.token("cart", "orders");
    let delegated = stage
        .act(&sent, "orders", &[("audience", "payments")])
        .unwrap()
        .token;
    let actor = [
        ("actor_token", &*delegated),
        ("actor_token_type", JWT),
        ("audience", "payments"),
    ];
    assert_eq!(stage.code(&sent, &actor), "token-delegated");
    let not_for_us = stage.token("orders", "payments");
    let actor = [
        ("actor_token", &*not_for_us),
        ("actor_token_type", JWT),
        ("audience", "payments"),
    ];
    assert_eq!(stage.code(&sent, &actor), "token-audience-mismatch");
    // Nor is it renewed by the one in whose name it is.
    assert_eq!(
        stage.code(&delegated, &[("audience", "payments")]),
        "token-delegated"
    );
}

#[test]
fn a_chain_has_an_end() {
    let stage = Stage::with(|parts| {
        for name in ["orders", "payments"] {
            let grant = parts.grant(name);
            grant.audiences = vec!["orders".to_owned(), "payments".to_owned()];
        }
    });
    let mut token = stage.token("cart", "orders");
    let hops = ["orders", "payments", "orders", "payments"];
    let mut codes = Vec::new();
    for (place, actor) in hops.iter().enumerate() {
        let next = if place % 2 == 0 { "payments" } else { "orders" };
        match stage.act(&token, actor, &[("audience", next)]) {
            Ok(issued) => token = issued.token,
            Err(refused) => codes.push(refused.code()),
        }
    }
    assert_eq!(codes, ["delegation-too-deep"]);
}
