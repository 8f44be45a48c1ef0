//! What OPA compiles here and now: cases of its own suite, and the shipped policies.

use std::collections::BTreeSet;
use std::process::Command;

use super::*;
use crate::policy::bytecode::tests::questions::questions;
use crate::policy::embedded;

/// One in so many cases of the suite is compiled; `EDGEWARD_WASM_EVERY=1` takes all, in half an hour.
const EVERY: usize = 40;

/// What OPA's own compiler (1.4.2) makes of a case is otherwise: no built-in of ours is called in these.
const OTHERWISE: [&str; 1] =
    ["withkeyword/function: indirect call, arity 1, multiple, nested replacements"];

/// What `opa build -t wasm` makes of these files.
fn compiled(files: &[(String, String)], entry_point: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let ended = Command::new(opa()?)
        .args(["build", "-b", ".", "-t", "wasm", "-e", entry_point, "-o"])
        .arg(folder.path().join("bundle.tar.gz"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    if !ended.status.success() {
        println!("{entry_point}: {}", String::from_utf8_lossy(&ended.stderr));
        return None;
    }
    Some(std::fs::read(folder.path().join("bundle.tar.gz")).unwrap())
}

/// Policies and data as the suite has them, each file in the folder of its own that OPA wants.
fn files_of(case: &Json) -> Vec<(String, String)> {
    let modules = case["modules"].as_array().into_iter().flatten();
    let modules = modules.filter_map(Json::as_str).enumerate();
    let mut files: Vec<_> = modules
        .map(|(number, text)| (format!("m{number}.rego"), text.to_owned()))
        .collect();
    files.push((
        "data.json".to_owned(),
        match &case["data"] {
            Json::Null => "{}".to_owned(),
            data => data.to_string(),
        },
    ));
    files
}

fn cases() -> Vec<Json> {
    let Some(root) = std::env::var_os("EDGEWARD_CONFORMANCE") else {
        eprintln!("skipped: EDGEWARD_CONFORMANCE names no folder with OPA's suite");
        return Vec::new();
    };
    let mut folders = vec![Path::new(&root).join("opa-rego/v1")];
    let mut files = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "json") {
                files.insert(path);
            }
        }
    }
    let cases = files.iter().flat_map(|file| {
        let text = std::fs::read(file).unwrap();
        let mut json: Json = serde_json::from_slice(&text).unwrap();
        json["cases"]
            .as_array_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    });
    cases
        .filter(|case| case["want_result"].is_array() && case["input_term"].is_null())
        .collect()
}

/// The rule that a query of the form `data.path = x` asks for.
fn rule_of(case: &Json) -> Option<&str> {
    let rule = case["query"].as_str()?.strip_suffix(" = x")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    rule.chars().all(plain).then_some(rule)
}

#[test]
fn cases_of_opas_suite_end_as_it_says_or_are_refused() {
    if opa().is_none() {
        return;
    }
    let every = std::env::var("EDGEWARD_WASM_EVERY").ok();
    let every = every.map_or(EVERY, |every| every.parse().unwrap());
    let (mut right, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for case in cases().into_iter().step_by(every) {
        let Some(rule) = rule_of(&case).map(str::to_owned) else {
            continue;
        };
        let note = case["note"].as_str().unwrap_or_default().to_owned();
        let name = rule.trim_start_matches("data.").replace('.', "/");
        let Some(bundle) = compiled(&files_of(&case), &name) else {
            refused.push(format!("{note}: not compiled"));
            continue;
        };
        let set = match set_of(&bundle, &settings(&rule)) {
            Ok(set) => set,
            Err(error) => {
                refused.push(format!("{note}: {error}"));
                continue;
            }
        };
        assert_eq!(set.engine(), "wasm");
        let input = case.get("input").cloned();
        let errors = if case["strict_error"] == true {
            BuiltinErrors::Fail
        } else {
            BuiltinErrors::Undefined
        };
        let said = with_worker(set, move |worker| document(worker, &rule, input, errors));
        let said = said.map(|value| value.map(|value| json!({ "x": value })));
        let wanted = case["want_result"].as_array().and_then(|all| all.first());
        if said.as_ref().map(Option::as_ref) == Ok(wanted) {
            right += 1;
        } else if OTHERWISE.contains(&&*note) {
            refused.push(format!("{note}: otherwise in what OPA compiles"));
        } else {
            wrong.push(format!("{note}: {said:?}, not {wanted:?}"));
        }
    }
    println!(
        "{right} right, {} refused, {} otherwise",
        refused.len(),
        wrong.len()
    );
    println!("{}", refused.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// OPA's Wasm, unlike its Go, has `object.union_n([])` undefined (1.4.2).
fn with_a_first_object(text: &str) -> String {
    let text = text.replace("object.union_n([", "object.union_n(array.concat([{}], [");
    text.replace("_headers])", "_headers]))")
}

#[test]
fn the_shipped_policies_compiled_decide_as_they_do_here() {
    if opa().is_none() {
        return;
    }
    let rego: Vec<(String, String)> = embedded::files()
        .into_iter()
        .filter(|(name, _)| name.contains(".rego"))
        .map(|(name, text)| (name, with_a_first_object(&String::from_utf8(text).unwrap())))
        .collect();
    // What their own tests have for data.
    let all: Vec<(&str, &str)> = rego.iter().map(|(name, text)| (&**name, &**text)).collect();
    let (mut allows, mut denies) = (0, 0);
    for package in ["authz_test", "client_test", "grant_test"] {
        let file = format!("{package}.rego");
        let as_rules: Vec<(String, &str)> = (all.iter())
            .filter(|(name, _)| name.ends_with(&file))
            .map(|(name, text)| (name.replace("_test.rego", ".rego.rego"), *text))
            .collect();
        let as_rules: Vec<(&str, &str)> = as_rules.iter().map(|(n, t)| (&**n, *t)).collect();
        let tests = set_of_rego(
            &as_rules,
            &settings(&format!("data.edgeward.{package}.access")),
        );
        let access = with_worker(tests, |worker| worker.value(Value::Undefined, NOW));
        let data = json!({ "access": access.unwrap().unwrap() }).to_string();
        let mut files: Vec<(String, String)> = rego.clone();
        files.retain(|(name, _)| !name.ends_with("_test.rego"));
        files.push(("data.json".to_owned(), data));
        let settings = settings("data.edgeward.authz.decision");
        let bundle = compiled(&files, "edgeward/authz/decision").unwrap();
        let ask = |set: PolicySet| {
            with_worker(set, |worker| {
                let ask = |question| worker.evaluate(from_json(question), NOW);
                questions().into_iter().map(ask).collect::<Vec<_>>()
            })
        };
        let compiled = ask(set_of(&bundle, &settings).unwrap());
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (&**n, &**t)).collect();
        let ours = ask(set_of_rego(&files, &settings));
        for ((compiled, ours), question) in compiled.iter().zip(&ours).zip(questions()) {
            // What OPA compiled in is undefined where it fails, and an error with us: a deny both times.
            let is_denied = compiled.as_ref().is_ok_and(|verdict| !verdict.allow);
            let fails = matches!(ours, Err(Failure::Error(_)));
            assert!(
                compiled == ours || (fails && is_denied),
                "{question}: {compiled:?}, {ours:?}"
            );
            match compiled {
                Ok(verdict) if verdict.allow => allows += 1,
                _ => denies += 1,
            }
        }
    }
    println!("{allows} allows, {denies} denies");
    assert!(allows > 0 && denies > 0);
}
