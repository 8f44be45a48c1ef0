//! Policy bundles out of a registry of OCI artifacts: a real one, that checks who asks.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use edgeward_tests::ca::Authority;
use edgeward_tests::opa::Opa;
use edgeward_tests::pdp::free_address;
use edgeward_tests::registry::{Gate, PASSWORD, Registry, USER};
use edgeward_tests::{https, runtime};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::bundle_stores::{skipped, world};
use crate::bundles::{World, bundle};

#[test]
fn a_bundle_of_a_registry_is_the_layer_of_its_tag_or_of_its_digest() {
    let Some(registry) = Registry::start(&Gate::default()) else {
        return skipped("bin/docker-registry");
    };
    let place = json!({ "reference": registry.reference(":1") });
    let mut tagged = world("oci", &place, &registry.ca_file());
    let signed =
        |world: &World, revision: &str, open| bundle(revision, open).signed_by(&world.key).pack();
    registry.push("1", &signed(&tagged, "1", true));
    tagged.pdp.run();
    tagged.until_revision("1");
    tagged.until_allowed(true);
    registry.push("1", &signed(&tagged, "2", false));
    tagged.until_revision("2");
    tagged.until_allowed(false);
    registry.push("1", &signed(&tagged, "1", true));
    tagged.until("older", |status| status["code"] == "bundle-rollback");
    registry.push("1", &bundle("3", true).pack());
    tagged.until("unsigned", |status| status["code"] == "bundle-unsigned");
    // Layers that are none, or too many of them.
    let layer = registry.push_blob("application/vnd.oci.image.layer.v1.tar+gzip", b"x");
    let other = registry.push_blob("application/vnd.example+gzip", b"y");
    for layers in [json!([layer, layer]), json!([other]), json!([])] {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": registry.push_blob("application/vnd.oci.image.config.v1+json", b"{}"),
            "layers": layers,
        });
        registry.push_manifest("1", &manifest);
        tagged.until("no layer", |status| {
            let message = status["message"].as_str().unwrap_or_default();
            message.contains("exactly one layer")
        });
    }
    assert_eq!(tagged.status()["active_revision"], "2");
    registry.push("1", &signed(&tagged, "4", true));
    tagged.until_revision("4");

    // What a digest names is for ever, whatever the tag is by now.
    let fixed = registry.push("2", &bundle("9", true).pack());
    registry.push("2", &bundle("10", false).pack());
    let place = json!({ "reference": registry.reference(&format!("@{fixed}")) });
    let mut pinned = World::new(None, |bundle| {
        *bundle = json!({
            "oci": place,
            "unsigned": true,
            "fetch": { "ca_file": registry.ca_file(), "refresh": "1s" },
        });
    });
    pinned.pdp.run();
    pinned.until_revision("9");
    pinned.until_allowed(true);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(pinned.status()["active_revision"], "9");
    assert_eq!(pinned.status()["code"], Value::Null);
}

#[test]
fn opa_and_edgeward_take_the_same_artifact() {
    let Some(registry) = Registry::start(&Gate::default()) else {
        return skipped("bin/docker-registry");
    };
    registry.push("1", &bundle("1", true).pack());
    let Some(opa) = Opa::pulling(&registry, "1") else {
        eprintln!("skipped: there is no `.tools/bin/opa` to compare with (`./just setup-opa`)");
        return;
    };
    let place = json!({ "reference": registry.reference(":1") });
    let mut world = World::new(None, |bundle| {
        *bundle = json!({
            "oci": place,
            "unsigned": true,
            "fetch": { "ca_file": registry.ca_file(), "refresh": "1s" },
        });
    });
    world.pdp.run();
    for (revision, open) in [("1", true), ("2", false)] {
        registry.push("1", &bundle(revision, open).pack());
        opa.until_revision(revision);
        world.until_revision(revision);
        world.until_allowed(open);
        assert_eq!(opa.data("authz/decision/allow"), json!(open));
    }
}

#[test]
fn a_registry_that_wants_a_password_gets_it_and_nobody_else_does() {
    let gate = Gate {
        wants_password: true,
        ..Gate::default()
    };
    let Some(registry) = Registry::start(&gate) else {
        return skipped("bin/docker-registry");
    };
    let nobody = json!({ "reference": registry.reference(":1") });
    let mut refused = world("oci", &nobody, &registry.ca_file());
    refused.pdp.run_without_waiting();
    refused.until("no user", |status| status["code"] == "bundle-credential");
    let user = json!({
        "reference": registry.reference(":1"),
        "username": USER,
        "password_file": registry.password_file(),
    });
    let mut world = world("oci", &user, &registry.ca_file());
    registry.push("1", &bundle("1", true).signed_by(&world.key).pack());
    world.pdp.run();
    world.until_revision("1");
    world.until_allowed(true);
    std::fs::write(registry.password_file(), "wrong").expect("a file is written");
    world.until("wrong", |status| status["code"] == "bundle-server");
    assert!(!world.pdp.log().contains(PASSWORD));
}

/// A server that gives tokens, and that has the layers of a registry.
struct Elsewhere {
    origin: String,
    authority: String,
    seen: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    serving: JoinHandle<()>,
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Where the layers lie, once that is known.
type Storage = Arc<Mutex<Option<std::path::PathBuf>>>;

impl Elsewhere {
    fn start(storage: &Storage) -> Self {
        let authority = Authority::new("tokens.test");
        let leaf = authority.issue(&["spiffe://tokens.test/server"]);
        let address = free_address();
        let listener = runtime()
            .block_on(TcpListener::bind(address))
            .expect("a free port");
        let token = token(&leaf);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (noted, storage) = (Arc::clone(&seen), Arc::clone(storage));
        let serving = https::serve(listener, &leaf, move |request: Request<_>| {
            let path = request.uri().to_string();
            noted
                .lock()
                .expect("a list")
                .push((path.clone(), request.headers().clone()));
            let (token, storage) = (token.clone(), storage.lock().expect("a path").clone());
            async move {
                let reply = Response::builder().header("content-type", "application/json");
                if path.starts_with("/token?") {
                    let body = json!({ "token": token }).to_string();
                    return reply
                        .body(Full::new(Bytes::from(body)))
                        .expect("a response");
                }
                let blob = path
                    .split('?')
                    .next()
                    .and_then(|path| path.strip_prefix('/'));
                let blob = blob
                    .zip(storage)
                    .and_then(|(path, at)| std::fs::read(at.join(path)).ok());
                let status = blob
                    .as_ref()
                    .map_or(StatusCode::NOT_FOUND, |_| StatusCode::OK);
                let body = Full::new(Bytes::from(blob.unwrap_or_default()));
                reply.status(status).body(body).expect("a response")
            }
        });
        Self {
            origin: format!("https://localhost:{}", address.port()),
            authority: authority.pem(),
            seen,
            serving,
        }
    }

    /// The headers of what was asked for below this path.
    fn asked(&self, path: &str) -> Vec<HeaderMap> {
        let seen = self.seen.lock().expect("a list");
        let found = seen.iter().filter(|(asked, _)| asked.starts_with(path));
        found.map(|(_, headers)| headers.clone()).collect()
    }
}

/// A token as the registry wants it: to pull the repository, signed by who shows this certificate.
fn token(leaf: &edgeward_tests::ca::Leaf) -> String {
    let access = json!([{ "type": "repository", "name": "policies/authz", "actions": ["pull"] }]);
    let claims = json!({
        "iss": "tokens.test",
        "sub": USER,
        "aud": "registry.test",
        "nbf": 0,
        "iat": 0,
        "exp": 4_000_000_000_u32,
        "jti": "1",
        "access": access,
    });
    leaf.token(&claims)
}

#[test]
fn a_token_is_fetched_for_the_password_and_a_layer_elsewhere_is_told_neither() {
    let storage = Storage::default();
    let elsewhere = Elsewhere::start(&storage);
    let gate = Gate {
        wants_token_of: Some((
            format!("{}/token", elsewhere.origin),
            elsewhere.authority.clone(),
        )),
        layers_at: Some(elsewhere.origin.clone()),
        ..Gate::default()
    };
    let Some(registry) = Registry::start(&gate) else {
        return skipped("bin/docker-registry");
    };
    *storage.lock().expect("a path") = Some(registry.storage());
    // One file with both authorities.
    let authorities = std::fs::read_to_string(registry.ca_file()).expect("PEM");
    let both = registry.ca_file().with_file_name("authorities.pem");
    std::fs::write(&both, format!("{authorities}\n{}", elsewhere.authority)).expect("a file");
    let user = json!({
        "reference": registry.reference(":1"),
        "username": USER,
        "password_file": registry.password_file(),
    });
    let mut world = world("oci", &user, &both);
    let packed = bundle("1", true).signed_by(&world.key);
    registry.push("1", &packed.pack());
    world.pdp.run();
    world.until_revision("1");
    world.until_allowed(true);

    let tokens =
        elsewhere.asked("/token?service=registry.test&scope=repository%3Apolicies%2Fauthz%3Apull");
    assert!(!tokens.is_empty(), "{}", registry.log());
    let wanted = |headers: &HeaderMap| {
        let sent = headers["authorization"].to_str().expect("text");
        sent.starts_with("Basic ")
    };
    assert!(tokens.iter().all(wanted));
    let layers = elsewhere.asked("/docker/");
    assert!(!layers.is_empty(), "{}", registry.log());
    assert!(
        layers
            .iter()
            .all(|headers| !headers.contains_key("authorization"))
    );
    assert!(!world.pdp.log().contains(PASSWORD));
}
