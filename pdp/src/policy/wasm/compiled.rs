//! The compiled policies of a policy set, and which of them answers for a document.

use std::collections::BTreeMap;
use std::sync::Arc;

use edgeward_core::footprint::Footprint;
use regorus::Value;

use super::entry_point::CompiledPolicy;
use super::instance::{self, Instance};
use super::module::Module;
use super::unusable::Unusable;
use super::workers::{Instances, Usual};
use crate::policy::documents::{Reference, says};
use crate::policy::footprint::{Analysis, Depends, Place, Uncacheable, Why, Widening, depends_on};
use crate::policy::set::LoadError;

/// The compiled policies of a set; there may be none.
#[derive(Clone, Debug, Default)]
pub(in crate::policy) struct Compiled(Arc<Content>);

#[derive(Debug, Default)]
struct Content {
    modules: Vec<(String, Arc<Module>)>,
    entry_points: Vec<Entry>,
}

/// A document that one of the modules makes.
#[derive(Debug)]
pub(super) struct Entry {
    at: Reference,
    /// Which of the modules, and by what number.
    pub(super) place: Found,
    vary: Option<Footprint>,
}

impl Entry {
    /// What of `input` it is shown: what it is declared to read, so that nothing else can matter.
    pub(super) fn shown(&self, input: &Value) -> Value {
        let vary = self.vary.as_ref();
        vary.map_or_else(|| input.clone(), |vary| projected(vary, input))
    }
}

/// As [`Footprint::project`] has it, of the engine's value.
fn projected(footprint: &Footprint, value: &Value) -> Value {
    let (Footprint::Members(parts), Value::Object(members)) = (footprint, value) else {
        return value.clone();
    };
    let kept = parts.iter().filter_map(|(name, part)| {
        let name = Value::from(name.as_str());
        let member = projected(part, members.get(&name)?);
        Some((name, member))
    });
    Value::from(kept.collect::<BTreeMap<_, _>>())
}

/// An entry point of one of the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Found {
    pub(super) module: usize,
    pub(super) number: i32,
}

impl Compiled {
    /// Translates and tries all of `policies`, with `data`, within the time that one may take to start. (That of the
    /// translation is looked at when it is over; a module has at most 16 MiB.)
    pub(in crate::policy) fn of(
        policies: &[CompiledPolicy],
        data: &Value,
    ) -> Result<Self, LoadError> {
        let mut content = Content::default();
        let deadline = instance::latest_start();
        for policy in policies {
            let unusable = |error: Unusable| LoadError::Compiled {
                file: policy.file.clone(),
                error,
            };
            let module = Module::compile(&policy.bytes, deadline).map_err(unusable)?;
            Instance::with_data(&module, data, deadline).map_err(unusable)?;
            for entry_point in &policy.entry_points {
                let number = module.entry_point(entry_point.name()).map_err(unusable)?;
                let module = content.modules.len();
                content.entry_points.push(Entry {
                    at: entry_point.at().clone(),
                    place: Found { module, number },
                    vary: entry_point.vary().cloned(),
                });
            }
            content
                .modules
                .push((policy.file.clone(), Arc::new(module)));
        }
        Ok(Self(Arc::new(content)))
    }

    /// The paths of the documents that they make, each from `data` on.
    pub(in crate::policy) fn paths(&self) -> Vec<Vec<String>> {
        let from_data = |entry: &Entry| {
            let names = entry.at.parts().iter().cloned();
            std::iter::once("data".to_owned()).chain(names).collect()
        };
        self.0.entry_points.iter().map(from_data).collect()
    }

    /// A document of theirs in whose place the data files say something too.
    pub(in crate::policy) fn overlap(&self, base: &Value) -> Option<String> {
        let mut entries = self.0.entry_points.iter();
        let entry = entries.find(|entry| says(base, entry.at.parts()))?;
        Some(entry.at.to_string())
    }

    /// What makes the document `at`, and nothing more.
    pub(in crate::policy) fn making(&self, at: &Reference) -> Option<Found> {
        self.entry(at).map(|entry| entry.place)
    }

    /// What makes the document `at` or one that it is within, and the names that lead from there to it.
    pub(super) fn around<'r>(&self, at: &'r Reference) -> Option<(&Entry, &'r [String])> {
        let entries = self.0.entry_points.iter();
        let around =
            entries.filter_map(|entry| Some((entry, at.parts().strip_prefix(entry.at.parts())?)));
        // Of several, the narrowest.
        around.min_by_key(|(_, rest)| rest.len())
    }

    /// What makes documents within `at`, and the names that lead there, the wider before the narrower.
    pub(super) fn within(&self, at: &Reference) -> Vec<(&Entry, &[String])> {
        let entries = self.0.entry_points.iter();
        let mut within: Vec<(&Entry, &[String])> = entries
            .filter_map(|entry| Some((entry, entry.at.parts().strip_prefix(at.parts())?)))
            .collect();
        within.sort_by_key(|(_, rest)| rest.len());
        within
    }

    /// What making the document `at` can read, where a compiled policy makes it.
    pub(in crate::policy) fn analysis(&self, at: &Reference) -> Option<Analysis> {
        let entry = self.entry(at)?;
        let (file, module) = self.0.modules.get(entry.place.module)?;
        let place = Place {
            file: file.clone(),
            line: 0,
        };
        let of = |wanted: Depends| module.builtins().find(|name| depends_on(name) == wanted);
        Some(Analysis {
            input: entry.vary.clone().unwrap_or(Footprint::Whole),
            data: Footprint::Whole,
            clock: of(Depends::Clock).map(|_| place.clone()),
            uncacheable: of(Depends::World).map(|function| Uncacheable {
                function: function.to_owned(),
                place: place.clone(),
            }),
            widenings: match entry.vary {
                Some(_) => Vec::new(),
                None => vec![Widening {
                    path: Vec::new(),
                    place,
                    why: Why::Compiled,
                }],
            },
        })
    }

    /// Those for one thread, where there are any: each made when it is asked first, that of `usual`'s
    /// entry point now.
    pub(in crate::policy) fn instances(
        &self,
        data: &Value,
        usual: Usual,
    ) -> Result<Option<Instances>, LoadError> {
        if self.0.modules.is_empty() {
            return Ok(None);
        }
        let modules = self.0.modules.iter().map(|(_, module)| module.clone());
        let instances = Instances::new(self.clone(), modules, data, usual);
        let instances = instances.map_err(|(module, error)| {
            let file = self.0.modules.get(module);
            let file = file.map(|(file, _)| file.clone()).unwrap_or_default();
            LoadError::Compiled { file, error }
        })?;
        Ok(Some(instances))
    }

    fn entry(&self, at: &Reference) -> Option<&Entry> {
        self.0.entry_points.iter().find(|entry| entry.at == *at)
    }
}
