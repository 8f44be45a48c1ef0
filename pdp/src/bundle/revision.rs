//! Which of two revisions is the older one, so that nobody who can hold back a bundle can bring an
//! old one back.
//!
//! A revision has a place in time where it is a whole number, an instant (RFC 3339) or a version
//! (Semantic Versioning 2.0, of which the build counts for nothing). Others have none.

use std::cmp::Ordering;

use jiff::Timestamp;
use semver::Version;
use thiserror::Error;

/// Whether an older bundle may take the place of a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// Never; and so each revision must tell its place in time.
    Refused,
    /// It may: revisions are names and nothing more.
    Allowed,
}

/// Why a bundle may not take another's place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RollbackError {
    /// It does not tell its place in time.
    #[error(
        "revision `{0}` has no place in time: build with one that is a whole number, an instant \
         (2026-01-31T12:00:00Z) or a version (1.2.3), or allow it with `rollback: allow`"
    )]
    Unordered(String),
    /// It is older.
    #[error("revision `{offered}` is older than `{known}`: allow that with `rollback: allow`")]
    Older {
        /// The one offered.
        offered: String,
        /// The newest known.
        known: String,
    },
    /// They cannot be compared.
    #[error(
        "revisions `{offered}` and `{known}` are of two kinds and cannot be compared: allow that \
         once with `rollback: allow`"
    )]
    Kinds {
        /// The one offered.
        offered: String,
        /// The newest known.
        known: String,
    },
}

enum Place {
    Number(u128),
    Instant(Timestamp),
    Version(Version),
}

impl Place {
    fn of(revision: &str) -> Option<Self> {
        if !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit()) {
            return revision.parse().ok().map(Self::Number);
        }
        if let Ok(instant) = revision.parse() {
            return Some(Self::Instant(instant));
        }
        let version = revision.strip_prefix('v').unwrap_or(revision);
        version.parse().ok().map(Self::Version)
    }
}

impl Rollback {
    /// Whether a bundle of revision `offered` may take the place of the newest known.
    pub(super) fn check(self, offered: &str, known: Option<&str>) -> Result<(), RollbackError> {
        if self == Self::Allowed {
            return Ok(());
        }
        let place = Place::of(offered);
        let place = place.ok_or_else(|| RollbackError::Unordered(offered.to_owned()))?;
        let Some(known) = known else { return Ok(()) };
        let order = match (&place, Place::of(known)) {
            (Place::Number(a), Some(Place::Number(b))) => a.cmp(&b),
            (Place::Instant(a), Some(Place::Instant(b))) => a.cmp(&b),
            (Place::Version(a), Some(Place::Version(b))) => a.cmp_precedence(&b),
            _ => {
                return Err(RollbackError::Kinds {
                    offered: offered.to_owned(),
                    known: known.to_owned(),
                });
            }
        };
        if order == Ordering::Less {
            return Err(RollbackError::Older {
                offered: offered.to_owned(),
                known: known.to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_revision_is_refused_and_so_is_one_that_cannot_be_compared() {
        let refused = |offered: &str, known: Option<&str>| {
            Rollback::Refused
                .check(offered, known)
                .err()
                .map(|error| match error {
                    RollbackError::Unordered(_) => "unordered",
                    RollbackError::Older { .. } => "older",
                    RollbackError::Kinds { .. } => "kinds",
                })
        };
        for (offered, known, expected) in [
            ("7", None, None),
            ("7", Some("7"), None),
            ("10", Some("9"), None),
            ("9", Some("10"), Some("older")),
            ("2026-01-31T12:00:00Z", Some("2026-01-31T11:59:59Z"), None),
            (
                "2026-01-31T12:00:00+02:00",
                Some("2026-01-31T11:00:00Z"),
                Some("older"),
            ),
            ("1.2.10", Some("1.2.9"), None),
            ("v1.2.3-rc.1", Some("v1.2.3"), Some("older")),
            ("1.2.3+a", Some("1.2.3+b"), None),
            ("3f2a9c1", Some("7"), Some("unordered")),
            ("", None, Some("unordered")),
            ("7", Some("1.2.3"), Some("kinds")),
            ("7", Some("3f2a9c1"), Some("kinds")),
        ] {
            assert_eq!(
                refused(offered, known),
                expected,
                "{offered} after {known:?}"
            );
        }
        assert!(Rollback::Allowed.check("1", Some("2")).is_ok());
        assert!(Rollback::Allowed.check("abc", Some("2")).is_ok());
    }
}
