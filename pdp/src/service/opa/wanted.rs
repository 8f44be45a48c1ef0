//! What the query of a call asks for beside the document.

use edgeward_core::request::CanonicalQuery;
use http::Uri;

use super::errors::Trouble;
use crate::policy::BuiltinErrors;

/// The parameters of OPA's API that mean something here; others are ignored, as OPA does.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a parameter of its own"
)]
pub(super) struct Wanted {
    pub(super) pretty: bool,
    pub(super) metrics: bool,
    pub(super) provenance: bool,
    pub(super) strict_builtin_errors: bool,
    pub(super) explain: Option<Explain>,
    pub(super) bundles: bool,
    pub(super) plugins: bool,
    /// Plugins whose state does not matter.
    pub(super) excluded_plugins: Vec<String>,
    /// `q`, as it was sent.
    pub(super) query: Option<String>,
    /// `input`, as it was sent.
    pub(super) input: Option<String>,
}

/// What is to be explained, in OPA's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Explain {
    Notes,
    Fails,
    Full,
    Debug,
}

impl Explain {
    fn of(value: &str) -> Option<Self> {
        match value {
            "notes" => Some(Self::Notes),
            "fails" => Some(Self::Fails),
            "full" => Some(Self::Full),
            "debug" => Some(Self::Debug),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Fails => "fails",
            Self::Full => "full",
            Self::Debug => "debug",
        }
    }
}

impl Wanted {
    /// Reads the query of `uri`.
    pub(super) fn of(uri: &Uri) -> Result<Self, Trouble> {
        let query = CanonicalQuery::parse(uri.query().unwrap_or_default())
            .map_err(|refusal| Trouble::Parameter(refusal.to_string()))?;
        let mut wanted = Self::default();
        for (name, value) in query.pairs() {
            // As OPA reads it: there without a value, or `true`.
            let is_on = value.is_empty() || value.eq_ignore_ascii_case("true");
            match name.as_str() {
                "pretty" => wanted.pretty |= is_on,
                "metrics" | "instrument" => wanted.metrics |= is_on,
                "provenance" => wanted.provenance |= is_on,
                "strict-builtin-errors" => wanted.strict_builtin_errors |= is_on,
                "bundles" => wanted.bundles |= is_on,
                "plugins" => wanted.plugins |= is_on,
                "exclude-plugin" => wanted.excluded_plugins.push(value.clone()),
                // As OPA reads them: of those that it knows, the first.
                "explain" => wanted.explain = wanted.explain.or(Explain::of(value)),
                // And of these the last.
                "q" => wanted.query = Some(value.clone()),
                "input" if wanted.input.is_none() => wanted.input = Some(value.clone()),
                "input" => {
                    let message = "parameter `input` is there twice: send it once";
                    return Err(Trouble::Parameter(message.to_owned()));
                }
                _ => {}
            }
        }
        Ok(wanted)
    }

    /// Refuses an explanation that is not to be had.
    pub(super) fn check_explanation(&self) -> Result<(), Trouble> {
        match self.explain {
            None | Some(Explain::Notes) => Ok(()),
            Some(other) => Err(Trouble::NoExplanation(other.name())),
        }
    }

    /// Whether what a built-in function refuses is an error.
    pub(super) fn builtin_errors(&self) -> BuiltinErrors {
        if self.strict_builtin_errors {
            BuiltinErrors::Fail
        } else {
            BuiltinErrors::Undefined
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_on_as_opa_reads_them() {
        let of = |query: &str| Wanted::of(&format!("/v1/data?{query}").parse().unwrap());
        let all = of("pretty&metrics=true&provenance=TRUE&strict-builtin-errors=&input=1&x=y");
        let all = all.unwrap();
        assert!(all.pretty && all.metrics && all.provenance && all.strict_builtin_errors);
        assert_eq!(all.input.as_deref(), Some("1"));
        assert_eq!(
            of("pretty=1&metrics=false&explain=off&provenance=no").unwrap(),
            Wanted::default()
        );
        assert!(of("instrument").unwrap().metrics);
        let explained = of("explain=all&explain=full&explain=notes").unwrap();
        assert_eq!(explained.explain, Some(Explain::Full));
        assert!(explained.check_explanation().is_err());
        assert!(of("explain=notes").unwrap().check_explanation().is_ok());
        assert_eq!(of("q=1&q=2").unwrap().query.as_deref(), Some("2"));
        for bad in ["input=1&input=2", "input=%", "input=%ff"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
