//! A real OpenID provider (npm's `oidc-provider`): discovery, keys that change, clients that prove themselves by a
//! signature, opaque tokens and introspection are its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use edgeward::crypto::{KeyPurpose, Signer};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::built;
use crate::ca::Authority;
use crate::keys::now;
use crate::mint::{SigningKey, encode, random};
use crate::pdp::free_address;
use crate::process::{Process, wait_for};
use crate::raw::Request;
use crate::reply::Reply;
use crate::trust::encoded;

/// The client that gets tokens.
const CLIENT: &str = "batch";
/// The secret of the client `edgeward`, as `tests/oidc_provider/provider.mjs` has it.
const SECRET: &str = "a secret: of %C3%A9dgeward+";

/// A running provider; it ends with this.
pub struct OidcProvider {
    process: Process,
    address: SocketAddr,
    authority: Authority,
    client: SigningKey,
    folder: TempDir,
}

impl OidcProvider {
    /// Starts it; none where npm could not fetch it (`./just setup`).
    ///
    /// # Panics
    /// With its log when it does not come up within half a minute.
    pub fn start() -> Option<Self> {
        let modules = built::oidc_provider()?;
        let folder = TempDir::with_prefix("edgeward-oidc").expect("a temporary folder");
        let authority = Authority::new("op.test");
        let leaf = authority.issue(&["spiffe://op.test/server"]);
        authority.write_server(&leaf, folder.path());
        let client = SigningKey::es256(CLIENT);
        let asker = authority.issue(&["spiffe://op.test/edgeward"]);
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("a file is written");
        };
        write("asker.key", asker.key_pem());
        write("secret", format!("{SECRET}\n"));
        let asker = Signer::from_pkcs8(asker.key_pem().as_bytes(), None).expect("a key");
        let askers_jwk = asker.public_jwk(KeyPurpose::Signature);
        let keys = json!({ CLIENT: client.jwk("sig"), "edgeward-key": askers_jwk });
        write("clients.json", keys.to_string());
        let address = free_address();
        let mut command = Command::new("node");
        command
            .arg(built::workspace().join("tests/oidc_provider/provider.mjs"))
            .arg(address.port().to_string())
            .arg(folder.path())
            .arg(modules);
        let log = folder.path().join("log");
        let process = Process::start(command, &log).expect("node starts");
        let mut provider = Self {
            process,
            address,
            authority,
            client,
            folder,
        };
        let ready = wait_for(Duration::from_secs(30), || {
            let is_ready = provider.process.log().contains("ready");
            (is_ready || !provider.process.is_running()).then_some(is_ready)
        });
        assert!(
            ready == Some(true),
            "not ready:\n{}",
            provider.process.log()
        );
        Some(provider)
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Where the PDP finds who vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("bundle.pem")
    }

    /// A trust provider that takes its JWTs, found by discovery.
    pub fn jwts(&self, name: &str, audience: &str) -> Value {
        json!({ "name": name, "oidc": {
            "issuer": self.issuer(), "audiences": [audience], "claims": ["client_id"],
            "fetch": { "ca_file": self.ca_file(), "allow_loopback": true, "refresh": "1h" },
        } })
    }

    /// A trust provider that asks it about opaque tokens, as a client with a secret or a key.
    pub fn opaque(&self, name: &str, audience: &str, by_key: bool) -> Value {
        let client = if by_key {
            json!({ "id": "edgeward-key", "key_file": self.folder.path().join("asker.key") })
        } else {
            json!({ "id": "edgeward", "secret_file": self.folder.path().join("secret") })
        };
        json!({ "name": name, "introspection": {
            "endpoint": format!("{}/token/introspection", self.issuer()), "issuer": self.issuer(),
            "audiences": [audience], "client": client, "recheck_after": "0s",
            "fetch": { "ca_file": self.ca_file(), "allow_loopback": true, "timeout": "1s" },
        } })
    }

    /// A token of the client's for `resource`: a JWT where that ends in `/jwt`, else an opaque one.
    ///
    /// # Panics
    /// When it gives none.
    pub fn token(&self, resource: &str) -> String {
        let reply = self.post(
            "/token",
            &[
                ("grant_type", "client_credentials"),
                ("resource", resource),
                ("scope", "read"),
            ],
        );
        let token = reply.json()["access_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("{}\n{}", reply.text(), self.process.log()))
    }

    /// Ends a token before its time.
    ///
    /// # Panics
    /// When it does not.
    pub fn revoke(&self, token: &str) {
        let reply = self.post("/token/revocation", &[("token", token)]);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Signs by a new key from now on, published with the old ones.
    pub fn rotate(&self) {
        self.control("/rotate");
    }

    /// Publishes the newest key alone.
    pub fn drop_old_keys(&self) {
        self.control("/drop");
    }

    /// Stops it where it stands (`true`), or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        self.process.signal(if frozen { "STOP" } else { "CONT" });
    }

    fn control(&self, path: &str) {
        let request = Request::new("POST", path).host("localhost");
        let reply = self
            .authority
            .send(self.address, None, &request.header("connection", "close"));
        assert_eq!(reply.status, 200, "{}", self.process.log());
    }

    /// Posts a form as the client, which proves itself by an assertion (RFC 7523 section 2.2).
    fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Reply {
        let assertion = self.client.token(&json!({
            "iss": CLIENT, "sub": CLIENT, "aud": self.issuer(),
            "iat": now(), "exp": now() + 60, "jti": encode(random(16)),
        }));
        let mut form = parameters.to_vec();
        form.extend([
            ("client_id", CLIENT),
            ("client_assertion", assertion.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ]);
        let request = Request::new("POST", path)
            .host("localhost")
            .header("connection", "close")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encoded(&form));
        self.authority.send(self.address, None, &request)
    }
}
