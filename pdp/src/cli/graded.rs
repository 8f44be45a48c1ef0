//! How safely the client workloads of a configuration are bound to their identities, for
//! `edgeward check`.
//!
//! What this is not: a mistake in the configuration. It would serve, whatever is said here.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::attestation::ProviderName;
use crate::config::Config;
use crate::workloads::grade::{Grade, Grading, ProviderKind, grade, worst};

/// One client workload.
#[derive(Debug, Serialize)]
pub(super) struct Graded {
    name: String,
    grade: Grade,
    findings: Vec<Grading>,
}

/// All of them, in the order of the configuration.
pub(super) fn graded(config: &Config) -> Vec<Graded> {
    let Some(service) = &config.token_service else {
        return Vec::new();
    };
    let jwt = service.attestation.jwt.iter();
    let jwt = jwt.map(|provider| (&provider.name, provider.platform.into()));
    let others = service.attestation.evidence.iter();
    let others = others.map(|(name, settings)| (name, settings.kind().into()));
    let introspected = service.attestation.introspection.iter();
    let introspected = introspected.map(|(name, _)| (name, ProviderKind::Oidc));
    let kinds: BTreeMap<&ProviderName, ProviderKind> =
        jwt.chain(others).chain(introspected).collect();
    let workloads = service.workloads.iter();
    workloads
        .filter_map(|workload| {
            let findings = grade(workload, *kinds.get(&workload.provider)?);
            Some(Graded {
                name: workload.name.to_string(),
                grade: worst(&findings),
                findings,
            })
        })
        .collect()
}

/// A line for each finding.
pub(super) fn lines(graded: &[Graded]) -> impl Iterator<Item = String> {
    graded.iter().flat_map(|one| {
        let findings = one.findings.iter();
        findings.map(|finding| format!("client_workloads, `{}`: {finding}", one.name))
    })
}

/// How many workloads there are, and how many of each grade; nothing where there are none.
pub(super) fn summary(graded: &[Graded]) -> Option<String> {
    let of = |grade| graded.iter().filter(|one| one.grade == grade).count();
    let counts = [Grade::Safe, Grade::Caution, Grade::Dangerous]
        .map(|grade| (of(grade), grade))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, grade)| format!("{count} {grade}"));
    let counts: Vec<String> = counts.collect();
    let workloads = match graded.len() {
        0 => return None,
        1 => "1 client workload".to_owned(),
        many => format!("{many} client workloads"),
    };
    Some(format!("{workloads} ({})", counts.join(", ")))
}
