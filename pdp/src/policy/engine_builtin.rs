//! A built-in function of the engine, called where no policy stands.

use regorus::Value;
use regorus::unstable::{BUILTINS, BuiltinFcn, Expr, Ref, Source, Span};

use super::engine_error;

/// One of them.
#[derive(Clone)]
pub(super) struct EngineBuiltin {
    function: BuiltinFcn,
    // What the function wants to know of where it is called; only its messages tell it.
    span: Span,
    parameters: Vec<Ref<Expr>>,
}

impl EngineBuiltin {
    /// The one called `name`.
    pub(super) fn of(name: &str) -> Option<Self> {
        let function = *BUILTINS.get(name)?;
        let source = Source::from_contents("built-in".to_owned(), String::new()).ok()?;
        let span = Span {
            source,
            line: 1,
            col: 1,
            start: 0,
            end: 0,
        };
        let parameter = || {
            Ref::new(Expr::Null {
                span: span.clone(),
                value: Value::Null,
                eidx: 0,
            })
        };
        let parameters = (0..function.1).map(|_| parameter()).collect();
        Some(Self {
            function,
            span,
            parameters,
        })
    }

    /// How many arguments it takes.
    pub(super) fn arity(&self) -> u8 {
        self.function.1
    }

    /// Calls it. What it does not like fails where `is_strict`, and is else undefined, if it can be.
    pub(super) fn call(&self, arguments: &[Value], is_strict: bool) -> Result<Value, String> {
        let (function, _) = self.function;
        function(&self.span, &self.parameters, arguments, is_strict).map_err(|error| {
            let located = engine_error::located(&error);
            located.map_or_else(
                || engine_error::in_one_line(&error),
                |(_, _, message)| message,
            )
        })
    }
}
