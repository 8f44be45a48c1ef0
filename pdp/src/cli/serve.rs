//! `edgeward serve`, and `edgeward` alone: configuration → keys → policies → service → drain.
//!
//! Nothing listens before everything has been read and found good. What this is not: the service
//! itself; this file only puts the rooms together.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::{info, warn};

use super::instant::Instant;
use super::inventory_keeping::{self, Kept};
use super::signals::Signals;
use super::telemetry::{self, LogFormat};
use super::token_issuing::{self, OwnBundleFeed};
use super::welcome;
use super::{Failure, Verdict, check, tls_files};
use crate::atoms::Atoms;
use crate::bundle::Bundles;
use crate::cache::DecisionCache;
use crate::config::{Config, ConfigError, Field, Listener, PolicySource, Problem};

use crate::keys::Keyring;
use crate::policy::PolicyStore;
use crate::revocation::{Lifetimes, RevocationStore};
use crate::service::metrics::Metrics;
use crate::service::{self, Bound, Ended, ListenAddress, ServiceSettings, ServiceState};
use crate::token_service::TokenService;
use crate::token_service::keys::Clock;

/// Arguments of `edgeward serve` and of `edgeward` alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward serve                              127.0.0.1:8181, the embedded example policy
  edgeward serve --config edgeward.yaml
  edgeward serve --config edgeward.yaml --log-format json --log debug

SIGTERM and SIGINT stop it: requests in flight are answered first, for as long as `limits.drain`.
A second signal stops it at once.")]
pub(super) struct Arguments {
    /// The configuration. Default: loopback, the embedded example policy, no issuer
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to log. Default: text on a terminal, else JSON
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// What to log: a level, or directives such as `info,edgeward::keys=debug`
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let config = load(arguments.config.as_deref())?;
    telemetry::start(arguments.log_format, &arguments.log)?;
    // The workers have threads and runtimes of their own; this one fetches keys and waits.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(arguments.config.as_deref(), config))
}

fn load(file: Option<&Path>) -> Result<Config, Failure> {
    let refused = |problems| refused(file, problems);
    let config = match file {
        Some(file) => Config::load(file)?,
        None => Config::standalone().map_err(refused)?,
    };
    let problems = check::files(&config);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(refused(problems))
    }
}

pub(super) fn refused(file: Option<&Path>, problems: Vec<Problem>) -> Failure {
    let file = file
        .unwrap_or(Path::new("built-in configuration"))
        .to_owned();
    ConfigError::Refused { file, problems }.into()
}

async fn serve(file: Option<&Path>, config: Config) -> Result<Verdict, Failure> {
    // Installed first: a signal during start-up must not be lost.
    let mut signals = Signals::listen()?;
    let (policies, bundles) = open_policies(file, &config)?;
    let clock = Clock::start();
    let inventory = inventory_keeping::open(file, &config)?;
    let token_service = token_issuing::open(file, &config, inventory.as_ref(), clock)?;
    let own_bundle = token_service.as_ref().map(OwnBundleFeed::of);
    let keys = match &own_bundle {
        Some(feed) => config.keys.clone().with_own_bundle(&feed.bundle),
        None => config.keys.clone(),
    };
    let keyring = Keyring::open(keys).map_err(|error| Failure::new(error.to_string()))?;
    let keyring = Arc::new(keyring);
    let cache = Arc::new(DecisionCache::new(&config.cache));
    let revocations = Arc::new(open_revocations(file, &config)?);
    let atoms = Arc::new(open_atoms(file, &config)?);
    let mut metrics = Metrics::new(
        policies.subscribe(),
        Arc::clone(&keyring),
        Arc::clone(&cache),
    );
    if let Some(bundles) = &bundles {
        metrics.tell_of_bundles(Arc::clone(bundles));
    }
    metrics
        .registry_mut()
        .register("revocations", "Revocations in force", revocations.gauge());
    let state = ServiceState {
        policies: policies.subscribe(),
        keys: Arc::clone(&keyring),
        atoms: Arc::clone(&atoms),
        cache,
        revocations: Arc::clone(&revocations),
        bundles: bundles.clone(),
        token_service: token_service.clone(),
        inventory: inventory.clone(),
        metrics: Arc::new(metrics),
    };
    let kept = inventory.map(|inventory| Kept::start(inventory, &state.metrics));
    let settings = service_settings(&config, token_service.as_ref())?;
    let bound = service::bind(settings, state).map_err(|error| {
        Failure::new(format!(
            "{error}: stop what listens there, or name another place under `listen`"
        ))
    })?;
    let tasks = (
        keyring.start(),
        bundles.map(|bundles| bundles.start(|| Instant::now().0)),
        token_service.map(|service| token_issuing::start(&service, clock)),
        own_bundle.map(OwnBundleFeed::start),
    );
    let expiry = tokio::spawn(revocations.keep_expiring(|| Instant::now().0));
    let countries = tokio::spawn(atoms.follow());
    announce(&bound, &config);
    let ended = until_stopped(bound, &mut signals).await;
    expiry.abort();
    countries.abort();
    drop((tasks, kept));
    ended
}

/// The policies to begin with: what there is, or a deny of everything until the bundles come.
fn open_policies(
    file: Option<&Path>,
    config: &Config,
) -> Result<(Arc<PolicyStore>, Option<Arc<Bundles>>), Failure> {
    let refused = |error: &dyn std::fmt::Display| {
        let field = Field::default().key("policies");
        refused(file, vec![check::problem(field, &error)])
    };
    let settings = config.policies.settings();
    let Some(bundles) = config.policies.bundles() else {
        let policies = PolicyStore::open(settings).map_err(|error| refused(&error))?;
        let policies = Arc::new(policies);
        if config.policies.watch {
            policies
                .watch()
                .map_err(|error| Failure::new(error.to_string()))?;
        }
        return Ok((policies, None));
    };
    let policies = PolicyStore::withholding(settings).map_err(|error| refused(&error))?;
    let policies = Arc::new(policies);
    let bundles = Bundles::open(bundles.clone(), Arc::clone(&policies), Instant::now().0);
    let bundles = bundles.map_err(|error| refused(&error))?;
    Ok((policies, Some(Arc::new(bundles))))
}

fn open_atoms(file: Option<&Path>, config: &Config) -> Result<Atoms, Failure> {
    Atoms::open(&config.atoms).map_err(|error| {
        let field = Field::default().key("country_database");
        refused(file, vec![check::problem(field, &error)])
    })
}

fn open_revocations(file: Option<&Path>, config: &Config) -> Result<RevocationStore, Failure> {
    let Some(revocations) = &config.revocations else {
        return Ok(RevocationStore::closed());
    };
    let lifetimes = Lifetimes::of(&config.keys);
    let opened = RevocationStore::open(&revocations.directory, lifetimes, Instant::now().0);
    opened.map_err(|error| {
        let problem = Problem {
            field: Field::default().key("revocations").key("directory"),
            message: error.to_string(),
            line: None,
        };
        refused(file, vec![problem])
    })
}

fn service_settings(
    config: &Config,
    service: Option<&Arc<TokenService>>,
) -> Result<ServiceSettings, Failure> {
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        listeners.push(match listener {
            Listener::Tcp { address, tls } => service::Listener {
                address: ListenAddress::Tcp(*address),
                tls: tls
                    .as_ref()
                    .map(|files| tls_files::load(files, service))
                    .transpose()
                    .map_err(|error| Failure::new(error.to_string()))?,
                is_for_tokens: tls.as_ref().is_some_and(|tls| tls.client_svids),
            },
            Listener::Unix { path, mode } => service::Listener::plain(ListenAddress::Unix {
                path: path.clone(),
                mode: *mode,
            }),
        });
    }
    Ok(ServiceSettings {
        listeners,
        admin: config.admin,
        workers: config.workers,
        limits: config.limits,
        cache: config.cache,
        sync_max_wait: config.sync_max_wait,
        public_url: config.public_url.clone(),
        ext_authz: config.ext_authz.clone(),
        administrators: config
            .revocations
            .as_ref()
            .map(|revocations| revocations.administrators.clone())
            .unwrap_or_default(),
        opa_api: config.opa_api.clone(),
        searches: config.searches.clone(),
    })
}

fn announce(bound: &Bound, config: &Config) {
    for address in bound.addresses() {
        info!(%address, "listening");
    }
    let example = config.policies.source == PolicySource::Example;
    if let Some(text) = welcome::text(bound.addresses(), &config.listeners, example) {
        // Whoever closed standard output does not want to read it.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }
}

async fn until_stopped(bound: Bound, signals: &mut Signals) -> Result<Verdict, Failure> {
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = bound.serve(async {
        // A sender that is gone is a reason to stop as well.
        let _ = stopped.await;
    });
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        name = signals.next() => {
            info!(signal = name, "asked to stop");
            let _ = stop.send(());
            tokio::select! {
                ended = &mut serving => ended,
                name = signals.next() => {
                    warn!(signal = name, "stopping at once");
                    return Ok(Verdict::Yes);
                }
            }
        }
    };
    match ended.map_err(|error| Failure::new(error.to_string()))? {
        Ended::Drained => info!("stopped: everything in flight was answered"),
        Ended::CutOff(connections) => warn!(connections, "stopped: the drain deadline passed"),
    }
    Ok(Verdict::Yes)
}
