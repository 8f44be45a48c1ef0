//! The index of one provider's workloads: which of them may have these attributes, found without
//! looking at the others.
//!
//! Each alternative of a selector has a *key*: attribute and exact value, or attribute and what all
//! values that it matches begin with. A workload is filed under the keys of the selector that it
//! shares with the fewest others, and there under those of the next such selector. So of ten
//! thousand workloads in one namespace only those are looked at that have the service account too.
//!
//! INVARIANT: a workload whose selectors hold is always among the candidates: one alternative of
//! each of its selectors matches, and by that the key of it is among those of the attributes.
//! Whether the selectors do hold is for the caller to see.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::pattern::Pattern;
use super::selectors::{Selector, Selectors};
use crate::attestation::Attributes;

/// A workload is filed under at the most so many pairs of keys; where it would be under more, it is
/// filed by one selector alone.
const MAX_PAIRS: usize = 128;

/// A key, as the number of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key(u32);

type Map<T> = HashMap<Box<str>, T, RandomState>;

/// What is filed under a key: by the second key that it needs, if any, in order.
type File = Vec<(Option<Key>, usize)>;

/// Workloads by the keys of what selects them.
#[derive(Debug, Default)]
pub(super) struct Index {
    names: Map<Values>,
    files: Vec<File>,
}

/// The keys of one attribute.
#[derive(Debug, Default)]
struct Values {
    exact: Map<Key>,
    /// In order of their texts.
    prefixes: Vec<Prefix>,
}

#[derive(Debug)]
struct Prefix {
    text: Box<str>,
    key: Key,
    /// The longest other one that this one begins with.
    shorter: Option<usize>,
}

/// Workloads that the index cannot tell apart, more than may be looked at one after the other.
pub(super) struct Crowd {
    /// As many as are filed under the same keys.
    pub(super) workloads: Vec<usize>,
}

impl Index {
    /// Files the selectors of workloads, each under the workload's number; refuses where more than
    /// `most` would be found together.
    pub(super) fn new(workloads: &[(usize, &Selectors)], most: usize) -> Result<Self, Crowd> {
        let mut keys = Keys::default();
        let keyed: Vec<Vec<Vec<Key>>> = workloads
            .iter()
            .map(|(_, selectors)| selectors.iter().map(|one| keys.of(one)).collect())
            .collect();
        let mut files: Vec<File> = keys.shared.iter().map(|_| File::new()).collect();
        for ((number, _), selectors) in workloads.iter().zip(keyed) {
            for (first, second) in keys.places(selectors) {
                if let Some(file) = files.get_mut(first.0 as usize) {
                    file.push((second, *number));
                }
            }
        }
        for file in &mut files {
            file.sort_unstable();
            file.dedup();
            let crowd = file.chunk_by(|one, next| one.0 == next.0);
            if let Some(crowd) = crowd.into_iter().find(|crowd| crowd.len() > most) {
                let workloads = crowd.iter().map(|(_, number)| *number).collect();
                return Err(Crowd { workloads });
            }
            file.shrink_to_fit();
        }
        let names = keys.into_names();
        Ok(Self { names, files })
    }

    /// The numbers of all workloads that may have these attributes, each once, in order.
    pub(super) fn candidates(&self, attributes: &Attributes) -> Vec<usize> {
        let keys = self.keys(attributes);
        let mut found = Vec::new();
        for first in &keys {
            let file = self.files.get(first.0 as usize);
            let file = file.map(Vec::as_slice).unwrap_or_default();
            if file.len() <= keys.len() {
                let has =
                    |key: &Option<Key>| key.is_none_or(|key| keys.binary_search(&key).is_ok());
                let these = file.iter().filter(|(second, _)| has(second));
                found.extend(these.map(|(_, number)| *number));
                continue;
            }
            for second in std::iter::once(None).chain(keys.iter().copied().map(Some)) {
                let start = file.partition_point(|(key, _)| *key < second);
                let rest = file.get(start..).unwrap_or_default();
                let these = rest.iter().take_while(|(key, _)| *key == second);
                found.extend(these.map(|(_, number)| *number));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The keys of all values, in order.
    fn keys(&self, attributes: &Attributes) -> Vec<Key> {
        let mut keys = Vec::new();
        for (name, values) in attributes {
            let Some(known) = self.names.get(name.as_str()) else {
                continue;
            };
            for value in values {
                keys.extend(known.exact.get(value.as_str()));
                known.prefixes_of(value, &mut keys);
            }
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

impl Values {
    /// Adds the keys of all prefixes of `value`.
    ///
    /// Texts that begin with one stand together in order, right behind it. So the last that is not
    /// after the value begins with each prefix of it, and they are all on the way from it to ever
    /// shorter ones.
    fn prefixes_of(&self, value: &str, keys: &mut Vec<Key>) {
        let behind = self.prefixes.partition_point(|one| &*one.text <= value);
        let mut next = behind.checked_sub(1);
        while let Some(prefix) = next.and_then(|at| self.prefixes.get(at)) {
            if value.starts_with(&*prefix.text) {
                keys.push(prefix.key);
            }
            next = prefix.shorter;
        }
    }
}

/// Keys while they are being handed out.
#[derive(Default)]
struct Keys<'w> {
    names: HashMap<&'w str, Handed<'w>, RandomState>,
    /// How many alternatives have each key.
    shared: Vec<usize>,
}

#[derive(Default)]
struct Handed<'w> {
    exact: HashMap<&'w str, Key, RandomState>,
    prefixes: HashMap<&'w str, Key, RandomState>,
}

impl<'w> Keys<'w> {
    /// The keys of a selector's alternatives, each once.
    fn of(&mut self, selector: &'w Selector) -> Vec<Key> {
        let handed = self.names.entry(selector.name()).or_default();
        let mut keys = Vec::with_capacity(selector.alternatives().len());
        for pattern in selector.alternatives() {
            keys.push(handed.key(pattern, &mut self.shared));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Where a workload with these keys is filed: by the selector that is shared the least, and the
    /// next one.
    fn places(&self, mut selectors: Vec<Vec<Key>>) -> Vec<(Key, Option<Key>)> {
        selectors.sort_by_cached_key(|keys| self.sharing(keys));
        let mut selectors = selectors.into_iter();
        let first = selectors.next().unwrap_or_default();
        let second = selectors
            .find(|second| first.len() * second.len() <= MAX_PAIRS)
            .unwrap_or_default();
        let mut places = Vec::new();
        for one in first {
            if second.is_empty() {
                places.push((one, None));
            }
            places.extend(second.iter().map(|other| (one, Some(*other))));
        }
        places
    }

    /// How many a workload is among under these keys.
    fn sharing(&self, keys: &[Key]) -> usize {
        let shared = |key: &Key| self.shared.get(key.0 as usize).copied();
        keys.iter().filter_map(shared).sum()
    }

    fn into_names(self) -> Map<Values> {
        let names = self.names.into_iter();
        names
            .map(|(name, handed)| (name.into(), handed.into_values()))
            .collect()
    }
}

impl<'w> Handed<'w> {
    fn key(&mut self, pattern: &'w Pattern, shared: &mut Vec<usize>) -> Key {
        let key = match pattern.exact() {
            Some(exact) => self.exact.entry(exact),
            None => self.prefixes.entry(pattern.literal_prefix()),
        };
        let key = *key.or_insert_with(|| {
            shared.push(0);
            // Never as many: workloads, their selectors and alternatives are bounded.
            Key(u32::try_from(shared.len() - 1).unwrap_or(u32::MAX))
        });
        if let Some(count) = shared.get_mut(key.0 as usize) {
            *count += 1;
        }
        key
    }

    fn into_values(self) -> Values {
        let exact = self.exact.into_iter();
        let mut prefixes: Vec<(&str, Key)> = self.prefixes.into_iter().collect();
        prefixes.sort_unstable();
        let mut linked: Vec<Prefix> = Vec::with_capacity(prefixes.len());
        for (text, key) in prefixes {
            let mut shorter = linked.len().checked_sub(1);
            while let Some(other) = shorter.and_then(|at| linked.get(at)) {
                if text.starts_with(&*other.text) {
                    break;
                }
                shorter = other.shorter;
            }
            linked.push(Prefix {
                text: text.into(),
                key,
                shorter,
            });
        }
        Values {
            exact: exact.map(|(text, key)| (text.into(), key)).collect(),
            prefixes: linked,
        }
    }
}
