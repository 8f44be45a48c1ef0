//! `./just bench-edge`: Edgeward and its rivals in one Envoy, in one run. Builds nothing itself; the
//! recipe has built what it measures. Exit code 0 says that everything was measured, not that every
//! line was met: `target/bench/edge.json` says that.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use edgeward_benches::config::{Endpoint, Listener, Protocol, bootstrap, cluster};
use edgeward_benches::edgeward::{self, HIT, TRANSPORTS};
use edgeward_benches::envoy::Envoy;
use edgeward_benches::lines;
use edgeward_benches::machine;
use edgeward_benches::memory::{Memory, Scale};
use edgeward_benches::options::Options;
use edgeward_benches::report::{Results, lines_table};
use edgeward_benches::rounds::{self, Bench};
use edgeward_benches::servers::{self, Server};
use edgeward_benches::tokens::{Algorithm, Issuer};
use edgeward_benches::variant::{EDGEWARD, Tokens};
use edgeward_benches::{Outcome, ready, rivals};
use serde_json::{Value, json};

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, port] = &arguments[..]
        && command == "serve-always-allow"
    {
        return servers::always_allow(port.parse()?);
    }
    Run::prepare(Options::parse(&arguments)?)?.measure()
}

/// Everything that is made before the first request.
struct Run {
    options: Options,
    folder: tempfile::TempDir,
    modules: PathBuf,
    issuer: Issuer,
    clusters: Vec<Value>,
    servers: Vec<Server>,
}

impl Run {
    fn prepare(options: Options) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs();
        let issuer = Issuer::new(now)?;
        let target = std::env::current_exe()?
            .ancestors()
            .nth(2)
            .ok_or("no target")?
            .to_path_buf();
        let modules = target.join("wasm32-unknown-unknown/wasm");

        let port = ready::free_port()?;
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.args(["serve-always-allow", &port.to_string()]);
        let mut servers = vec![Server::start(&command, &folder.path().join("rival.log"))?];
        let mut clusters = vec![cluster(
            "always-allow",
            Endpoint::Tcp(port),
            Protocol::Http2,
        )];
        if let Some(binary) = servers::opa_binary() {
            let port = ready::free_port()?;
            servers.push(servers::opa(&binary, folder.path(), port)?);
            clusters.push(cluster("opa", Endpoint::Tcp(port), Protocol::Http1));
        }
        if options.with_edgeward {
            let (port, socket) = (ready::free_port()?, folder.path().join("pdp.sock"));
            servers.push(edgeward::start_pdp(
                folder.path(),
                port,
                &socket,
                &issuer.jwks(),
            )?);
            clusters.extend(edgeward::clusters(port, &socket));
            let patience = Duration::from_secs(20);
            ready::wait_for(port, "/health/ready", None, 200, patience).map_err(|error| {
                let log = fs::read_to_string(folder.path().join("pdp.log")).unwrap_or_default();
                format!("{error}\n{log}")
            })?;
        }
        let run = Self {
            options,
            folder,
            modules,
            issuer,
            clusters,
            servers,
        };
        run.write_tokens()?;
        Ok(run)
    }

    /// One file per kind of token that some variant sends.
    fn write_tokens(&self) -> Outcome<()> {
        for variant in self.options.variants() {
            let path = token_file(self.folder.path(), variant.tokens);
            if path.exists() {
                continue;
            }
            let pool = self.options.pool;
            let tokens = match variant.tokens {
                Tokens::One(algorithm) => self.issuer.mint(algorithm, 1)?,
                Tokens::Distinct(algorithm) => {
                    eprintln!("minting {pool} {} tokens", algorithm.name());
                    self.issuer.mint(algorithm, pool)?
                }
                Tokens::OneForged(algorithm) => self.issuer.forge(algorithm, 1)?,
                Tokens::Forged(algorithm) => self.issuer.forge(algorithm, pool)?,
            };
            fs::write(path, tokens.join("\n") + "\n")?;
        }
        Ok(())
    }

    fn measure(self) -> Outcome<()> {
        let variants = self.options.variants();
        let tokens = |kind| token_file(self.folder.path(), kind);
        let listeners = self.listeners()?;
        let admin_port = ready::free_port()?;
        let bootstrap = bootstrap(admin_port, &listeners, &self.clusters);
        let envoy = Envoy::start(&bootstrap, admin_port, 1, self.folder.path())?;
        let bench = Bench {
            envoy: &envoy,
            worker: envoy.pin_worker()?,
            servers: self.servers.iter().map(Server::pid).collect(),
            ports: listeners
                .iter()
                .map(|listener| (listener.name, listener.port))
                .collect(),
            script: rounds::write_script(self.folder.path())?,
            tokens: &tokens,
        };
        bench.check(&variants)?;
        let samples = bench.run(&variants, self.options.plan)?;
        let script = bench.script.clone();
        drop(envoy);

        let results = Results::new(
            variants.iter().map(|variant| variant.name).collect(),
            samples,
        );
        let memory = self.weigh(&script, &tokens)?;
        self.report(&results, memory)
    }

    fn listeners(&self) -> Outcome<Vec<Listener>> {
        let jwks = self.issuer.jwks();
        let examples = self.modules.join("examples");
        let token = fs::read_to_string(token_file(
            self.folder.path(),
            Tokens::One(Algorithm::Rs256),
        ))?;
        let mut filters = vec![
            ("none", vec![]),
            ("wasm-empty", vec![rivals::empty(&examples)]),
            ("wasm-floor", vec![rivals::floor(&examples, token.trim())]),
            (
                "wasm-callout",
                vec![rivals::callout(&examples, "always-allow")],
            ),
            ("jwt_authn", vec![rivals::jwt_authn(&jwks, None)]),
            (
                "jwt_authn-cached",
                vec![rivals::jwt_authn(&jwks, Some(1000))],
            ),
            ("ext_authz", vec![rivals::ext_authz("always-allow")]),
        ];
        if servers::opa_binary().is_some() {
            filters.push(("opa", vec![rivals::ext_authz_opa("opa")]));
        }
        if self.options.with_edgeward {
            let module = edgeward::module();
            filters.extend(TRANSPORTS.map(|name| (name, vec![edgeward::filter(&module, name)])));
            let hit = edgeward::filter_remembering(&module, HIT, TRANSPORTS[1], 1 << 20);
            filters.push((HIT, vec![hit]));
        }
        filters
            .into_iter()
            .map(|(name, filters)| {
                Ok(Listener {
                    name,
                    port: ready::free_port()?,
                    filters,
                })
            })
            .collect()
    }

    /// Only where both filters are there to be weighed.
    fn weigh(&self, script: &Path, tokens: &dyn Fn(Tokens) -> PathBuf) -> Outcome<Option<Memory>> {
        if !self.options.with_edgeward || !self.options.only.is_empty() {
            return Ok(None);
        }
        eprintln!("weighing the virtual machines");
        let variant = *EDGEWARD
            .iter()
            .find(|variant| variant.name == "edgeward-first-ES256")
            .ok_or("no variant to weigh with")?;
        let scale = |filter| Scale {
            folder: self.folder.path(),
            clusters: &self.clusters,
            filter,
            variant,
            script,
            tokens,
            duration: self.options.plan.duration,
        };
        let module = edgeward::module();
        let times = self.options.weighings;
        Ok(Some(Memory {
            empty: scale(rivals::empty(&self.modules.join("examples"))).weigh(times)?,
            edgeward: scale(edgeward::filter(&module, TRANSPORTS[0])).weigh(times)?,
        }))
    }

    fn report(&self, results: &Results, memory: Option<Memory>) -> Outcome<()> {
        let module = edgeward::module();
        let bytes = fs::metadata(module).ok().map(|file| file.len());
        let lines = lines::lines(results, bytes.map(edgeward_benches::load::as_f64), memory);
        let versions: HashMap<&str, String> = HashMap::from([
            (
                "edgeward",
                machine::first_line_of("git", &["describe", "--always", "--dirty"]),
            ),
            (
                "envoy",
                machine::first_line_of(&Envoy::binary().to_string_lossy(), &["--version"]),
            ),
            ("rustc", machine::first_line_of("rustc", &["--version"])),
            ("wrk", machine::first_line_of("wrk", &["--version"])),
        ]);
        let report = json!({
            "machine": machine::describe(),
            "versions": versions,
            "rounds": self.options.plan.rounds,
            "seconds": self.options.plan.duration.as_secs(),
            "filter_bytes": bytes,
            "vm_memory_bytes": memory,
            "lines": lines,
            "variants": results.json(),
        });
        let path = Path::new("target/bench/edge.json");
        fs::create_dir_all("target/bench")?;
        fs::write(path, serde_json::to_vec_pretty(&report)?)?;
        println!(
            "{}\n{}\n{}",
            results.table(),
            lines_table(&lines),
            path.display()
        );
        Ok(())
    }
}

fn token_file(folder: &Path, tokens: Tokens) -> PathBuf {
    folder.join(format!("{tokens:?}.tokens"))
}
