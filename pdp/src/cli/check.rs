//! `edgeward check`: would this configuration serve? Every mistake in it, and in the files it
//! points to, by file, field and fix.
//!
//! What this is not: a test of what lies beyond this machine; nothing is fetched.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::chosen_policy::evaluated_by;
use super::graded::{self, Graded, graded};
use super::instant::Instant;
use super::output::{OutputFormat, printable};
use super::{Failure, Verdict, tls_files};
use crate::atoms::Atoms;
use crate::attestation::evidence::EvidenceProviders;
use crate::bundle::{self, LocalError};
use crate::config::{Config, ConfigError, Field, Listener, Problem};
use crate::keys::{CacheSettings, KeySettings, Keyring, KeyringError};
use crate::policy::PolicySet;
use crate::revocation;

/// Arguments of `edgeward check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward check --config edgeward.yaml
  edgeward check --config edgeward.yaml --output json

Exit code 2 when there is a mistake. Policies are compiled and their own tests are run.
Client workloads are graded by how safely their selectors bind: safe, caution, dangerous.")]
pub(super) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How to answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let file = &arguments.config;
    let checked = Config::load(file).and_then(|config| {
        let refused = |problems| ConfigError::Refused {
            file: file.clone(),
            problems,
        };
        let set = beyond_the_file(&config).map_err(refused)?;
        Ok((config, set))
    });
    let mut out = std::io::stdout().lock();
    match (arguments.output, checked) {
        (OutputFormat::Text, Ok((config, set))) => {
            for warning in warnings(&config) {
                eprintln!("{}: warning: {warning}", file.display());
            }
            let graded = graded(&config);
            for line in graded::lines(&graded) {
                eprintln!("{}: {}", file.display(), printable(&line));
            }
            let policies = match &set {
                Some(set) => format!("policies in {}", evaluated_by(set)),
                None => "policies in bundles, which are not fetched here".to_owned(),
            };
            let policies = printable(&policies);
            let summary = summary(&config, &graded);
            writeln!(out, "{}: ok: {summary}; {policies}", file.display())?;
            Ok(Verdict::Yes)
        }
        (OutputFormat::Json, Ok((config, set))) => {
            let graded = graded(&config);
            writeln!(out, "{}", answer(file, &[], set.as_deref(), &graded))?;
            Ok(Verdict::Yes)
        }
        (OutputFormat::Json, Err(ConfigError::Refused { problems, .. })) => {
            writeln!(out, "{}", answer(file, &problems, None, &[]))?;
            Err(Failure::said_already())
        }
        (_, Err(error)) => Err(error.into()),
    }
}

fn summary(config: &Config, graded: &[Graded]) -> String {
    let count = |number: usize, one: &str| {
        if number == 1 {
            format!("1 {one}")
        } else {
            format!("{number} {one}s")
        }
    };
    let atoms = &config.atoms;
    let (networks, routes) = (atoms.networks, atoms.definitions.routes.len());
    let mut parts = vec![
        count(config.listeners.len(), "listener"),
        count(config.keys.issuers.len(), "issuer"),
        count(config.keys.trust_domains.len(), "trust domain"),
    ];
    let named = [
        (networks, "network"),
        (routes, "route"),
        (atoms.schedules.len(), "schedule"),
    ];
    let named = named.into_iter().filter(|(number, _)| *number > 0);
    parts.extend(named.map(|(number, one)| count(number, one)));
    parts.extend(graded::summary(graded));
    parts.join(", ")
}

fn answer(file: &Path, problems: &[Problem], set: Option<&PolicySet>, graded: &[Graded]) -> Value {
    let listed: Vec<Value> = problems
        .iter()
        .map(|problem| {
            json!({
                "field": problem.field.as_str(),
                "message": problem.message,
                "line": problem.line,
            })
        })
        .collect();
    let result = if problems.is_empty() { "ok" } else { "refused" };
    json!({
        "result": result,
        "file": file.display().to_string(),
        "problems": listed,
        "engine": set.map(PolicySet::engine),
        "interpreted": set.and_then(PolicySet::interpreted).map(ToString::to_string),
        "client_workloads": graded,
    })
}

/// What is wrong with the files that the configuration points to, with what is kept of revocations,
/// and with the policies.
fn beyond_the_file(config: &Config) -> Result<Option<Arc<PolicySet>>, Vec<Problem>> {
    let mut problems = files(config);
    if let Err(error) = Atoms::open(&config.atoms) {
        let field = Field::default().key("country_database");
        problems.push(problem(field, &error));
    }
    if let Some(revocations) = &config.revocations
        && let Err(error) = revocation::check(&revocations.directory)
    {
        let field = Field::default().key("revocations").key("directory");
        problems.push(problem(field, &error));
    }
    match policies(config) {
        Ok(set) if problems.is_empty() => return Ok(set),
        Ok(_) => {}
        Err(problem) => problems.push(problem),
    }
    Err(problems)
}

/// The policies that would decide; none where their bundles are still to be fetched.
fn policies(config: &Config) -> Result<Option<Arc<PolicySet>>, Problem> {
    let field = Field::default().key("policies");
    let settings = config.policies.settings();
    let Some(bundles) = config.policies.bundles() else {
        let set = PolicySet::load(&settings).map_err(|error| problem(field, &error))?;
        return Ok(Some(Arc::new(set)));
    };
    bundle::check(bundles, settings, Instant::now().0).map_err(|error| {
        let field = match &error {
            LocalError::Bundle(name, _) => field.key("bundles").key(name.as_str()),
            LocalError::Policies(_) | LocalError::Disk(_) => field,
        };
        problem(field, &error)
    })
}

/// What is wrong with the certificates and keys that the configuration points to.
pub(super) fn files(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let listen = Field::default().key("listen");
    for (index, listener) in config.listeners.iter().enumerate() {
        if let Listener::Tcp {
            tls: Some(files), ..
        } = listener
            && let Err(error) = tls_files::load(files, None)
        {
            problems.push(problem(listen.index(index).key("tls"), &error));
        }
    }
    for (field, settings) in one_by_one(&config.keys) {
        if let Err(error) = Keyring::open(settings) {
            problems.push(problem(key_field(&field, &error), &error));
        }
    }
    problems.extend(evidence_files(config));
    problems
}

/// What is wrong with the files by which evidence is checked. Signing keys are not looked at: a first start
/// makes them.
fn evidence_files(config: &Config) -> Vec<Problem> {
    let Some(service) = config.token_service.clone() else {
        return Vec::new();
    };
    let field = || Field::default().key("trust_providers");
    let keys = KeySettings {
        cache: CacheSettings::default(),
        ..service.attestation.keys
    };
    let keys = Keyring::open(keys)
        .err()
        .map(|error| problem(field(), &error));
    let others = EvidenceProviders::open(service.attestation.evidence);
    let others = others.err().map(|error| problem(field(), &error));
    keys.into_iter().chain(others).collect()
}

/// Keys that are published but verify nothing: legal, and seldom meant.
fn warnings(config: &Config) -> Vec<String> {
    let opened = one_by_one(&config.keys)
        .into_iter()
        .filter_map(|(field, settings)| Some((field, Keyring::open(settings).ok()?)));
    let statuses = opened.flat_map(|(field, keyring)| {
        keyring
            .statuses()
            .into_iter()
            .map(move |status| (field.clone(), status))
    });
    statuses
        .flat_map(|(field, status)| {
            status.ignored.into_iter().map(move |key| {
                format!(
                    "{}: keys[{}] verifies nothing: {}",
                    field.as_str(),
                    key.index,
                    key.reason
                )
            })
        })
        .collect()
}

pub(super) fn problem(field: Field, error: &impl std::fmt::Display) -> Problem {
    Problem {
        field,
        message: error.to_string(),
        line: None,
    }
}

/// Each issuer and trust domain on its own, so that one broken file does not hide the next.
fn one_by_one(keys: &KeySettings) -> Vec<(Field, KeySettings)> {
    let root = Field::default();
    // Without the cache: a check leaves no traces.
    let alone = || KeySettings {
        cache: CacheSettings::default(),
        ..KeySettings::default()
    };
    let issuers = keys.issuers.iter().enumerate().map(|(index, issuer)| {
        let field = root.key("issuers").index(index);
        (
            field,
            KeySettings {
                issuers: vec![issuer.clone()],
                ..alone()
            },
        )
    });
    let trust_domains = keys
        .trust_domains
        .iter()
        .enumerate()
        .map(|(index, domain)| {
            let field = root.key("trust_domains").index(index);
            (
                field,
                KeySettings {
                    trust_domains: vec![domain.clone()],
                    ..alone()
                },
            )
        });
    issuers.chain(trust_domains).collect()
}

fn key_field(source: &Field, error: &KeyringError) -> Field {
    let of_issuer = source.as_str().starts_with("issuers");
    match error {
        KeyringError::Document { .. } => source.key(if of_issuer { "keys" } else { "bundle" }),
        KeyringError::Authorities { .. } => source.key("fetch").key("ca_file"),
        KeyringError::Discovery { .. } => source.key("issuer"),
        KeyringError::Twice(_) | KeyringError::Disk(_) => source.clone(),
    }
}
