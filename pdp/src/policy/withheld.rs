//! No policy to decide by: then a policy that denies everything does, with the reason.

use super::set::{LoadError, PolicySet};
use super::settings::PolicySettings;
use super::sources::Sources;

/// Why no policy decides, so that everything is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// None has been loaded since the start.
    NotLoaded,
    /// What was loaded was not confirmed by its source for longer than it may be used.
    TooOld,
}

impl Withheld {
    /// The reason code of every deny.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotLoaded => "policy-not-loaded",
            Self::TooOld => "policy-too-old",
        }
    }
}

impl PolicySet {
    /// The set that denies everything, by a policy as any other, so that all that knows of policies
    /// (filters, caches, records) treats it as one.
    pub fn withheld(settings: &PolicySettings, why: Withheld) -> Result<Self, LoadError> {
        let path = settings.entry_point.trim_start_matches("data.");
        let (package, rule) = path.rsplit_once('.').unwrap_or(("edgeward.withheld", path));
        let code = why.code();
        let text = format!(
            "package {package}\n\n{rule} := {{\"allow\": false, \"reasons\": [\"{code}\"]}}\n"
        );
        let files = vec![("withheld.rego".to_owned(), text.into_bytes())];
        let mut set = Self::build(Sources::from_files(files)?, settings)?;
        set.withheld = Some(why);
        Ok(set)
    }
}
