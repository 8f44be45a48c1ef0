//! A shipped Envoy configuration with only what a test run must change: ports, addresses, file
//! locations, and (where a test says so) single settings. Everything else is as it ships.
//!
//! The change is made in the parsed document, never in its text.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::built;

/// A configuration on its way to Envoy.
#[derive(Debug, Clone)]
pub struct Setup {
    document: Value,
}

impl Setup {
    /// Reads `envoy/<name>` and puts it on free ports with the filter built from this tree.
    ///
    /// # Panics
    /// When the file cannot be read or is not YAML.
    pub fn shipped(name: &str) -> Self {
        let path = built::workspace().join("envoy").join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
        let document = serde_saphyr::from_str(&text)
            .unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
        let mut setup = Self { document };
        setup.document["admin"]["address"] = loopback(0);
        for listener in setup.listeners() {
            listener["address"] = loopback(0);
        }
        if setup.find_filter("edgeward").is_some() {
            setup.vm(|vm| vm["code"]["local"]["filename"] = json!(built::filter()));
        }
        setup
    }

    /// The setup with Envoy's own `ext_authz` in place of the filter.
    pub fn ext_authz() -> Self {
        Self::shipped("ext_authz/envoy.yaml")
    }

    /// The same, asking over HTTP.
    pub fn ext_authz_http() -> Self {
        Self::shipped("ext_authz_http/envoy.yaml")
    }

    /// The plain setup.
    pub fn local() -> Self {
        Self::shipped("local/envoy.yaml")
    }

    /// The setup with client certificates, its server certificate and trust bundle in `folder`
    /// under the names the shipped file uses.
    pub fn mtls(folder: &Path) -> Self {
        let mut setup = Self::shipped("mtls/envoy.yaml");
        replace_prefix(
            &mut setup.document,
            "/etc/edgeward/",
            &format!("{}/", folder.display()),
        );
        setup
    }

    /// Sends the cluster `name` to `address`.
    #[must_use]
    pub fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        let clusters = array(&mut self.document["static_resources"]["clusters"]);
        let cluster = clusters
            .iter_mut()
            .find(|cluster| cluster["name"] == name)
            .unwrap_or_else(|| panic!("the configuration has no cluster `{name}`"));
        let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
        endpoint["endpoint"]["address"] = loopback(address.port());
        self
    }

    /// Changes the filter's own configuration.
    #[must_use]
    pub fn plugin(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let text = &mut self.wasm()["configuration"]["value"];
        let mut plugin = serde_json::from_str(text.as_str().expect("the plugin is configured"))
            .expect("the plugin configuration is JSON");
        change(&mut plugin);
        *text = json!(plugin.to_string());
        self
    }

    /// Replaces the filter's configuration by `text`, whatever it is.
    #[must_use]
    pub fn plugin_text(mut self, text: &str) -> Self {
        self.wasm()["configuration"]["value"] = json!(text);
        self
    }

    /// Changes the HTTP connection manager.
    #[must_use]
    pub fn manager(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(self.http());
        self
    }

    /// Changes the TLS context of the listener.
    #[must_use]
    pub fn tls(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.listeners()[0]["filter_chains"][0]["transport_socket"]["typed_config"]);
        self
    }

    /// Has client certificates checked as those of `trust_domain`.
    #[must_use]
    pub fn trust_domain(self, trust_domain: &str) -> Self {
        self.tls(|tls| {
            let validator =
                &mut tls["common_tls_context"]["validation_context"]["custom_validator_config"];
            validator["typed_config"]["trust_domains"][0]["name"] = json!(trust_domain);
        })
    }

    /// Listens on `port` of the loopback address.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.listeners()[0]["address"] = loopback(port);
        self
    }

    /// Puts `filter` right after Edgeward's.
    #[must_use]
    pub fn filter_after(mut self, filter: Value) -> Self {
        array(&mut self.http()["http_filters"]).insert(1, filter);
        self
    }

    /// Puts `filter` in front of all others.
    #[must_use]
    pub fn filter_before(mut self, filter: Value) -> Self {
        array(&mut self.http()["http_filters"]).insert(0, filter);
        self
    }

    /// Runs the filter module at `path` in place of the release filter.
    #[must_use]
    pub fn module(mut self, path: &Path) -> Self {
        self.vm(|vm| vm["code"]["local"]["filename"] = json!(path));
        self
    }

    /// Lets Envoy and the filter also do `capability` (a name of the proxy-wasm ABI).
    #[must_use]
    pub fn capability(mut self, capability: &str) -> Self {
        self.vm(|vm| {
            vm["capability_restriction_config"]["allowed_capabilities"][capability] = json!({});
        });
        self
    }

    /// Edgeward's own entry in the filter chain.
    pub fn filter(&mut self) -> &mut Value {
        self.find_filter("edgeward")
            .expect("the filter is in the chain")
    }

    /// The entry of this name in the filter chain, where there is one.
    pub fn find_filter(&mut self, name: &str) -> Option<&mut Value> {
        let filters = array(&mut self.http()["http_filters"]);
        filters.iter_mut().find(|filter| filter["name"] == name)
    }

    /// The document as Envoy gets it.
    pub fn document(&self) -> &Value {
        &self.document
    }

    fn vm(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.wasm()["vm_config"]);
    }

    fn wasm(&mut self) -> &mut Value {
        &mut self.filter()["typed_config"]["config"]
    }

    fn http(&mut self) -> &mut Value {
        &mut self.listeners()[0]["filter_chains"][0]["filters"][0]["typed_config"]
    }

    fn listeners(&mut self) -> &mut Vec<Value> {
        array(&mut self.document["static_resources"]["listeners"])
    }
}

fn loopback(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn array(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().expect("a list in the configuration")
}

fn replace_prefix(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix(from) {
                *text = format!("{to}{rest}");
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| replace_prefix(item, from, to)),
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|member| replace_prefix(member, from, to));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
