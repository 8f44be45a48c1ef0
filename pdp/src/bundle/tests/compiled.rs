//! Bundles with a policy that OPA has compiled.

use super::*;

/// One as `opa build -t wasm` makes it, and the same with its module cut in half.
#[test]
fn a_compiled_policy_comes_in_a_signed_bundle_and_a_broken_one_takes_nothing_away() {
    let release = Release::new();
    let room = Room::open(&[("authz", settings(Some(release.trust())))], None);
    let built = include_bytes!("../../policy/wasm/tests/authz.tar.gz");
    let mut built = crate::bundle::archive::unpack(built).unwrap();
    let mut manifest: Value = serde_json::from_slice(&built[".manifest"]).unwrap();
    let entry_point = json!({"entrypoint": "edgeward/authz/decision", "module": "policy.wasm"});
    // The entry point that this room decides by, beside it.
    let rego = "package authz\n\nallow := true\n";
    built.insert("authz/policy.rego".to_owned(), rego.into());
    manifest["roots"] = json!(["authz", "edgeward", "roles", "networks"]);
    manifest["wasm"] = json!([entry_point]);
    built.insert(".manifest".to_owned(), manifest.to_string().into_bytes());
    assert_eq!(
        room.offer("authz", &release.sign(&built)),
        Outcome::Activated
    );
    let mut cut = built.clone();
    let module = &built["policy.wasm"];
    cut.insert(
        "policy.wasm".to_owned(),
        module[..module.len() / 2].to_vec(),
    );
    let (code, message) = room.refused("authz", pack(&release.sign(&cut)));
    assert_eq!(code, "bundle-wasm", "{message}");
    let mut changed = release.sign(&built);
    changed.get_mut("policy.wasm").unwrap().push(0);
    let (code, message) = room.refused("authz", pack(&changed));
    assert_eq!(code, "bundle-signature", "{message}");

    let set = room.store.subscribe().borrow().set.clone();
    let found = crate::policy::on_deep_stack(move || {
        let at = crate::policy::Reference::at("data.edgeward.authz.decision.allow");
        let input = json!({"user": "bob", "method": "GET", "path": "/x", "source": "10.0.0.1"});
        let input = crate::policy::from_json(input);
        let errors = crate::policy::BuiltinErrors::Fail;
        set.worker().unwrap().document(&at, &input, errors, NOW)
    });
    assert_eq!(found.unwrap(), Ok(Some(true.into())));
}

#[test]
fn a_compiled_policy_and_the_manifest_must_name_each_other() {
    let release = Release::new();
    let room = Room::open(&[("authz", settings(Some(release.trust())))], None);
    let module = [("policy.wasm", "\0asm"), ("authz/p.rego", ALLOW)];
    let unnamed = files("8", &["authz"], &module);
    let mut missing = authz("8");
    let mut no_module = unnamed.clone();
    for files in [&mut missing, &mut no_module] {
        let entry_point = json!({"entrypoint": "authz/more", "module": "/policy.wasm"});
        let manifest = json!({"revision": "8", "roots": ["authz"], "wasm": [entry_point]});
        files.insert(".manifest".to_owned(), manifest.to_string().into_bytes());
    }
    for (files, code, says) in [
        (unnamed, "bundle-manifest", "does not name"),
        (missing, "bundle-manifest", "has no `policy.wasm`"),
        (
            no_module,
            "bundle-wasm",
            "authz/policy.wasm: is no WebAssembly module",
        ),
    ] {
        let (found, message) = room.refused("authz", pack(&release.sign(&files)));
        assert_eq!(found, code, "{message}");
        assert!(message.contains(says), "{message}");
    }
}
