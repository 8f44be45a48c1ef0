//! The servers behind Envoy, each a process of its own on the other core: the rival's decision
//! service (it always allows), and Edgeward's PDP. A server ends when its value is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use envoy_types::ext_authz::v3::pb::{
    Authorization, AuthorizationServer, CheckRequest, CheckResponse,
};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

use crate::Outcome;
use crate::machine::OTHER_CORE;

/// A process that lives as long as this value.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts a command on the other core; what it prints goes to `log`.
    pub fn start(command: &Command, log: &Path) -> Outcome<Self> {
        Self::start_on(OTHER_CORE, command, log)
    }

    /// Starts a command on these cores.
    pub fn start_on(cores: &str, command: &Command, log: &Path) -> Outcome<Self> {
        let output = File::create(log)?;
        // Pinned before it starts, so that every thread it makes is.
        let mut pinned = Command::new("taskset");
        pinned
            .args(["-c", cores])
            .arg(command.get_program())
            .args(command.get_args());
        pinned.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let child = pinned
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves `envoy.service.auth.v3.Authorization` on loopback until killed: every request is allowed
/// without a look at it, so that what is measured is what asking costs.
pub fn always_allow(port: u16) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let service = TowerToHyperService::new(AuthorizationServer::new(AlwaysAllow));
                // A connection that breaks is Envoy's to open again.
                let _ = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

/// OPA's server, where `./just setup-opa` or the machine brought one.
pub fn opa_binary() -> Option<PathBuf> {
    let local = PathBuf::from(".tools/bin/opa");
    let folders = std::env::var_os("PATH")?;
    let on_path = std::env::split_paths(&folders).map(|path| path.join("opa"));
    on_path.chain([local]).find(|path| path.is_file())
}

/// Starts OPA with a policy as small as Edgeward's in the same run.
pub fn opa(binary: &Path, folder: &Path, port: u16) -> Outcome<Server> {
    let policy = folder.join("opa.rego");
    std::fs::write(
        &policy,
        "package edgeward\n\ndefault decide := false\n\n\
         decide if {\n\tinput.method in {\"GET\", \"HEAD\"}\n\
         \tsome prefix in [\"/reports/\", \"/orders/\", \"/decide\"]\n\
         \tstartswith(input.path, prefix)\n}\n",
    )?;
    let mut command = Command::new(binary);
    // One thread for its code, as the PDP has one worker.
    command
        .env("GOMAXPROCS", "1")
        .args(["run", "--server", "--log-level", "error", "--addr"]);
    command.arg(format!("127.0.0.1:{port}")).arg(policy);
    Server::start(&command, &folder.join("opa.log"))
}

struct AlwaysAllow;

#[tonic::async_trait]
impl Authorization for AlwaysAllow {
    async fn check(&self, _: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        // Without a denied response, status code 0 is an allow.
        let status = Some(envoy_types::pb::google::rpc::Status::default());
        Ok(Response::new(CheckResponse {
            status,
            ..CheckResponse::default()
        }))
    }
}
