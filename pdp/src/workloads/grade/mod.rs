//! How safely selectors bind an identity to a workload: what else they would admit, and what could
//! come to bear the name that they ask for.
//!
//! Judged are the selectors alone, never a token: whatever they admit, they are answerable for. An
//! environment counts as selectors do, for without it there is no identity. The audience does not:
//! a trust provider takes no token that is not for us.
//!
//! What this is not: an obstacle. A workload of any grade is admitted; `edgeward check` says what it
//! found. Order of reading: `provider_kind` and `profiles` (what the attributes of each kind of
//! provider say), `subject` (what a
//! subject is made of), `bound` (what is bound by all selectors together), then the rules here.

mod bound;
mod profiles;
mod provider_kind;
mod subject;

use std::fmt;

use serde::Serialize;

use self::bound::{Bound, Scope, Thing};
pub use self::provider_kind::ProviderKind;
use super::ClientWorkload;

/// How safe, from safe to dangerous: the words of the published suite `oidc-subjects`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Nothing was found: one thing, by an id that no other will ever have, and one scope of it.
    Safe,
    /// Safe as long as something holds that selectors cannot see.
    Caution,
    /// Others than those meant get the identity, or can arrange that they do.
    Dangerous,
}

impl Grade {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Caution => "caution",
            Self::Dangerous => "dangerous",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grading {
    /// How bad it is.
    pub grade: Grade,
    /// A stable word for it (`docs/client-workloads.md`).
    pub code: &'static str,
    /// The selector to look at; none where one is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// What is wrong, and what helps.
    pub reason: String,
}

impl fmt::Display for Grading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.grade, self.code)?;
        if let Some(attribute) = &self.attribute {
            write!(f, " (`{attribute}`)")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// The grade of a workload with these findings: that of the worst of them.
pub fn worst(findings: &[Grading]) -> Grade {
    let grades = findings.iter().map(|finding| finding.grade);
    grades.max().unwrap_or(Grade::Safe)
}

/// All that is found about a workload whose provider is of this kind, the worst first.
pub fn grade(workload: &ClientWorkload, kind: ProviderKind) -> Vec<Grading> {
    if kind == ProviderKind::StaticKeys {
        return static_key().into_iter().collect();
    }
    let bound = Bound::of(workload, kind);
    let mut findings = Vec::new();
    findings.extend(who(&bound, kind));
    findings.extend(scope(&bound, kind));
    findings.extend(review(&bound));
    findings.extend(tag(&bound));
    findings.extend(debug_session(&bound, kind));
    findings.extend(single_run(&bound));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
    findings
}

fn finding(
    grade: Grade,
    code: &'static str,
    attribute: Option<&str>,
    reason: impl Into<String>,
) -> Option<Grading> {
    (grade > Grade::Safe).then(|| Grading {
        grade,
        code,
        attribute: attribute.map(ToOwned::to_owned),
        reason: reason.into(),
    })
}

/// Whatever the selectors are: nobody vouches for who shows a key.
fn static_key() -> Option<Grading> {
    finding(
        Grade::Dangerous,
        "static-key",
        None,
        "whoever reads the stored key gets the identity, for as long as it is configured; use what a platform vouches for",
    )
}

/// Whose workload it is.
fn who(bound: &Bound<'_>, kind: ProviderKind) -> Option<Grading> {
    let (profile, owner) = (kind.profile(), bound.owner_id);
    match bound.thing {
        Thing::Id => None,
        Thing::Name(at) => {
            let within_owner = owner.is_some() && profile.names == Grade::Dangerous;
            let grade = if within_owner {
                Grade::Caution
            } else {
                profile.names
            };
            let id = profile.id;
            let reason = format!(
                "names are given anew after a deletion, a transfer or a change of name: whoever gets this one gets the identity; bind to {id}"
            );
            finding(grade, "recyclable-name", Some(at), reason)
        }
        Thing::None if bound.workflow.is_some() => finding(
            Grade::Caution,
            "workflow-only",
            bound.workflow,
            format!(
                "any repository that may call this workflow gets the identity; add {}",
                profile.id
            ),
        ),
        Thing::None if owner.is_some() => finding(
            profile.whole_owner,
            "whole-owner",
            owner,
            format!(
                "everything that its owner has, now or later, gets the identity; bind to {}",
                profile.id
            ),
        ),
        Thing::None => {
            let (code, reason) = match bound.owner_name {
                Some(_) => (
                    "whole-owner",
                    "everything under this name, now or later, gets the identity, and the name can change hands",
                ),
                None => (
                    "anybody",
                    "no selector says whose workload it is: whoever can use the platform may be able to get the identity",
                ),
            };
            let reason = format!("{reason}; bind to {}", profile.id);
            finding(Grade::Dangerous, code, bound.owner_name, reason)
        }
    }
}

/// Which of its runs.
fn scope(bound: &Bound<'_>, kind: ProviderKind) -> Option<Grading> {
    let profile = kind.profile();
    let by_name = match bound.thing {
        Thing::None => return None,
        Thing::Name(_) => profile.names > Grade::Safe,
        Thing::Id => false,
    };
    let scope = profile.scope?;
    match bound.scope {
        Scope::Exact => None,
        Scope::Partly(at) => finding(
            Grade::Caution,
            "wide-scope",
            Some(at),
            format!(
                "more of its runs fit than one branch, tag or environment; name it in full: {scope}"
            ),
        ),
        Scope::Any => {
            let (grade, why) = if by_name {
                (Grade::Dangerous, ", under a name that can change hands")
            } else {
                (Grade::Caution, "")
            };
            let reason = format!(
                "every run of it gets the identity, also one of code that nobody has reviewed{why}; add {scope}"
            );
            finding(grade, "any-scope", None, reason)
        }
    }
}

fn review(bound: &Bound<'_>) -> Option<Grading> {
    let at = bound.review?;
    finding(
        Grade::Dangerous,
        "unreviewed-code",
        Some(at),
        "these runs are of code that is merely proposed: whoever may propose a change gets the identity",
    )
}

fn tag(bound: &Bound<'_>) -> Option<Grading> {
    let at = bound.tag?;
    finding(
        Grade::Caution,
        "movable-tag",
        Some(at),
        "tags can be moved to other code unless the platform protects them; see that it does",
    )
}

/// Jobs of `CircleCI` can be run again with a shell in them, by anybody who may run them.
fn debug_session(bound: &Bound<'_>, kind: ProviderKind) -> Option<Grading> {
    let is_open = kind == ProviderKind::Circleci
        && matches!(bound.thing, Thing::Id)
        && bound.scope != Scope::Exact
        && !bound.without_debugging;
    if !is_open {
        return None;
    }
    finding(
        Grade::Dangerous,
        "debug-session",
        None,
        "whoever may run a job again with SSH gets the identity by hand; add `ssh_rerun: \"false\"`",
    )
}

fn single_run(bound: &Bound<'_>) -> Option<Grading> {
    let at = bound.single_run?;
    finding(
        Grade::Caution,
        "single-run",
        Some(at),
        "this id is another in each run: the workload is never recognised again; leave it out, or write `*` for it",
    )
}

#[cfg(test)]
mod tests;
