//! A hundred thousand workloads of one provider, by about ten thousand different selectors; and the
//! attributes of whoever comes.

use std::collections::BTreeSet;

use edgeward::attestation::Attributes;
use edgeward::workloads::{ClientWorkload, ClientWorkloads, Grant, Selectors};

use super::Measured;

/// Namespaces, and service accounts in each: 99,856 workloads, told apart by both names only.
pub(crate) const SIDE: usize = 316;

/// What is written of one attribute: its name and the texts of its alternatives.
type Named = (&'static str, Vec<String>);

/// As in a cluster: nothing has an id of its own, and every selector is shared by hundreds.
pub(crate) fn grid() -> Measured<ClientWorkloads> {
    let mut all = Vec::with_capacity(SIDE * SIDE);
    for namespace in 0..SIDE {
        for account in 0..SIDE {
            all.push(workload(
                format!("w-{namespace}-{account}"),
                vec![
                    ("cluster", vec!["eu-1".to_owned()]),
                    ("namespace", vec![format!("team-{namespace}")]),
                    ("service_account", vec![format!("service-{account}")]),
                ],
            )?);
        }
    }
    ClientWorkloads::new(all).map_err(|problems| format!("{problems:?}"))
}

/// As in continuous integration: an id each, and a few patterns and references shared by all.
pub(crate) fn repositories() -> Measured<ClientWorkloads> {
    let mut all = Vec::with_capacity(100_000);
    for number in 0..90_000 {
        let reference = match number % 3 {
            0 => vec!["refs/heads/main".to_owned()],
            1 => vec![
                "refs/heads/main".to_owned(),
                "refs/heads/release-*".to_owned(),
            ],
            _ => vec!["refs/tags/v*".to_owned()],
        };
        let id = vec![(700_000 + number).to_string()];
        let named = vec![("repository_id", id), ("ref", reference)];
        all.push(workload(format!("r-{number}"), named)?);
    }
    for number in 0..10_000 {
        let path = vec![format!("group-{number}/**")];
        let reference = vec!["refs/heads/main".to_owned()];
        let named = vec![("repository", path), ("ref", reference)];
        all.push(workload(format!("g-{number}"), named)?);
    }
    ClientWorkloads::new(all).map_err(|problems| format!("{problems:?}"))
}

/// As many as may be, that only patterns with nothing in front tell apart: all are looked at.
pub(crate) fn crowd() -> Measured<ClientWorkloads> {
    let one = |number| {
        let named = vec![("service_account", vec![format!("*-of-team-{number}")])];
        workload(format!("c-{number}"), named)
    };
    let all: Measured<Vec<_>> = (0..edgeward::workloads::MAX_CROWD).map(one).collect();
    ClientWorkloads::new(all?).map_err(|problems| format!("{problems:?}"))
}

/// Attributes as a platform tells them, with a dozen that no selector asks for.
pub(crate) fn told(of: &[(&str, String)]) -> Measured<Attributes> {
    let mut attributes = Attributes::default();
    let others = (0..12).map(|number| (format!("other_{number}"), format!("value-{number}")));
    let of = of
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    for (name, value) in of.chain(others) {
        let told = attributes.tell(&name, value);
        told.map_err(|error| error.to_string())?;
    }
    Ok(attributes)
}

fn workload(name: String, named: Vec<Named>) -> Measured<ClientWorkload> {
    let named = named.into_iter();
    let named = named.map(|(name, texts)| (name.to_owned(), texts));
    let refused = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    Ok(ClientWorkload {
        spiffe_id: format!("spiffe://prod.example/{name}")
            .parse()
            .map_err(|error: edgeward_core::spiffe::SpiffeIdError| refused(&error))?,
        provider: "bench"
            .parse()
            .map_err(|error: edgeward::attestation::ProviderNameError| refused(&error))?,
        selectors: Selectors::new(named.collect()).map_err(|error| refused(&error))?,
        name: name
            .parse()
            .map_err(|error: edgeward::workloads::WorkloadNameError| refused(&error))?,
        environment: None,
        grant: Grant {
            audiences: vec!["orders".to_owned()],
            addressed_as: Vec::new(),
            acts_for: BTreeSet::new(),
            scopes: Vec::new(),
            lifetime: None,
            certificate_bound: false,
        },
    })
}
