//! Who is asking, through ext_authz: the PDP verifies itself, and believes no word of the client's.

use std::sync::Arc;
use std::time::Duration;

use edgeward_tests::ca::Leaf;
use edgeward_tests::keys::{BATCH, FRONTEND, Keys, svid_claims};
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::{self, Request};
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use serde_json::json;
use tempfile::TempDir;

use super::{Door, door, filter, patient};

#[test]
fn a_token_is_verified_behind_ext_authz_and_does_not_go_on() {
    let door = door();
    let reply = door.send(&door.allowed("/by-token"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &door.upstream.seen("/by-token")[0];
    assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND]);
    assert!(seen.header("authorization").is_empty());
    let mut expired = svid_claims(FRONTEND);
    expired["iat"] = json!(1000);
    expired["exp"] = json!(2000);
    let forged = door.keys.other_svid.token(&svid_claims(FRONTEND));
    for (token, code) in [
        (door.keys.svid.token(&expired), "token-expired"),
        (forged, "token-key-unknown"),
        ("x".to_owned(), "token-not-compact"),
    ] {
        // Nobody is anonymous who showed a token, on a path that the public may read either.
        let reply = door.send(&Request::get("/public").bearer(&token));
        door.assert_refused(&reply, 401, code, "/public?never");
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains(code), "{challenge}");
    }
    let reply = door.send(&Request::get("/public"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = door.send(&Request::get("/by-nobody"));
    door.assert_refused(&reply, 403, "no-rule-allows", "/by-nobody");
}

#[test]
fn a_grpc_caller_is_denied_by_ext_authz_in_grpc_s_own_way() {
    let door = door();
    for (target, status) in [("/forbidden/Method", "7"), ("/a//Method", "3")] {
        let token = door.keys.jwt_svid(FRONTEND);
        let request = Request::new("POST", target)
            .bearer(&token)
            .header("Content-Type", "application/grpc")
            .body("");
        let reply = door.send(&request);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("grpc-status").as_deref(), Some(status));
        assert_eq!(
            reply.header("content-type").as_deref(),
            Some("application/grpc")
        );
        let message = reply.header("grpc-message").unwrap_or_default();
        assert!(message.contains("decision"), "{message}");
    }
    let reply = door.send(
        &Request::new("POST", "/x")
            .bearer("x")
            .header("Content-Type", "application/grpc")
            .body(""),
    );
    assert_eq!(reply.header("grpc-status").as_deref(), Some("16"));
    assert!(door.upstream.seen("Method").is_empty());
}

/// The setup with client certificates, with ext_authz in place of the filter.
fn by_certificate(folder: &TempDir, keys: &Keys) -> Setup {
    let server = keys.authority.issue(&["spiffe://example.org/edge/envoy"]);
    keys.authority.write_server(&server, folder.path());
    let mut asking = filter(patient(Setup::ext_authz()), |filter| {
        filter["include_peer_certificate"] = json!(true);
    });
    let filter = asking.find_filter("envoy.filters.http.ext_authz");
    let filter = filter.expect("the filter is in the chain").clone();
    let mut setup = Setup::mtls(folder.path()).tls(|tls| {
        tls["require_client_certificate"] = json!(false);
        let context = &mut tls["common_tls_context"]["validation_context"];
        let bundle =
            context["custom_validator_config"]["typed_config"]["trust_domains"][0]["trust_bundle"]
                .take();
        *context = json!({ "trusted_ca": bundle });
    });
    *setup.filter() = filter;
    setup
}

fn send(door: &Door, leaf: Option<&Leaf>, request: &Request) -> std::io::Result<Reply> {
    let stream = raw::connect(door.envoy.address())?;
    let tls = door.keys.authority.connect(stream, leaf);
    raw::exchange(tls.map_err(std::io::Error::other)?, &request.bytes())
}

#[test]
fn a_certificate_is_an_identity_behind_ext_authz_where_envoy_is_believed_and_nowhere_else() {
    let (folder, keys) = (
        TempDir::new().expect("a folder"),
        Arc::new(Keys::generate()),
    );
    let section = json!({ "peer": { "certificates": true } });
    let door = Door::with_keys(keys.clone(), by_certificate(&folder, &keys), &section);
    let own = keys.authority.issue(&[FRONTEND]);
    let reply = wait_for(Duration::from_secs(20), || {
        send(&door, Some(&own), &Request::get("/by-certificate")).ok()
    });
    let reply = reply.expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &door.upstream.seen("/by-certificate")[0];
    assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND]);
    let xfcc = seen.header("x-forwarded-client-cert");
    assert!(xfcc.len() == 1 && xfcc[0].contains(FRONTEND), "{xfcc:?}");

    let forged = format!("Hash={};URI={FRONTEND}", "a".repeat(64));
    let batch = keys.authority.issue(&[BATCH]);
    let refused = |leaf: Option<&Leaf>, status, code| {
        let request = Request::get("/refused").header("X-Forwarded-Client-Cert", &forged);
        if let Ok(reply) = send(&door, leaf, &request) {
            door.assert_refused(&reply, status, code, "/refused");
        }
    };
    refused(Some(&batch), 403, "no-rule-allows");
    refused(None, 401, "identity-missing");
    for uris in [[FRONTEND, BATCH], [FRONTEND, "https://example.org"]] {
        refused(Some(&keys.authority.issue(&uris)), 401, "peer-uri-names");
    }
    refused(Some(&keys.authority.issue(&[])), 401, "peer-uri-names");
    refused(
        Some(&keys.authority.issue(&["spiffe://example.org"])),
        401,
        "peer-spiffe-id-invalid",
    );

    let mut claims = svid_claims(FRONTEND);
    claims["cnf"] = json!({ "x5t#S256": own.x5t_s256() });
    let bound = |path| Request::get(path).bearer(&keys.svid.token(&claims));
    let reply = send(&door, Some(&own), &bound("/bound")).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    for leaf in [None, Some(&keys.authority.issue(&[FRONTEND]))] {
        let reply = send(&door, leaf, &bound("/bound-other")).expect("an answer");
        door.assert_refused(&reply, 401, "token-binding-mismatch", "/bound-other");
    }

    let deaf = Door::with_keys(keys.clone(), by_certificate(&folder, &keys), &json!({}));
    let reply = send(&deaf, Some(&own), &Request::get("/not-believed")).expect("an answer");
    deaf.assert_refused(&reply, 401, "identity-missing", "/not-believed");
}
