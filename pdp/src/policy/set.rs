//! Building a policy set: read → gate → analyse → own tests → an immutable set.
//!
//! The set itself is inert and shared; evaluation happens on [`Worker`]s made from it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use regorus::Engine;
use thiserror::Error;

use super::builtin_errors::BuiltinErrors;
use super::builtins;
use super::coarse_clock::Quantum;
use super::deep_stack::on_deep_stack;
use super::documents::{Documents, Index, Reference};
use super::evaluator::Evaluator;
use super::footprint::{self, Analysis};
use super::gate::{self, Refusal};
use super::own_tests::{self, TestReport};
use super::parse;
use super::parts;
use super::program::Program;
use super::roots::RootsError;
use super::settings::PolicySettings;
use super::sources::{Module, ReadError, Sources};
use super::wasm::{Compiled, Unusable};
use super::withheld::Withheld;
use super::{embedded, engine_error, leniency};

/// Why a policy set cannot serve.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Its files cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file is not Rego.
    #[error("{0}")]
    Syntax(String),
    /// The gate refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A compiled policy cannot be asked.
    #[error("{file}: {error}")]
    Compiled {
        /// Its file.
        file: String,
        /// Why.
        error: Unusable,
    },
    /// A rule and a data file both say what stands at a path.
    #[error("{0} is a rule, and the data files have a value there too: rename one of them")]
    Overlap(String),
    /// A compiled policy and a data file do.
    #[error(
        "{0} is an entry point of a compiled policy, and the data files have a value there too: leave one of them out"
    )]
    OverCompiled(String),
    /// A policy lies where its bundle has no say.
    #[error("{file}: package {error}")]
    Package {
        /// The file.
        file: String,
        /// Where it lies, and where it may.
        error: RootsError,
    },
    /// The engine cannot make sense of rules that are each well-formed.
    #[error("{0}")]
    Analysis(String),
    /// Its own tests fail.
    #[error("{} of {total} policy tests fail: {}", failures.len(), failures.join("; "))]
    Tests {
        /// `name (file): what happened`, one entry a test.
        failures: Vec<String>,
        /// How many tests there are.
        total: usize,
    },
    /// The engine broke while it read the set.
    #[error("the engine panicked while it read the policies")]
    Panicked,
    /// No thread to build on.
    #[error("cannot start a thread to build the policies: {0}")]
    Thread(io::Error),
}

impl LoadError {
    pub(super) fn engine(error: &impl std::fmt::Display) -> Self {
        Self::Analysis(engine_error::in_one_line(error))
    }
}

/// Policies and data that passed every check, under one revision.
#[derive(Debug)]
pub struct PolicySet {
    revision: String,
    pub(super) sources: Sources,
    pub(super) entry_point: String,
    pub(super) timeout: Duration,
    pub(super) clock_quantum: Option<Quantum>,
    pub(super) builtin_errors: BuiltinErrors,
    /// Whether its interpreters are (`leniency`).
    pub(super) is_guarded: bool,
    pub(super) prints: bool,
    tests: TestReport,
    pub(super) footprint: Analysis,
    pub(super) program: Program,
    pub(super) evaluator: Evaluator,
    pub(super) compiled: Compiled,
    pub(super) index: Arc<Index>,
    pub(super) entry_is_document: bool,
    pub(super) withheld: Option<Withheld>,
}

impl PolicySet {
    /// Why it denies everything, where it does for want of policies.
    pub fn why_withheld(&self) -> Option<Withheld> {
        self.withheld
    }

    /// Loads, checks and tries the set that `settings` name; failing tests refuse it.
    pub fn load(settings: &PolicySettings) -> Result<Self, LoadError> {
        Self::load_untested(settings)?.refuse_failing_tests()
    }

    /// The set, unless one of its own tests fails.
    pub(super) fn refuse_failing_tests(self) -> Result<Self, LoadError> {
        let failures = self.tests.failures_in_words();
        if failures.is_empty() {
            return Ok(self);
        }
        Err(LoadError::Tests {
            failures,
            total: self.tests.tests.len(),
        })
    }

    /// As [`PolicySet::load`], but failing tests are only reported: for `edgeward test`.
    pub fn load_untested(settings: &PolicySettings) -> Result<Self, LoadError> {
        let sources = match &settings.directory {
            Some(folder) => Sources::read(folder)?,
            None => Sources::from_files(embedded::files())?,
        };
        Self::build(sources, settings)
    }

    /// Checks and tries `sources`.
    pub fn build(sources: Sources, settings: &PolicySettings) -> Result<Self, LoadError> {
        let settings = settings.clone();
        on_deep_stack(move || build(sources, &settings))?
    }

    /// SHA-256 of every file's path and content, as lower-case hex.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// What its own tests said.
    pub fn tests(&self) -> &TestReport {
        &self.tests
    }

    /// What asking it can read, of the question and of anything else.
    pub fn footprint(&self) -> &Analysis {
        &self.footprint
    }

    /// What is asked for every decision.
    pub fn entry_point(&self) -> Reference {
        Reference::at(&self.entry_point)
    }

    /// Whether `at` is what the entry point makes, and nothing more.
    pub fn is_entry_point(&self, at: &Reference) -> bool {
        self.entry_is_document && at.is(&self.entry_point)
    }

    /// How many Rego files it has, tests included.
    pub fn modules(&self) -> usize {
        self.sources.modules.len()
    }

    /// The Rego files, tests included, in order of their paths.
    pub fn module_texts(&self) -> &[Module] {
        &self.sources.modules
    }
}

fn build(sources: Sources, settings: &PolicySettings) -> Result<PolicySet, LoadError> {
    let mut serving = serving_engine(&sources, settings.builtin_errors)?;
    refuse_outsiders(&sources, &mut serving)?;
    let compiled = Compiled::of(&sources.compiled, &sources.data)?;
    let paths = compiled.paths();
    let passed = gate::pass(serving.get_modules(), &settings.entry_point, &paths)?;
    let evaluator = Evaluator::of(settings, &mut serving, &sources, &compiled)?;
    let footprint = compiled.analysis(&Reference::at(&settings.entry_point));
    let footprint = footprint.unwrap_or_else(|| {
        footprint::of(serving.get_modules(), &settings.entry_point, &sources.data)
    });
    let index = Arc::new(Index::of(serving.get_modules()));
    if let Some(path) = index.overlap(&sources.data) {
        return Err(LoadError::Overlap(path));
    }
    if let Some(path) = compiled.overlap(&sources.data) {
        return Err(LoadError::OverCompiled(path));
    }
    let errors = settings.builtin_errors;
    let mut trial = parse::engine(sources.modules.iter(), sources.data.clone(), errors)?;
    refuse_outsiders(&sources, &mut trial)?;
    let with_tests = gate::pass(trial.get_modules(), &settings.entry_point, &paths)?;
    if errors == BuiltinErrors::Undefined && leniency::is_guarded(trial.get_modules()) {
        trial = parse::guarded(sources.modules.iter(), sources.data.clone(), errors)?;
    }
    builtins::install_clock(&mut trial, builtins::Instant::True, errors)?;
    evaluator.analyse(&mut trial, &settings.entry_point)?;
    let tests = own_tests::run(&mut trial, &with_tests.tests);
    Ok(PolicySet {
        revision: sources.digest.clone(),
        entry_point: settings.entry_point.clone(),
        timeout: settings.evaluation_timeout,
        clock_quantum: settings.clock_quantum,
        builtin_errors: settings.builtin_errors,
        is_guarded: leniency::is_guarded(serving.get_modules()),
        prints: passed.prints,
        program: Program::of(&sources, settings, &footprint),
        sources,
        tests,
        footprint,
        entry_is_document: evaluator.is_compiled()
            || Documents::is_one_rule(&index, &settings.entry_point),
        evaluator,
        compiled,
        index,
        withheld: None,
    })
}

/// Refuses a policy that its bundle has no say in.
fn refuse_outsiders(sources: &Sources, engine: &mut Engine) -> Result<(), LoadError> {
    parts::check_packages(&sources.modules, engine.get_modules())
        .map_err(|(file, error)| LoadError::Package { file, error })
}

pub(super) fn serving_engine(
    sources: &Sources,
    errors: BuiltinErrors,
) -> Result<Engine, LoadError> {
    let modules = sources.modules.iter().filter(|m| !m.is_test());
    parse::engine(modules, sources.data.clone(), errors)
}

/// As [`serving_engine`], guarded (`leniency`).
pub(super) fn guarded_engine(
    sources: &Sources,
    errors: BuiltinErrors,
) -> Result<Engine, LoadError> {
    let modules = sources.modules.iter().filter(|m| !m.is_test());
    parse::guarded(modules, sources.data.clone(), errors)
}
