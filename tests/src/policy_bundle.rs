//! Policy bundles as a release pipeline makes them: packed, and signed over what OPA signs.
//!
//! Deliberately not the PDP's own code: what it checks was made by other hands.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::mint::SigningKey;

/// Files of a bundle by their paths.
#[derive(Debug, Clone, Default)]
pub struct PolicyBundle(BTreeMap<String, Vec<u8>>);

impl PolicyBundle {
    /// A bundle of `revision` that speaks for `roots`, so far without content.
    pub fn new(revision: &str, roots: &[&str]) -> Self {
        let manifest = json!({ "revision": revision, "roots": roots });
        Self::default().file(".manifest", manifest.to_string())
    }

    /// A delta of `revision` to revision `base`, with these operations.
    pub fn delta(base: &str, revision: &str, roots: &[&str], operations: &Value) -> Self {
        let metadata = json!({ "base_revision": base });
        let manifest = json!({ "revision": revision, "roots": roots, "metadata": metadata });
        Self::default()
            .file(".manifest", manifest.to_string())
            .file("patch.json", json!({ "data": operations }).to_string())
    }

    /// With this file.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), content.into());
        self
    }

    /// With a signature by `key` over the files as they are now.
    #[must_use]
    pub fn signed_by(self, key: &SigningKey) -> Self {
        let listed = self.0.iter().map(|(name, content)| {
            let hash = digest::digest(&digest::SHA256, &signed_form(name, content));
            let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
            json!({ "name": name, "hash": hash.collect::<String>(), "algorithm": "SHA-256" })
        });
        let payload = json!({ "files": listed.collect::<Vec<_>>(), "iat": 0, "iss": "release" });
        let signatures = json!({ "signatures": [key.token(&payload)] });
        self.file(".signatures.json", signatures.to_string())
    }

    /// As `bundle.tar.gz`.
    pub fn pack(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (path, content) in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive
                .append_data(&mut header, format!("./{path}"), &**content)
                .expect("a file is packed");
        }
        let gzip = archive.into_inner().expect("the archive ends");
        gzip.finish().expect("the archive is packed")
    }
}

/// What a file's digest is over: of JSON the value, compact, with names in order.
fn signed_form(name: &str, content: &[u8]) -> Vec<u8> {
    if name == ".manifest" || name.ends_with("data.json") {
        let value: Value = serde_json::from_slice(content).expect("JSON");
        return value.to_string().into_bytes();
    }
    content.to_vec()
}
