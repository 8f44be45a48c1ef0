//! Policy bundles out of a bucket: of a store that checks who asks. Those of registries are
//! `bundle_registries.rs`'s.

use std::path::Path;

use edgeward_tests::process::wait_for;
use edgeward_tests::store::Store;
use serde_json::{Value, json};

use crate::bundles::{SOON, World, bundle};

/// A world whose bundle is not its server's.
pub(crate) fn world(kind: &str, place: &Value, ca_file: &Path) -> World {
    World::new(None, |bundle| {
        let members = bundle.as_object_mut().expect("an object");
        members.remove("url");
        members.remove("bearer_token_file");
        bundle[kind] = place.clone();
        bundle["fetch"]["ca_file"] = json!(ca_file);
    })
}

pub(crate) fn skipped(what: &str) {
    eprintln!("skipped: there is no `.tools/{what}` (`./just setup`)");
}

#[test]
fn a_bundle_of_a_bucket_is_asked_for_with_a_signature_that_the_store_checks() {
    let Some(store) = Store::start(b"not a bundle yet") else {
        return skipped("moto");
    };
    let mut world = world("s3", &store.configured(), &store.ca_file());
    world.pdp.run_without_waiting();
    world.until("fetched", |status| status["code"] == "bundle-broken");
    let signed = |revision: &str, open| bundle(revision, open).signed_by(&world.key).pack();
    store.publish(&signed("2", true));
    world.until_revision("2");
    world.until_allowed(true);
    // Once there, it is not sent again.
    let found = wait_for(SOON, || store.log().contains("\" 304 -").then_some(()));
    assert!(found.is_some(), "{}", store.log());
    store.publish(&bundle("3", false).pack());
    world.until("unsigned", |status| status["code"] == "bundle-unsigned");
    store.publish(&signed("1", false));
    world.until("older", |status| status["code"] == "bundle-rollback");
    store.publish(&signed("4", false));
    world.until_revision("4");
    world.until_allowed(false);

    // The store looks at the signature, and nobody is told by what it is made.
    let secret = store.secret().to_owned();
    store.secret_file("another");
    world.until("refused", |status| status["code"] == "bundle-server");
    let message = world.status()["message"].to_string();
    assert!(message.contains("status 403"), "{message}");
    store.secret_file(" ");
    world.until("no secret", |status| status["code"] == "bundle-credential");
    store.secret_file(&secret);
    world.until("back", |status| status["code"].is_null());
    let log = world.pdp.log();
    assert!(
        !log.contains(&secret) && !log.contains("Signature="),
        "{log}"
    );
    assert_eq!(world.status()["active_revision"], "4");
}
