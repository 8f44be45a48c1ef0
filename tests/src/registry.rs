//! The real registry of OCI artifacts (Debian's `docker-registry`) over https, and a second one of the same
//! storage through which artifacts are pushed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::built;
use crate::ca::Authority;
use crate::pdp::free_address;
use crate::process::{Process, wait_for};
use crate::raw::{self, Request};

/// The user that it knows where it asks for one.
pub const USER: &str = "edge";
/// That user's password.
pub const PASSWORD: &str = "s3cret-of-the-registry";
/// The same as the registry has it.
const HTPASSWD: &str = "edge:$2b$05$LZ/b/cj7iqesqyPLX4gUg.83ZlX6qwfPKQt1FSgu2auUx.5oKfYOK\n";

const REPOSITORY: &str = "policies/authz";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Whom it lets pull, and where its layers lie.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    /// Only [`USER`].
    pub wants_password: bool,
    /// Only who has a token of this server, signed under this authority (PEM).
    pub wants_token_of: Option<(String, String)>,
    /// Layers are elsewhere: at this scheme, host and port.
    pub layers_at: Option<String>,
}

/// A running registry.
pub struct Registry {
    pull: Process,
    push: Process,
    address: SocketAddr,
    push_address: SocketAddr,
    folder: TempDir,
}

impl Registry {
    /// Starts it; none where there is no `docker-registry` (`./just setup`).
    ///
    /// # Panics
    /// When it does not come up, with its log.
    pub fn start(gate: &Gate) -> Option<Self> {
        let program = built::registry()?;
        let folder = TempDir::with_prefix("edgeward-registry").expect("a temporary folder");
        let authority = Authority::new("registry.test");
        let leaf = authority.issue(&["spiffe://registry.test/server"]);
        authority.write_server(&leaf, folder.path());
        let (address, push_address) = (free_address(), free_address());
        let mut guarded = configuration(address, folder.path());
        guarded["http"]["tls"] = json!({
            "certificate": folder.path().join("server.pem"),
            "key": folder.path().join("server.key"),
        });
        gate.apply(&mut guarded, folder.path());
        let start = |name: &str, configuration: &Value| {
            let file = folder.path().join(format!("{name}.yml"));
            std::fs::write(&file, configuration.to_string()).expect("a file is written");
            let mut command = Command::new(&program);
            command.arg("serve").arg(file);
            let log = folder.path().join(format!("{name}.log"));
            Process::start(command, &log).expect("the registry starts")
        };
        let registry = Self {
            pull: start("pull", &guarded),
            push: start("push", &configuration(push_address, folder.path())),
            address,
            push_address,
            folder,
        };
        let is_up = || raw::get(push_address, "/v2/").ok().map(drop);
        let up = wait_for(Duration::from_secs(20), is_up);
        assert!(up.is_some(), "{}", registry.log());
        let up = wait_for(Duration::from_secs(20), || raw::connect(address).ok());
        assert!(up.is_some(), "{}", registry.log());
        Some(registry)
    }

    /// Pushes `bundle` as ORAS and the policy tools do, under this tag; its manifest's digest.
    pub fn push(&self, tag: &str, bundle: &[u8]) -> String {
        let config = self.push_blob("application/vnd.oci.image.config.v1+json", b"{}");
        let mut layer = self.push_blob(LAYER, bundle);
        layer["annotations"] = json!({ "org.opencontainers.image.title": "bundle.tar.gz" });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layer],
        });
        self.push_manifest(tag, &manifest)
    }

    /// Pushes this manifest under this tag; its digest.
    pub fn push_manifest(&self, tag: &str, manifest: &Value) -> String {
        let manifest = manifest.to_string();
        let reply = Request::new("PUT", format!("/v2/{REPOSITORY}/manifests/{tag}"))
            .header("content-type", MANIFEST)
            .header("connection", "close")
            .body(manifest.clone())
            .send(self.push_address);
        assert_eq!(reply.status, 201, "{} {}", reply.text(), self.push.log());
        digest_of(manifest.as_bytes())
    }

    /// Pushes a blob; its descriptor.
    pub fn push_blob(&self, kind: &str, content: &[u8]) -> Value {
        let digest = digest_of(content);
        let begun = Request::new("POST", format!("/v2/{REPOSITORY}/blobs/uploads/"))
            .header("connection", "close")
            .body(Vec::new())
            .send(self.push_address);
        let location = begun.header("location").expect("where to upload");
        let path = location.split_once("://").map_or(&*location, |(_, rest)| {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        });
        let reply = Request::new("PUT", format!("{path}&digest={digest}"))
            .header("content-type", "application/octet-stream")
            .header("connection", "close")
            .body(content)
            .send(self.push_address);
        assert_eq!(reply.status, 201, "{} {}", reply.text(), self.push.log());
        json!({ "mediaType": kind, "digest": digest, "size": content.len() })
    }

    /// What the artifact of this version (`:tag` or `@digest`) is called.
    pub fn reference(&self, version: &str) -> String {
        format!(
            "oci://localhost:{}/{REPOSITORY}{version}",
            self.address.port()
        )
    }

    /// The authority that vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("bundle.pem")
    }

    /// A file with [`PASSWORD`].
    pub fn password_file(&self) -> PathBuf {
        let path = self.folder.path().join("password");
        std::fs::write(&path, PASSWORD).expect("a file is written");
        path
    }

    /// The folder that a driver's path (`/docker/registry/…`) begins in.
    pub fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// What both have said.
    pub fn log(&self) -> String {
        format!("{}\n{}", self.pull.log(), self.push.log())
    }
}

impl Gate {
    fn apply(&self, configuration: &mut Value, folder: &Path) {
        if self.wants_password {
            let path = folder.join("htpasswd");
            std::fs::write(&path, HTPASSWD).expect("a file is written");
            configuration["auth"]["htpasswd"] = json!({ "realm": "registry", "path": path });
        }
        if let Some((realm, authority)) = &self.wants_token_of {
            let path = folder.join("tokens.pem");
            std::fs::write(&path, authority).expect("a file is written");
            configuration["auth"]["token"] = json!({
                "realm": realm,
                "service": "registry.test",
                "issuer": "tokens.test",
                "rootcertbundle": path,
            });
        }
        if let Some(url) = &self.layers_at {
            let redirect = json!([{ "name": "redirect", "options": { "baseurl": url } }]);
            configuration["middleware"]["storage"] = redirect;
        }
    }
}

fn configuration(address: SocketAddr, folder: &Path) -> Value {
    json!({
        "version": 0.1,
        "log": { "level": "info" },
        "storage": { "filesystem": { "rootdirectory": folder.join("storage") } },
        "http": { "addr": address.to_string(), "secret": "of-uploads" },
    })
}

fn digest_of(content: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, content);
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}
