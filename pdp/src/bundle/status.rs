//! What operators see of each bundle, in the words of OPA's status API.

use edgeward_core::time::UnixSeconds;
use serde::Serialize;

use super::delta::MAX_DELTAS;
use super::held::Held;

/// How a bundle stands.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BundleStatus {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// The revision in force; none where no bundle of this name is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_revision: Option<String>,
    /// Whether what was last put in force is a `snapshot` or a `delta`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Bytes of the bundle in force, packed, with its deltas; none where it lies in a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// When its source was last asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_request: Option<Time>,
    /// When its source last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_request: Option<Time>,
    /// When a bundle last came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_download: Option<Time>,
    /// When one was last put in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_activation: Option<Time>,
    /// What is wrong, in a word; none where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why the bundle in force would not outlive a restart, though it should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<String>,
    /// The `ETag` of the bundle that is held.
    #[serde(skip)]
    pub(super) tag: Option<String>,
    /// How many deltas have changed it.
    #[serde(skip)]
    pub(super) deltas: usize,
    /// Whole bundles to come before a delta is asked for again.
    #[serde(skip)]
    pub(super) wholes_owed: u8,
    /// How often a bundle was put in force.
    #[serde(skip)]
    pub activations: u64,
    /// How often each thing was wrong.
    #[serde(skip)]
    pub refusals: Vec<(&'static str, u64)>,
    /// When its source last said that it is the one.
    #[serde(skip)]
    pub confirmed_at: Option<UnixSeconds>,
}

/// A point in time, written as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub UnixSeconds);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = i64::try_from(self.0.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_second(seconds) {
            Ok(time) => serializer.collect_str(&time),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// What came of asking a bundle's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Another bundle is in force.
    Activated,
    /// The one in force still is the one.
    Unchanged,
    /// A good bundle, which waits for others that are not there yet.
    Waiting,
    /// Nothing came of it: why, in a word and in full.
    Refused(&'static str, String),
}

impl BundleStatus {
    /// Whether its source may answer with a delta.
    pub(super) fn takes_deltas(&self) -> bool {
        self.tag.is_some() && self.wholes_owed == 0 && self.deltas < MAX_DELTAS
    }

    /// Its source may have nothing but a whole bundle next; and once more, so that one whose deltas are
    /// never any good costs little more than one that has none.
    pub(super) fn want_whole(&mut self) {
        self.tag = None;
        self.wholes_owed = 2;
    }

    /// From now on `held` is what it is about.
    pub(super) fn holds(&mut self, held: &Held) {
        self.tag.clone_from(&held.tag);
        self.deltas = held.bundle.deltas();
        if self.deltas == 0 {
            self.wholes_owed = self.wholes_owed.saturating_sub(1);
        }
    }

    /// Notes what came of asking at `now`.
    pub(super) fn note(&mut self, outcome: &Outcome, now: UnixSeconds) {
        self.last_request = Some(Time(now));
        match outcome {
            Outcome::Refused(code, message) => {
                self.code = Some(code);
                self.message = Some(message.clone());
                match self.refusals.iter_mut().find(|(known, _)| known == code) {
                    Some((_, count)) => *count += 1,
                    None => self.refusals.push((code, 1)),
                }
                return;
            }
            Outcome::Activated => {
                self.last_successful_download = Some(Time(now));
                self.last_successful_activation = Some(Time(now));
                self.activations += 1;
            }
            Outcome::Waiting => self.last_successful_download = Some(Time(now)),
            Outcome::Unchanged => {}
        }
        self.last_successful_request = Some(Time(now));
        self.confirmed_at = Some(now);
        self.code = None;
        self.message = None;
    }
}
