//! From texts to an engine that has read them, with all that is put into it before.

use std::borrow::Cow;
use std::num::NonZeroU32;

use regorus::utils::limits::PolicyLengthConfig;
use regorus::{Engine, Value};

use super::builtin_errors::BuiltinErrors;
use super::set::LoadError;
use super::sources::Module;
use super::{bounded, builtins, corrected, engine_error, gate, source};

/// A fresh engine with `modules`, parsed but not analysed, and `data`.
pub(super) fn engine<'a>(
    modules: impl Iterator<Item = &'a Module>,
    data: Value,
    errors: BuiltinErrors,
) -> Result<Engine, LoadError> {
    let mut texts = source::in_words_of_the_engine(modules);
    let mut engine = parsed(&texts, errors)?;
    if let Some(rewritten) = source::expressions::rewrite(engine.get_modules())? {
        for ((_, text), rewritten) in texts.iter_mut().zip(rewritten) {
            *text = rewritten.map_or(std::mem::take(text), Cow::Owned);
        }
        engine = parsed(&texts, errors)?;
    }
    engine
        .add_data(data)
        .map_err(|error| LoadError::engine(&error))?;
    Ok(errors.obeyed_by(engine))
}

fn parsed(texts: &[(&str, Cow<'_, str>)], errors: BuiltinErrors) -> Result<Engine, LoadError> {
    let mut engine = Engine::new();
    engine.set_policy_length_config(length_limits());
    engine.set_gather_prints(true);
    bounded::install(&mut engine)?;
    corrected::install(&mut engine)?;
    builtins::install(&mut engine, errors)?;
    source::install(&mut engine)?;
    for (file, text) in texts {
        gate::nesting::check(file, text)?;
        engine
            .add_policy((*file).to_owned(), text.clone().into_owned())
            .map_err(|error| LoadError::Syntax(engine_error::in_one_line(&error)))?;
    }
    Ok(engine)
}

fn length_limits() -> PolicyLengthConfig {
    PolicyLengthConfig {
        max_col: NonZeroU32::new(65_536).unwrap_or(NonZeroU32::MAX),
        ..PolicyLengthConfig::default()
    }
}
