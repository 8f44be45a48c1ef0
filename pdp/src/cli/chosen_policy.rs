//! Which policy a subcommand is about: the flags `--config`, `--policies` and `--entrypoint`.
//!
//! It loads the configuration, not the policies.

use std::path::PathBuf;

use super::Failure;
use crate::atoms::Atoms;
use crate::config::{Config, DEFAULT_ENTRYPOINT, Policies};
use crate::policy::{PolicySet, PolicySettings};

/// The flags.
#[derive(Debug, clap::Args)]
pub(super) struct ChosenPolicy {
    /// The configuration whose policies are asked
    #[arg(long, value_name = "FILE", conflicts_with = "policies")]
    config: Option<PathBuf>,
    /// The policy folder to ask. Default: the example embedded in the program
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// The rule that decides. Default: the configuration's
    #[arg(long, visible_alias = "entry", value_name = "RULE")]
    entrypoint: Option<String>,
}

impl ChosenPolicy {
    /// What to load.
    pub(super) fn settings(&self) -> Result<PolicySettings, Failure> {
        let mut settings = match &self.config {
            Some(file) => Config::load(file)?.policies.settings(),
            None => PolicySettings {
                directory: self.policies.clone(),
                entry_point: DEFAULT_ENTRYPOINT.to_owned(),
                ..PolicySettings::default()
            },
        };
        if let Some(entrypoint) = &self.entrypoint {
            if !Policies::is_entrypoint(entrypoint) {
                return Err(Failure::new(format!(
                    "`--entrypoint {entrypoint}` is not a rule: write one such as `{DEFAULT_ENTRYPOINT}`"
                )));
            }
            settings.entry_point.clone_from(entrypoint);
        }
        Ok(settings)
    }

    /// What tells questions their atoms, where a configuration says.
    pub(super) fn atoms(&self) -> Result<Option<Atoms>, Failure> {
        let Some(file) = &self.config else {
            return Ok(None);
        };
        let opened = Atoms::open(&Config::load(file)?.atoms);
        let failed = |error| Failure::new(format!("{}: country_database: {error}", file.display()));
        opened.map(Some).map_err(failed)
    }
}

/// What evaluates `set`, and why it is not bytecode, for people.
pub(super) fn evaluated_by(set: &PolicySet) -> String {
    match set.interpreted() {
        None => set.engine().to_owned(),
        Some(why) => format!("{}: {why}", set.engine()),
    }
}
