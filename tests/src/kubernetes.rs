//! A real Kubernetes API server with its etcd: namespaces, service accounts, roles, pods and their tokens are
//! its own. There is no kubelet: what one reports of a pod's containers is written as one writes it.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::built;
use crate::ca::Authority;
use crate::pdp::free_address;
use crate::process::{Process, wait_for};
use crate::raw::{self, Request};
use crate::reply::Reply;
use crate::trust::merge;

/// The token by which the tests rule the cluster.
const ADMIN: &str = "admin-of-the-test-cluster";
const START: Duration = Duration::from_secs(60);
/// The namespace and service account of the PDP.
const PDP: &str = "edgeward";
/// The namespace of the workloads.
pub const NAMESPACE: &str = "shop";

/// A running cluster; it ends with this.
pub struct Cluster {
    server: Process,
    _etcd: Process,
    address: SocketAddr,
    authority: Authority,
    folder: TempDir,
}

impl Cluster {
    /// Starts it, with what the PDP may do as `docs/trust-providers.md` has it; none where there is no
    /// API server (`./just setup`).
    ///
    /// # Panics
    /// With its log when it does not come up within a minute.
    pub fn start() -> Option<Self> {
        let (program, etcd) = built::kubernetes()?;
        let folder = TempDir::with_prefix("edgeward-kubernetes").expect("a temporary folder");
        let authority = Authority::new("kubernetes.test");
        let leaf = authority.issue(&["spiffe://kubernetes.test/api-server"]);
        authority.write_server(&leaf, folder.path());
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("a file is written");
        };
        write("service-accounts.key", &leaf.key_pem());
        write(
            "admins.csv",
            &format!("{ADMIN},admin,admin,system:masters\n"),
        );
        let (clients, peers) = (free_address(), free_address());
        let mut command = Command::new(etcd);
        command.arg("--data-dir").arg(folder.path().join("etcd"));
        for (name, at) in [("client", clients), ("peer", peers)] {
            command.arg(format!("--listen-{name}-urls=http://{at}"));
        }
        command
            .arg(format!("--advertise-client-urls=http://{clients}"))
            .arg(format!("--initial-advertise-peer-urls=http://{peers}"))
            .arg(format!("--initial-cluster=default=http://{peers}"))
            .arg("--unsafe-no-fsync");
        let etcd = Process::start(command, &folder.path().join("etcd.log")).expect("etcd starts");
        let address = free_address();
        let mut command = Command::new(program);
        let issuer = format!("https://localhost:{}", address.port());
        for option in [
            format!("--etcd-servers=http://{clients}"),
            format!("--secure-port={}", address.port()),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=192.0.2.1".to_owned(),
            "--service-cluster-ip-range=198.51.100.0/24".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--anonymous-auth=false".to_owned(),
            "--api-audiences=https://kubernetes.test".to_owned(),
            format!("--service-account-issuer={issuer}"),
            format!("--service-account-jwks-uri={issuer}/openid/v1/jwks"),
        ] {
            command.arg(option);
        }
        for (option, file) in [
            ("tls-cert-file", "server.pem"),
            ("tls-private-key-file", "server.key"),
            ("service-account-key-file", "server.pem"),
            ("service-account-signing-key-file", "service-accounts.key"),
            ("token-auth-file", "admins.csv"),
            ("cert-dir", "certificates"),
        ] {
            let path = folder.path().join(file);
            command.arg(format!("--{option}={}", path.display()));
        }
        let log = folder.path().join("api-server.log");
        let server = Process::start(command, &log).expect("the API server starts");
        let mut cluster = Self {
            server,
            _etcd: etcd,
            address,
            authority,
            folder,
        };
        cluster.wait_until_ready();
        cluster.set_up();
        Some(cluster)
    }

    fn wait_until_ready(&mut self) {
        let ready = wait_for(START, || {
            if !self.server.is_running() {
                return Some(false);
            }
            (self.ask("GET", "/readyz", None).status == 200).then_some(true)
        });
        let log = self.server.log();
        assert!(ready == Some(true), "the API server is not ready:\n{log}");
    }

    fn set_up(&self) {
        for name in [PDP, NAMESPACE] {
            self.make(
                "/api/v1/namespaces",
                &json!({ "metadata": { "name": name } }),
            );
        }
        self.account(PDP, PDP);
        for (role, name) in [("system:auth-delegator", "reviews"), ("edgeward", "reads")] {
            self.bind(name, role);
        }
        self.make(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            &json!({
                "metadata": { "name": "edgeward" },
                "rules": [{ "apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get"] }],
            }),
        );
        let of_it = format!("/api/v1/namespaces/{PDP}/serviceaccounts/{PDP}/token");
        let token = self.make(&of_it, &json!({ "spec": { "expirationSeconds": 3600 } }));
        let token = token["status"]["token"].as_str().expect("a token");
        fs::write(self.folder.path().join("token"), token).expect("a file is written");
    }

    /// Lets the PDP do what this role lets do.
    fn bind(&self, name: &str, role: &str) {
        self.make(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            &json!({
                "metadata": { "name": name },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
                "subjects": [{ "kind": "ServiceAccount", "namespace": PDP, "name": PDP }],
            }),
        );
    }

    /// Takes from the PDP what it may do: `reviews`, or `reads`.
    pub fn forbid(&self, what: &str) {
        let path = format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{what}");
        assert_eq!(self.ask("DELETE", &path, None).status, 200);
    }

    /// Makes a service account, and gives its UID.
    pub fn account(&self, namespace: &str, name: &str) -> String {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let made = self.make(&path, &json!({ "metadata": { "name": name } }));
        made["metadata"]["uid"].as_str().expect("a UID").to_owned()
    }

    /// A node of this region.
    pub fn node(&self, name: &str, region: &str) {
        let labels = json!({ "topology.kubernetes.io/region": region });
        let node = json!({ "metadata": { "name": name, "labels": labels } });
        self.make("/api/v1/nodes", &node);
    }

    /// A pod of [`NAMESPACE`] that runs on `node` under `account`: one container for each of `images`, of which a
    /// kubelet reported the digest.
    pub fn pod(&self, name: &str, account: &str, node: &str, images: &[(&str, &str)]) {
        let named = |index: usize| format!("c{index}");
        let containers: Vec<Value> = images
            .iter()
            .enumerate()
            .map(|(index, (image, _))| json!({ "name": named(index), "image": image }))
            .collect();
        let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
        let mut pod = self.make(
            &pods,
            &json!({
                "metadata": { "name": name, "labels": { "app": name } },
                "spec": {
                    "serviceAccountName": account, "automountServiceAccountToken": false,
                    "nodeName": node, "containers": containers,
                },
            }),
        );
        let states: Vec<Value> = images
            .iter()
            .enumerate()
            .map(|(index, (image, digest))| {
                let name = image.rsplit_once(':').map_or(*image, |(name, _)| name);
                json!({
                    "name": named(index), "image": image, "imageID": format!("{name}@{digest}"),
                    "ready": true, "restartCount": 0, "started": true,
                })
            })
            .collect();
        pod["status"] = json!({ "phase": "Running", "containerStatuses": states });
        let path = format!("{pods}/{name}/status");
        let reported = self.ask("PUT", &path, Some(&pod));
        assert_eq!(reported.status, 200, "{}", reported.text());
    }

    /// Ends a pod, at once.
    pub fn delete_pod(&self, name: &str) {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}");
        let now = json!({ "gracePeriodSeconds": 0 });
        assert_eq!(self.ask("DELETE", &path, Some(&now)).status, 200);
    }

    /// A token for `audience`, bound to a pod, as the kubelet projects it into the pod.
    pub fn token(&self, account: &str, pod: &str, audience: &str) -> String {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}");
        let uid = self.ask("GET", &path, None).json()["metadata"]["uid"].clone();
        let bound = json!({ "kind": "Pod", "apiVersion": "v1", "name": pod, "uid": uid });
        let spec =
            json!({ "audiences": [audience], "expirationSeconds": 600, "boundObjectRef": bound });
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token");
        let made = self.make(&path, &json!({ "spec": spec }));
        made["status"]["token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// The trust provider `cluster` that asks it, with members of `review` as given.
    pub fn provider(&self, audience: &str, review: &Value) -> Value {
        let issuer = format!("https://localhost:{}", self.address.port());
        let fetch =
            json!({ "ca_file": self.folder.path().join("bundle.pem"), "allow_loopback": true });
        let token_file = self.folder.path().join("token");
        let mut asked = json!({ "server": issuer, "token_file": token_file, "fetch": fetch });
        merge(&mut asked, review);
        json!({
            "name": "cluster",
            "kubernetes": {
                "issuer": issuer, "audiences": [audience], "fetch": fetch,
                "keys": { "discovery": true, "token_file": token_file }, "review": asked,
            },
        })
    }

    /// Stops the API server where it stands (`true`), or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        self.server.signal(if frozen { "STOP" } else { "CONT" });
    }

    /// How often it was asked so, as its own metrics count it.
    pub fn reviews(&self) -> u64 {
        let metrics = self.ask("GET", "/metrics", None).text();
        let counted = metrics.lines().filter(|line| {
            line.starts_with("apiserver_request_total{")
                && line.contains("resource=\"tokenreviews\"")
        });
        let numbers = counted.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
        numbers.sum()
    }

    fn make(&self, path: &str, object: &Value) -> Value {
        let made = self.ask("POST", path, Some(object));
        assert_eq!(made.status, 201, "{path}: {}", made.text());
        made.json()
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let request = Request::new(method, path).host("localhost").bearer(ADMIN);
        let request = request.header("connection", "close");
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => request,
        };
        let exchanged = raw::connect(self.address).and_then(|stream| {
            let stream = self.authority.connect(stream, None);
            raw::exchange(stream.map_err(std::io::Error::other)?, &request.bytes())
        });
        exchanged.unwrap_or_default()
    }
}
