//! How the signing keys are set up: where they are kept, and how long each part of a key's life is.

use std::path::PathBuf;
use std::time::Duration;

use edgeward_core::spiffe::TrustDomain;
use thiserror::Error;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What a verifier may have as its `leeway`, at the most.
const MAX_LEEWAY: Duration = Duration::from_mins(5);
/// How long after its retirement a key may finish a token that was begun before.
pub(super) const UNDER_WAY: u64 = 30;
/// How many keys may at once wait for the end of their last token.
const MAX_RETIRED: u32 = 24;

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeySettings {
    /// A directory of this PDP's own (mode 0700); made where it is missing.
    pub directory: PathBuf,
    /// The file with the 32 bytes under which private keys are sealed: raw, base64 or hex.
    pub sealing_key_file: PathBuf,
    /// The one before, while the sealing key is changed: what is sealed under it is read, and sealed anew.
    pub previous_sealing_key_file: Option<PathBuf>,
    /// Whose keys they are.
    pub trust_domain: TrustDomain,
    /// How long they live.
    pub life: KeyLife,
}

/// Times as they are given. [`KeyLife::try_from`] checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTimes {
    /// How long a key signs until the next takes over. Default 24 hours; 1 minute to 90 days.
    pub rotate_after: Duration,
    /// How long a key is published before it signs, so that every verifier has it by then. Default 10
    /// minutes; from `refresh_hint` to half of `rotate_after`.
    pub propagation: Duration,
    /// The longest that any token lives; it has no default. 1 second to 24 hours, and at the most 24
    /// times `rotate_after`.
    pub longest_token: Duration,
    /// How often verifiers are told to fetch the keys (`spiffe_refresh_hint`). Default 5 minutes; from 1
    /// second.
    pub refresh_hint: Duration,
}

impl KeyTimes {
    /// The defaults, for tokens that live for `longest_token` at the most.
    pub fn for_tokens_of(longest_token: Duration) -> Self {
        Self {
            rotate_after: DAY,
            propagation: 10 * MINUTE,
            longest_token,
            refresh_hint: 5 * MINUTE,
        }
    }
}

/// Which time cannot be used, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{field}: {problem}")]
pub struct KeyTimesError {
    /// The field of [`KeyTimes`].
    pub field: &'static str,
    /// What it must be.
    pub problem: &'static str,
}

/// Checked times: whole seconds, each within its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLife(KeyTimes);

impl TryFrom<KeyTimes> for KeyLife {
    type Error = KeyTimesError;

    fn try_from(times: KeyTimes) -> Result<Self, KeyTimesError> {
        let refused = |field, problem| Err(KeyTimesError { field, problem });
        for (field, time) in [
            ("rotate_after", times.rotate_after),
            ("propagation", times.propagation),
            ("longest_token", times.longest_token),
            ("refresh_hint", times.refresh_hint),
        ] {
            if time.subsec_nanos() != 0 || time.is_zero() {
                return refused(field, "must be whole seconds, and one at least");
            }
        }
        if !(MINUTE..=90 * DAY).contains(&times.rotate_after) {
            return refused("rotate_after", "must be 1m to 90d");
        }
        if times.propagation < times.refresh_hint {
            let problem = "must be at least `refresh_hint`: a verifier that fetches so often would \
                           not have a key yet when it signs";
            return refused("propagation", problem);
        }
        if times.propagation > times.rotate_after / 2 {
            let problem = "must be at most half of `rotate_after`";
            return refused("propagation", problem);
        }
        if times.longest_token > 24 * HOUR {
            return refused("longest_token", "must be at most 24h");
        }
        if times.longest_token > times.rotate_after * MAX_RETIRED {
            let problem = "must be at least a 24th of the longest life of a token: every key is \
                           published until its last token has expired";
            return refused("rotate_after", problem);
        }
        Ok(Self(times))
    }
}

impl KeyLife {
    /// How long a key signs until the next takes over.
    pub fn rotate_after(&self) -> Duration {
        self.0.rotate_after
    }

    /// How long a key may sign where none can take over: half as long again. Past that it signs nothing.
    pub fn signs_at_most(&self) -> Duration {
        self.0.rotate_after + self.0.rotate_after / 2
    }

    /// How long a key is published before it signs.
    pub fn propagation(&self) -> Duration {
        self.0.propagation
    }

    /// How long a key is published after it signed last: until no verifier honours any token of it.
    pub fn published_after(&self) -> Duration {
        self.0.longest_token + MAX_LEEWAY + Duration::from_secs(UNDER_WAY)
    }

    /// How often verifiers are told to fetch the keys, in seconds.
    pub fn refresh_hint(&self) -> u64 {
        self.0.refresh_hint.as_secs()
    }
}
