//! The example policy set as it lies in `policies/`, inside the program: what serves when no folder
//! is configured.
//!
//! A test compares this list with the folder.

macro_rules! embed {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../../policies/", $file)))),*]
    };
}

const FILES: &[(&str, &str)] = embed![
    "data/access/clients.yaml",
    "data/access/demo_test.rego",
    "data/access/grants.yaml",
    "data/access/suspended.yaml",
    "edgeward/authz/authz.rego",
    "edgeward/authz/authz_test.rego",
    "edgeward/client/client.rego",
    "edgeward/client/client_test.rego",
    "edgeward/grant/grant.rego",
    "edgeward/grant/grant_test.rego",
    "edgeward/pattern/pattern.rego",
    "edgeward/pattern/pattern_test.rego",
];

/// Paths below the policy folder, and contents.
pub(super) fn files() -> Vec<(String, Vec<u8>)> {
    FILES
        .iter()
        .map(|(file, text)| ((*file).to_owned(), text.as_bytes().to_vec()))
        .collect()
}
