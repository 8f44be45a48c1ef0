//! From a [`RawConfig`] to a [`Config`]: values, combinations, paths.
//!
//! Every function notes what is wrong and goes on, so that one run names every problem. What this
//! is not: I/O. Whether the files named exist is asked later.

mod atoms;
mod bundle_sources;
mod bundles;
mod cache;
mod client_workloads;
mod evidence;
mod ext_authz;
mod introspection;
mod inventory;
mod issuer_of;
mod keys;
mod kubernetes;
mod listen;
mod opa_api;
mod policies;
mod revocations;
mod scalar;
mod schedules;
mod searches;
mod sources;
mod static_keys;
mod token_service;
mod trust_providers;

use std::path::{Path, PathBuf};

use super::problem::{Field, Findings, Problem};
use super::{Config, Environment, RawConfig};
use crate::fetch::{Plaintext, SourceUrl};

/// What every check needs to know about the file.
struct Context<'a> {
    base: &'a Path,
    environment: Environment,
}

impl Context<'_> {
    /// `path` as seen from the file's folder.
    fn resolve(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }
}

/// Checks everything; the problems found are in the order of the file format's documentation.
pub(super) fn check(mut raw: RawConfig, base: &Path) -> Result<Config, Vec<Problem>> {
    let mut findings = Findings::default();
    let root = Field::default();
    let environment = environment(raw.environment.as_deref(), &root, &mut findings);
    let context = Context { base, environment };

    let atoms = atoms::atoms(&mut raw, &root, &context, &mut findings);
    let listeners = listen::listeners(raw.listen, &root.key("listen"), &context, &mut findings);
    let admin = listen::admin(raw.admin, &root.key("admin"), &listeners, &mut findings);
    let public_url = public_url(raw.public_url, &root.key("public_url"), &mut findings);
    let workers = policies::workers(raw.workers, &root.key("workers"), &mut findings);
    let mut policies =
        policies::policies(raw.policies, &root.key("policies"), &context, &mut findings);
    let limits = policies::limits(raw.limits, &root.key("limits"), &mut findings);
    policies.clock_quantum =
        cache::clock_quantum(raw.cache.as_ref(), &root.key("cache"), &mut findings);
    let cache = cache::cache(raw.cache, &root.key("cache"), &mut findings);
    let revocations = revocations::revocations(
        raw.revocations,
        &root.key("revocations"),
        &listeners,
        &context,
        &mut findings,
    );
    let opa_api = opa_api::opa_api(
        raw.opa_api,
        &root.key("opa_api"),
        &listeners,
        &context,
        &mut findings,
    );
    let searches = searches::searches(raw.searches, &root.key("searches"), &mut findings);
    let sync_max_wait = policies::sync_max_wait(raw.sync, &root.key("sync"), &mut findings);
    let has_keys = !raw.issuers.is_empty() || !raw.trust_domains.is_empty();
    let ext_authz = ext_authz::ext_authz(
        raw.ext_authz,
        has_keys,
        &root.key("ext_authz"),
        &mut findings,
    );
    let keys = keys::keys(
        keys::Parts {
            issuers: raw.issuers,
            trust_domains: raw.trust_domains,
            cache: raw.key_cache,
        },
        &root,
        &context,
        &mut findings,
    );

    let (attestation, providers) = trust_providers::trust_providers(
        raw.trust_providers,
        &keys.cache,
        &root.key("trust_providers"),
        &context,
        &mut findings,
    );
    listen::svid_listeners(&listeners, &attestation, &root, &mut findings);
    let has_operators = revocations.is_some();
    let inventory =
        inventory::inventory(raw.inventory, has_operators, &root, &context, &mut findings);
    let token_service = token_service::token_service(
        token_service::Parts {
            service: raw.token_service,
            attestation,
            providers,
            workloads: raw.client_workloads,
            public_url: public_url.as_deref(),
            trusted: &keys.trust_domains,
        },
        &root,
        &context,
        &mut findings,
    );

    let problems = findings.into_problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Config {
        environment,
        listeners,
        admin,
        public_url,
        workers,
        policies,
        limits,
        cache,
        revocations,
        opa_api,
        searches,
        sync_max_wait,
        ext_authz,
        atoms,
        keys,
        token_service,
        inventory,
    })
}

/// Production unless said otherwise: a forgotten line must not relax anything.
fn environment(raw: Option<&str>, root: &Field, findings: &mut Findings) -> Environment {
    match raw {
        None | Some("production") => Environment::Production,
        Some("development") => Environment::Development,
        Some(other) => {
            let message = format!("`{other}` is neither `production` nor `development`");
            findings.refuse(&root.key("environment"), message);
            Environment::Production
        }
    }
}

/// As callers compare it, to the letter: in the one spelling of URLs, without a slash at its end.
/// `AuthZEN` (section 9.1) allows it neither query nor fragment.
fn public_url(raw: Option<String>, field: &Field, findings: &mut Findings) -> Option<String> {
    let url = SourceUrl::parse(&raw?, Plaintext::Refused);
    let url = findings.accept(field, url)?;
    if url.as_url().query().is_some() {
        let message = "has a query (`?…`), which metadata must not have: remove it";
        findings.refuse(field, message.to_owned());
        return None;
    }
    Some(url.as_url().as_str().trim_end_matches('/').to_owned())
}

/// The name of the one choice made, or a problem that lists the choices.
fn exactly_one<T>(
    choices: Vec<(&'static str, Option<T>)>,
    field: &Field,
    findings: &mut Findings,
) -> Option<T> {
    let names: Vec<String> = choices
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let mut made: Vec<(&str, T)> = choices
        .into_iter()
        .filter_map(|(name, choice)| Some((name, choice?)))
        .collect();
    if made.len() > 1 {
        let both: Vec<String> = made.iter().map(|(name, _)| format!("`{name}`")).collect();
        findings.refuse(
            field,
            format!("has {}: keep exactly one", both.join(" and ")),
        );
        return None;
    }
    let only = made.pop();
    if only.is_none() {
        findings.refuse(
            field,
            format!("must have exactly one of {}", names.join(", ")),
        );
    }
    only.map(|(_, choice)| choice)
}
