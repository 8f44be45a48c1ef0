//! The engine's own built-ins, called from beside it.
//!
//! What this is not: a list of what policies may call (`capability`), or of what is put in place of some of
//! them (`bounded`, `corrected`, `builtins`).

use regorus::unstable::{BUILTINS, BuiltinFcn, Expr, Ref, Source, Span};
use regorus::{LimitError, Value};
use thiserror::Error;

use super::engine_error;

/// A built-in of the engine.
#[derive(Clone)]
pub(super) struct Native {
    function: BuiltinFcn,
    /// What it wants to know of where it is called; only its messages tell it.
    place: Span,
    parameters: Vec<Ref<Expr>>,
}

/// Why it gave nothing, in its words.
#[derive(Debug, Error)]
#[error("{why}")]
pub(super) struct NativeError {
    why: String,
    /// Whether it would have taken more than the engine lets it.
    pub(super) is_limit: bool,
}

impl Native {
    /// The engine's built-in `name`, where it has one.
    pub(super) fn of(name: &str) -> Option<Self> {
        let function = *BUILTINS.get(name)?;
        let source = Source::from_contents("built-in".to_owned(), String::new()).ok()?;
        let place = Span {
            source,
            line: 1,
            col: 1,
            start: 0,
            end: 0,
        };
        let parameter = || {
            Ref::new(Expr::Null {
                span: place.clone(),
                value: Value::Null,
                eidx: 0,
            })
        };
        let parameters = (0..function.1).map(|_| parameter()).collect();
        Some(Self {
            function,
            place,
            parameters,
        })
    }

    /// How many arguments it takes.
    pub(super) fn arity(&self) -> u8 {
        self.function.1
    }

    /// Calls it, where `is_strict` so that it fails where it would else be undefined.
    pub(super) fn call(&self, arguments: &[Value], is_strict: bool) -> Result<Value, NativeError> {
        let (function, _) = self.function;
        function(&self.place, &self.parameters, arguments, is_strict).map_err(|error| {
            let said = engine_error::located(&error).map(|(_, _, message)| message);
            NativeError {
                why: said.unwrap_or_else(|| engine_error::in_one_line(&error)),
                is_limit: error.downcast_ref::<LimitError>().is_some(),
            }
        })
    }
}
