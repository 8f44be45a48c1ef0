//! Counters of the filter, by name; Envoy shows them as `wasmcustom.edgeward.…`.
//!
//! Names come from these enums alone, so their number is fixed: never a path, an id or a subject.

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// The request went on.
    Forwarded,
    /// The request had no canonical form.
    NotCanonical,
    /// The workload was not authenticated.
    Unauthenticated,
    /// The policy denied.
    Denied,
    /// No decision could be had.
    Unavailable,
    /// A token was verified, its signature checked.
    TokenVerified,
    /// A token was known already.
    TokenRemembered,
    /// A token was refused.
    TokenRefused,
    /// The PDP was asked.
    PdpAsked,
    /// The PDP was called with one question or more.
    PdpCalled,
    /// The PDP did not give a well-formed answer.
    PdpFailed,
    /// A request passed by posture although the PDP did not answer.
    PostureUsed,
    /// A decision was reused beyond its time because the PDP did not answer.
    PostureStale,
    /// A poll of the sync feed succeeded.
    SyncSucceeded,
    /// A poll of the sync feed failed.
    SyncFailed,
    /// A decision was reused.
    CacheHit,
    /// No decision was there to reuse.
    CacheMissCold,
    /// There was one, of policies that are no longer in force.
    CacheMissPolicy,
    /// There was one, of these policies and other data.
    CacheMissData,
    /// There was one, and its time was over.
    CacheMissExpired,
    /// None was looked for: the sync feed is too old.
    CacheMissStale,
    /// None was looked for: what decides now cannot be remembered.
    CacheMissVary,
    /// None was looked for: whoever asks, or what would decide, is revoked.
    CacheMissRevoked,
    /// A decision that another waited for was told to this one too.
    CacheShared,
    /// The PDP took a report of keys that nobody has.
    KeysReported,
    /// It did not.
    KeysNotReported,
}

impl Counter {
    /// Every counter, in the order of their ids.
    pub const ALL: [Self; 26] = [
        Self::Forwarded,
        Self::NotCanonical,
        Self::Unauthenticated,
        Self::Denied,
        Self::Unavailable,
        Self::TokenVerified,
        Self::TokenRemembered,
        Self::TokenRefused,
        Self::PdpAsked,
        Self::PdpCalled,
        Self::PdpFailed,
        Self::PostureUsed,
        Self::PostureStale,
        Self::SyncSucceeded,
        Self::SyncFailed,
        Self::CacheHit,
        Self::CacheMissCold,
        Self::CacheMissPolicy,
        Self::CacheMissData,
        Self::CacheMissExpired,
        Self::CacheMissStale,
        Self::CacheMissVary,
        Self::CacheMissRevoked,
        Self::CacheShared,
        Self::KeysReported,
        Self::KeysNotReported,
    ];

    /// The name as Envoy shows it, behind `wasmcustom.`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "edgeward.request.forwarded",
            Self::NotCanonical => "edgeward.request.not_canonical",
            Self::Unauthenticated => "edgeward.request.unauthenticated",
            Self::Denied => "edgeward.request.denied",
            Self::Unavailable => "edgeward.request.unavailable",
            Self::TokenVerified => "edgeward.token.verified",
            Self::TokenRemembered => "edgeward.token.remembered",
            Self::TokenRefused => "edgeward.token.refused",
            Self::PdpAsked => "edgeward.pdp.asked",
            Self::PdpCalled => "edgeward.pdp.called",
            Self::PdpFailed => "edgeward.pdp.failed",
            Self::PostureUsed => "edgeward.posture.used",
            Self::PostureStale => "edgeward.posture.stale",
            Self::SyncSucceeded => "edgeward.sync.succeeded",
            Self::SyncFailed => "edgeward.sync.failed",
            Self::CacheHit => "edgeward.cache.hit",
            Self::CacheMissCold => "edgeward.cache.miss_cold",
            Self::CacheMissPolicy => "edgeward.cache.miss_policy",
            Self::CacheMissData => "edgeward.cache.miss_data",
            Self::CacheMissExpired => "edgeward.cache.miss_expired",
            Self::CacheMissStale => "edgeward.cache.miss_stale",
            Self::CacheMissVary => "edgeward.cache.miss_vary",
            Self::CacheMissRevoked => "edgeward.cache.miss_revoked",
            Self::CacheShared => "edgeward.cache.shared",
            Self::KeysReported => "edgeward.keys.reported",
            Self::KeysNotReported => "edgeward.keys.not_reported",
        }
    }
}

/// The histogram of the PDP's answers, in microseconds as the filter saw them.
pub const PDP_MICROSECONDS: &str = "edgeward.pdp.microseconds";

/// The histogram of the ages of reused decisions, in seconds: of one decision a tick and worker, for each
/// record is a call of the host.
pub const REUSED_AGE_SECONDS: &str = "edgeward.cache.age_seconds";
/// The gauge of decisions remembered by all workers, and of what they take.
pub const CACHE_ENTRIES: &str = "edgeward.cache.entries";
/// The gauge of the bytes that they take.
pub const CACHE_BYTES: &str = "edgeward.cache.bytes";

/// What happened since the host was last told.
#[derive(Debug, Default)]
pub struct Tally([u32; Counter::ALL.len()]);

impl Tally {
    /// One more.
    pub fn count(&mut self, counter: Counter) {
        if let Some(number) = self.0.get_mut(counter as usize) {
            *number = number.saturating_add(1);
        }
    }

    /// Hands over what happened, by the counter's place in [`Counter::ALL`].
    pub fn drain(&mut self) -> impl Iterator<Item = (usize, u32)> {
        std::mem::take(&mut self.0)
            .into_iter()
            .enumerate()
            .filter(|(_, number)| *number > 0)
    }
}
