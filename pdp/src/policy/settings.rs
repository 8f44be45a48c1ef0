//! How a policy set is made. The config room builds these from YAML; tests build them by hand.

use std::path::PathBuf;
use std::time::Duration;

use super::builtin_errors::BuiltinErrors;
use super::bytecode::EngineChoice;
use super::coarse_clock::Quantum;

/// Where a set comes from and how it is evaluated.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// The folder; none is the example embedded in the program.
    pub directory: Option<PathBuf>,
    /// The rule that decides, as `data.package.rule`.
    pub entry_point: String,
    /// The longest an evaluation may take.
    pub evaluation_timeout: Duration,
    /// How long `time.now_ns()` stands still, so that answers that rest on it can be remembered; none
    /// gives policies the true time.
    pub clock_quantum: Option<Quantum>,
    /// What evaluates it.
    pub engine: EngineChoice,
    /// What becomes of an expression whose built-in function fails.
    pub builtin_errors: BuiltinErrors,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            directory: None,
            entry_point: "data.edgeward.authz.decision".to_owned(),
            evaluation_timeout: Duration::from_millis(100),
            clock_quantum: Some(Quantum::SECOND),
            engine: EngineChoice::Auto,
            builtin_errors: BuiltinErrors::Fail,
        }
    }
}
