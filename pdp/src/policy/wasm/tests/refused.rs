//! What is no compiled policy, or not one that can be asked here, is refused when it is loaded, by name.

use super::*;

const DECISION: [&str; 1] = ["edgeward/authz/decision"];

/// The module with one of its parts put in the place of another of the same length.
fn patched(old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut module = module();
    let places: Vec<usize> = (0..module.len() - old.len())
        .filter(|place| module[*place..].starts_with(old))
        .collect();
    assert!(!places.is_empty());
    for place in places {
        module[place..place + new.len()].copy_from_slice(new);
    }
    module
}

#[test]
fn a_module_that_is_not_as_it_must_be_is_refused_by_name() {
    let good = module();
    assert!(set_of_module(&good, &DECISION, &[]).is_ok());
    // Two globals that do not change, each an `i32.const`.
    let version = |major: u8, minor: u8| [0x7f, 0, 0x41, major, 0x0b, 0x7f, 0, 0x41, minor, 0x0b];
    let mut too_large = good.clone();
    too_large.resize(crate::policy::wasm::module::MAX_MODULE_BYTES + 1, 0);
    for (module, says) in [
        (good[..good.len() / 2].to_vec(), "is no WebAssembly module"),
        (b"package a".to_vec(), "is no WebAssembly module"),
        (Vec::new(), "is no WebAssembly module"),
        (too_large, "is larger than"),
        (
            patched(b"\x09opa_abort", b"\x09fd_writes"),
            "imports `env.fd_writes`",
        ),
        (patched(b"\x03env", b"\x03wsi"), "imports `wsi."),
        (patched(&version(1, 3), &version(2, 0)), "has ABI 2.0"),
        (patched(&version(1, 3), &version(1, 4)), "has ABI 1.4"),
        (patched(&version(1, 3), &version(1, 1)), "has ABI 1.1"),
        (
            patched(b"opa_wasm_abi_version", b"opa_wasm_abi_verSion"),
            "does not export the version",
        ),
        (
            patched(b"\x08opa_eval", b"\x08opa_evil"),
            "export the function `opa_eval`",
        ),
        (patched(b"sprintf", b"sprintg"), "calls `sprintg`"),
    ] {
        let refused = set_of_module(&module, &DECISION, &[])
            .unwrap_err()
            .to_string();
        assert!(refused.starts_with("b/policy.wasm: "), "{refused}");
        assert!(refused.contains(says), "{says}: {refused}");
    }
    let refused = set_of_module(&good, &["edgeward/authz/decison"], &[]);
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("no entry point `edgeward/authz/decison`"),
        "{refused}"
    );
}

#[test]
fn a_rule_and_a_compiled_policy_never_speak_for_the_same() {
    for (rego, says) in [
        ("package edgeward.authz\nother := 1\n", ""),
        (
            "package other\nimport data.edgeward.authz.decision\nx := 1\n",
            "",
        ),
        (
            "package edgeward.authz\ndecision := true\n",
            "is a rule, and",
        ),
        ("package edgeward\nauthz := true\n", "is a rule, and"),
        (
            "package other\nx if data.edgeward.authz.decision.allow\n",
            "b/a.rego:2: reads `data.edgeward.authz.decision`",
        ),
        (
            "package other\nx := data.edgeward.authz\n",
            "reads `data.edgeward.authz.decision`",
        ),
        (
            "package edgeward.authz\nx := decision\n",
            "reads `data.edgeward.authz.decision`",
        ),
        (
            "package edgeward.authz\ntest_x if decision with input as 1\n",
            "reads `data.edgeward.authz.decision`",
        ),
    ] {
        let set = set_of_module(&module(), &DECISION, &[("a.rego", rego)]);
        match set {
            Ok(_) => assert_eq!(says, "", "{rego}"),
            Err(error) => {
                assert!(!says.is_empty(), "{rego}: {error}");
                assert!(error.to_string().contains(says), "{rego}: {error}");
            }
        }
    }
    let data = [("edgeward/authz/data.json", "{\"decision\": true}")];
    let refused = set_of_module(&module(), &DECISION, &data).unwrap_err();
    assert!(matches!(refused, LoadError::OverCompiled(_)), "{refused}");
}

#[test]
fn an_entry_point_must_be_among_the_roots() {
    let files = BTreeMap::from([("policy.wasm".to_owned(), module())]);
    let entry_point = EntryPoint::parse(DECISION[0], None).unwrap();
    let roots = Roots::parse(["other"]).unwrap();
    let refused = brought(vec![entry_point], roots, &files);
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("`data.edgeward.authz.decision` is outside"),
        "{refused}"
    );
}
