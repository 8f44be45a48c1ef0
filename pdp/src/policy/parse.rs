//! From texts to an engine that has read them, with all that is put into it before.

use std::borrow::Cow;
use std::num::NonZeroU32;

use regorus::unstable::{Module as Tree, Ref};
use regorus::utils::limits::PolicyLengthConfig;
use regorus::{Engine, Value};
use thiserror::Error;

use super::builtin_errors::BuiltinErrors;
use super::gate::Refusal;
use super::set::LoadError;
use super::sources::Module;
use super::{bounded, builtins, corrected, engine_error, gate, leniency, source};

/// A fresh engine with `modules`, parsed but not analysed, and `data`.
pub(super) fn engine<'a>(
    modules: impl Iterator<Item = &'a Module>,
    data: Value,
    errors: BuiltinErrors,
) -> Result<Engine, LoadError> {
    let (_, engine) = read(modules, errors)?;
    with_data(errors.obeyed_by(engine), data)
}

/// As [`engine`], for modules that are to be guarded (`leniency`): whatever `errors` says, its own errors end
/// an evaluation.
pub(super) fn guarded<'a>(
    modules: impl Iterator<Item = &'a Module>,
    data: Value,
    errors: BuiltinErrors,
) -> Result<Engine, LoadError> {
    let (mut texts, mut engine) = read(modules, errors)?;
    let guarded = engine.get_modules().iter();
    let guarded: Vec<Option<String>> = guarded.map(|m| source::operands::guarded(m)).collect();
    if guarded.iter().any(Option::is_some) {
        rewrite(&mut texts, guarded);
        engine = parsed(&texts, errors)?;
    }
    leniency::install(&mut engine, errors)?;
    with_data(BuiltinErrors::Fail.obeyed_by(engine), data)
}

/// Texts in the words of the engine.
type Texts<'a> = Vec<(&'a str, Cow<'a, str>)>;

fn read<'a>(
    modules: impl Iterator<Item = &'a Module>,
    errors: BuiltinErrors,
) -> Result<(Texts<'a>, Engine), LoadError> {
    let mut texts = source::in_words_of_the_engine(modules);
    let mut engine = parsed(&texts, errors)?;
    if let Some(rewritten) = source::expressions::rewrite(engine.get_modules())? {
        rewrite(&mut texts, rewritten);
        engine = parsed(&texts, errors)?;
    }
    Ok((texts, engine))
}

fn rewrite(texts: &mut Texts<'_>, rewritten: Vec<Option<String>>) {
    for ((_, text), rewritten) in texts.iter_mut().zip(rewritten) {
        *text = rewritten.map_or(std::mem::take(text), Cow::Owned);
    }
}

fn with_data(mut engine: Engine, data: Value) -> Result<Engine, LoadError> {
    engine
        .add_data(data)
        .map_err(|error| LoadError::engine(&error))?;
    Ok(engine)
}

fn parsed(texts: &[(&str, Cow<'_, str>)], errors: BuiltinErrors) -> Result<Engine, LoadError> {
    let mut engine = Engine::new();
    engine.set_policy_length_config(length_limits());
    engine.set_gather_prints(true);
    bounded::install(&mut engine, errors)?;
    corrected::install(&mut engine)?;
    builtins::install(&mut engine, errors)?;
    source::install(&mut engine, errors)?;
    for (file, text) in texts {
        gate::nesting::check(file, text)?;
        engine
            .add_policy((*file).to_owned(), text.clone().into_owned())
            .map_err(|error| LoadError::Syntax(engine_error::in_one_line(&error)))?;
    }
    Ok(engine)
}

/// Why a module cannot be read.
#[derive(Debug, Error)]
pub(super) enum Unread {
    /// It is no Rego; line and column are counted from 1.
    #[error("{message}")]
    Syntax {
        line: u32,
        column: u32,
        message: String,
    },
    /// The gate refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It declares rules that the engine would want in a module of their own.
    #[error("cannot be written as one module")]
    Several,
}

/// Reads `module`, which may name rules of `others`, read as `trees`, and is not put beside them: its text in
/// the words of the engine, and what that reads in it.
pub(super) fn alone(
    module: &Module,
    others: &[&Module],
    trees: &[Ref<Tree>],
) -> Result<(String, Ref<Tree>), Unread> {
    let texts = source::in_words_of_the_engine(others.iter().copied().chain([module]));
    let mut own = texts.into_iter().filter(|(file, _)| *file == module.file);
    let (Some((_, text)), None) = (own.next(), own.next()) else {
        return Err(Unread::Several);
    };
    let text = text.into_owned();
    let tree = tree(&module.file, &text)?;
    let all: Vec<Ref<Tree>> = trees.iter().chain([&tree]).cloned().collect();
    match source::expressions::rewrite_last(&all)? {
        Some(text) => {
            let tree = self::tree(&module.file, &text)?;
            Ok((text, tree))
        }
        None => Ok((text, tree)),
    }
}

fn tree(file: &str, text: &str) -> Result<Ref<Tree>, Unread> {
    gate::nesting::check(file, text)?;
    let mut engine = Engine::new();
    engine.set_policy_length_config(length_limits());
    let read = engine.add_policy(file.to_owned(), text.to_owned());
    read.map_err(|error| {
        let (line, column, message) =
            engine_error::located(&error).unwrap_or((0, 0, engine_error::in_one_line(&error)));
        Unread::Syntax {
            line,
            column,
            message,
        }
    })?;
    engine.get_modules().first().cloned().ok_or(Unread::Several)
}

fn length_limits() -> PolicyLengthConfig {
    PolicyLengthConfig {
        max_col: NonZeroU32::new(65_536).unwrap_or(NonZeroU32::MAX),
        ..PolicyLengthConfig::default()
    }
}
