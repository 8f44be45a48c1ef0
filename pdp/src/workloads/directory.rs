//! All client workloads, found by attested attributes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use thiserror::Error;

use super::admission::{MAX_NAMES, NotAdmitted};
use super::index::Index;
use super::selectors::Selectors;
use super::{ClientWorkload, WorkloadName};
use crate::attestation::{Attributes, ProviderName};

/// The most client workloads.
pub const MAX_WORKLOADS: usize = 250_000;
/// The most workloads of one provider that two of their selectors may not tell apart: so many are
/// looked at one after the other.
pub const MAX_CROWD: usize = 256;

/// All client workloads. Built once; another configuration is another value.
#[derive(Debug, Default)]
pub struct ClientWorkloads {
    all: Vec<Arc<ClientWorkload>>,
    names: HashMap<WorkloadName, usize>,
    providers: BTreeMap<ProviderName, Index>,
}

/// Workloads that cannot be told apart, or found.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WorkloadsError {
    /// More than [`MAX_WORKLOADS`].
    #[error("more than {MAX_WORKLOADS} client workloads")]
    TooMany,
    /// A name that another workload has.
    #[error("two client workloads are named `{0}`")]
    SameName(WorkloadName),
    /// The same selectors for the same provider.
    #[error(
        "`{first}` and `{second}` have the same provider and selectors: nobody could tell which of them it is; give one of them another attribute"
    )]
    SameSelectors {
        /// The one that comes first.
        first: WorkloadName,
        /// The other one.
        second: WorkloadName,
    },
    /// More than [`MAX_CROWD`] that differ only by patterns which begin alike.
    #[error(
        "{count} client workloads of `{provider}` (`{first}` and `{second}` among them) are told apart by patterns only that begin alike, and each would be tried for every caller; at most {MAX_CROWD} may be: give them an attribute with an exact value (an id), or patterns that begin with other texts"
    )]
    Crowd {
        /// Whose they are.
        provider: ProviderName,
        /// How many.
        count: usize,
        /// The one that comes first.
        first: WorkloadName,
        /// The next one.
        second: WorkloadName,
    },
}

impl ClientWorkloads {
    /// Indexes workloads. Returns all that is wrong with them.
    pub fn new(workloads: Vec<ClientWorkload>) -> Result<Self, Vec<WorkloadsError>> {
        if workloads.len() > MAX_WORKLOADS {
            return Err(vec![WorkloadsError::TooMany]);
        }
        let mut problems = same_names(&workloads);
        problems.extend(same_selectors(&workloads));
        let mut by_provider: BTreeMap<&ProviderName, Vec<(usize, &Selectors)>> = BTreeMap::new();
        for (number, workload) in workloads.iter().enumerate() {
            let of_provider = by_provider.entry(&workload.provider).or_default();
            of_provider.push((number, &workload.selectors));
        }
        let mut providers = BTreeMap::new();
        for (provider, selectors) in by_provider {
            match Index::new(&selectors, MAX_CROWD) {
                Ok(index) => {
                    providers.insert(provider.clone(), index);
                }
                Err(crowd) => problems.extend(crowded(provider, &crowd.workloads, &workloads)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let names = workloads.iter().enumerate();
        let names = names.map(|(number, workload)| (workload.name.clone(), number));
        Ok(Self {
            names: names.collect(),
            all: workloads.into_iter().map(Arc::new).collect(),
            providers,
        })
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &ClientWorkload> {
        self.all.iter().map(Arc::as_ref)
    }

    /// The workload of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<ClientWorkload>> {
        let number = *self.names.get(name)?;
        self.all.get(number)
    }

    /// The workload that has these attributes, by the word of `provider`.
    ///
    /// Where several have, it is the one whose selectors imply those of all others: who that is, is
    /// each of the others as well, and more. Where there is no such one, it is nobody.
    pub fn find(
        &self,
        provider: &ProviderName,
        attributes: &Attributes,
    ) -> Result<&Arc<ClientWorkload>, NotAdmitted> {
        let index = self.providers.get(provider).ok_or(NotAdmitted::Unknown)?;
        let candidates = index.candidates(attributes).into_iter();
        let recognised: Vec<&Arc<ClientWorkload>> = candidates
            .filter_map(|number| self.all.get(number))
            .filter(|workload| workload.selectors.hold(attributes))
            .collect();
        let workload = most_specific(&recognised)?;
        let outside = workload
            .environment
            .as_ref()
            .and_then(|environment| environment.first_that_fails(attributes));
        if let Some(selector) = outside {
            return Err(NotAdmitted::Environment {
                workload: workload.name.clone(),
                attribute: selector.name().to_owned(),
            });
        }
        Ok(workload)
    }
}

/// The one whose selectors imply those of all others.
fn most_specific<'w>(
    recognised: &[&'w Arc<ClientWorkload>],
) -> Result<&'w Arc<ClientWorkload>, NotAdmitted> {
    let (first, others) = recognised.split_first().ok_or(NotAdmitted::Unknown)?;
    // Whoever implies all others is left standing by one pass: it beats whom it meets, and nobody
    // beats it, unless each implies the other.
    let best = others.iter().fold(first, |best, other| {
        if best.selectors.imply(&other.selectors) {
            best
        } else {
            other
        }
    });
    let is_alone = recognised.iter().all(|other| {
        best.name == other.name
            || best.selectors.imply(&other.selectors) && !other.selectors.imply(&best.selectors)
    });
    if is_alone {
        return Ok(best);
    }
    let names = recognised.iter().take(MAX_NAMES);
    Err(NotAdmitted::Ambiguous {
        names: names.map(|workload| workload.name.clone()).collect(),
        more: recognised.len().saturating_sub(MAX_NAMES),
    })
}

fn same_names(workloads: &[ClientWorkload]) -> Vec<WorkloadsError> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for workload in workloads {
        let times = seen.entry(&workload.name).or_insert(0_usize);
        *times += 1;
        if *times == 2 {
            problems.push(WorkloadsError::SameName(workload.name.clone()));
        }
    }
    problems
}

fn same_selectors(workloads: &[ClientWorkload]) -> Vec<WorkloadsError> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for workload in workloads {
        let recognised_by = (&workload.provider, &workload.selectors);
        let first = *seen.entry(recognised_by).or_insert(&workload.name);
        if *first != workload.name {
            problems.push(WorkloadsError::SameSelectors {
                first: first.clone(),
                second: workload.name.clone(),
            });
        }
    }
    problems
}

fn crowded(
    provider: &ProviderName,
    crowd: &[usize],
    workloads: &[ClientWorkload],
) -> Option<WorkloadsError> {
    let mut named = crowd.iter().filter_map(|number| workloads.get(*number));
    Some(WorkloadsError::Crowd {
        provider: provider.clone(),
        count: crowd.len(),
        first: named.next()?.name.clone(),
        second: named.next()?.name.clone(),
    })
}

#[cfg(test)]
#[path = "directory_tests/mod.rs"]
mod tests;
