//! Building a policy set: read → gate → analyse → own tests → an immutable set.
//!
//! The set itself is inert and shared; evaluation happens on [`Worker`]s made from it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use regorus::{Engine, Rc};
use thiserror::Error;

use super::builtin_errors::BuiltinErrors;
use super::builtins;
use super::bytecode::{Interpreted, Lowered, Machine, choose};
use super::coarse_clock::{CoarseClock, Quantum};
use super::deep_stack::on_deep_stack;
use super::documents::{Documents, Index, Reference};
use super::footprint::{self, Analysis};
use super::gate::{self, Refusal};
use super::own_tests::{self, TestReport};
use super::parse;
use super::parts;
use super::program::Program;
use super::roots::RootsError;
use super::settings::PolicySettings;
use super::sources::{Module, ReadError, Sources};
use super::withheld::Withheld;
use super::worker::Worker;
use super::{embedded, engine_error};

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
    /// A rule and a data file both say what stands at a path.
    #[error("{0} is a rule, and the data files have a value there too: rename one of them")]
    Overlap(String),
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
    sources: Sources,
    entry_point: String,
    pub(super) timeout: Duration,
    pub(super) clock_quantum: Option<Quantum>,
    builtin_errors: BuiltinErrors,
    prints: bool,
    tests: TestReport,
    pub(super) footprint: Analysis,
    pub(super) program: Program,
    lowered: Result<Lowered, Interpreted>,
    index: Arc<Index>,
    entry_is_document: bool,
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

    /// The name of what evaluates it.
    pub fn engine(&self) -> &'static str {
        match &self.lowered {
            Ok(_) => "bytecode",
            Err(_) => "interpreter",
        }
    }

    /// Why the interpreter evaluates it; none when bytecode does.
    pub fn interpreted(&self) -> Option<&Interpreted> {
        self.lowered.as_ref().err()
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

    /// An engine with the serving rules in order, and the clock that they see where that can be set.
    pub(super) fn ready_engine(
        &self,
        errors: BuiltinErrors,
    ) -> Result<(Engine, Option<CoarseClock>), LoadError> {
        let mut engine = serving_engine(&self.sources, errors)?;
        let clock = self.clock_quantum;
        let clock = clock.map(|quantum| CoarseClock::install(&mut engine, quantum, errors));
        if clock.is_none() {
            builtins::install_clock(&mut engine, builtins::Instant::True, errors)?;
        }
        // Here and not at the first question, nor again after an evaluation that failed.
        analyse(&mut engine, &self.entry_point)?;
        Ok((engine, clock.transpose()?))
    }

    /// An engine for the calling thread alone. The thread must have [`super::STACK_BYTES`] of stack.
    pub fn worker(&self) -> Result<Worker, LoadError> {
        let (engine, clock) = self.ready_engine(self.builtin_errors)?;
        let machine = match &self.lowered {
            // It was compiled once before, so that only a panic is in the way: the interpreter answers.
            Ok(lowered) => Machine::new(lowered, self.sources.data.clone(), self.timeout).ok(),
            Err(_) => None,
        };
        Ok(Worker::new(
            engine,
            self.entry_point.clone(),
            self.timeout,
            self.prints,
            clock,
            machine,
        )
        .with_documents(
            self.index.clone(),
            self.sources.data.clone(),
            self.entry_is_document,
        ))
    }

    /// As [`PolicySet::worker`], built on a thread of its own so that the caller need not wait.
    pub fn worker_for_another_thread(self: Arc<Self>) -> Result<Worker, LoadError> {
        on_deep_stack(move || self.worker())?
    }
}

fn build(sources: Sources, settings: &PolicySettings) -> Result<PolicySet, LoadError> {
    let mut serving = serving_engine(&sources, settings.builtin_errors)?;
    refuse_outsiders(&sources, &mut serving)?;
    let passed = gate::pass(serving.get_modules(), &settings.entry_point)?;
    analyse(&mut serving, &settings.entry_point)?;
    let footprint = footprint::of(serving.get_modules(), &settings.entry_point, &sources.data);
    let index = Arc::new(Index::of(serving.get_modules()));
    if let Some(path) = index.overlap(&sources.data) {
        return Err(LoadError::Overlap(path));
    }
    let lowered = choose(settings, serving.get_modules(), &sources.data);
    let errors = settings.builtin_errors;
    let mut trial = parse::engine(sources.modules.iter(), sources.data.clone(), errors)?;
    builtins::install_clock(&mut trial, builtins::Instant::True, errors)?;
    refuse_outsiders(&sources, &mut trial)?;
    let with_tests = gate::pass(trial.get_modules(), &settings.entry_point)?;
    analyse(&mut trial, &settings.entry_point)?;
    let tests = own_tests::run(&mut trial, &with_tests.tests);
    Ok(PolicySet {
        revision: sources.digest.clone(),
        entry_point: settings.entry_point.clone(),
        timeout: settings.evaluation_timeout,
        clock_quantum: settings.clock_quantum,
        builtin_errors: settings.builtin_errors,
        prints: passed.prints,
        program: Program::of(&sources, settings, &footprint),
        sources,
        tests,
        footprint,
        lowered,
        entry_is_document: Documents::is_one_rule(&index, &settings.entry_point),
        index,
        withheld: None,
    })
}

/// Refuses a policy that its bundle has no say in.
fn refuse_outsiders(sources: &Sources, engine: &mut Engine) -> Result<(), LoadError> {
    parts::check_packages(&sources.modules, engine.get_modules())
        .map_err(|(file, error)| LoadError::Package { file, error })
}

fn serving_engine(sources: &Sources, errors: BuiltinErrors) -> Result<Engine, LoadError> {
    let modules = sources.modules.iter().filter(|m| !m.is_test());
    parse::engine(modules, sources.data.clone(), errors)
}

/// Makes the engine order and check the rules, without evaluating any.
fn analyse(engine: &mut Engine, entry_point: &str) -> Result<(), LoadError> {
    let entry_point: Rc<str> = Rc::from(entry_point);
    engine
        .compile_with_entrypoint(&entry_point)
        .map_err(|error| LoadError::engine(&error))?;
    Ok(())
}
