//! Keeps a token fresh: renewed at about half of its life, tried again in growing intervals while that
//! fails, and in use until it ends.
//!
//! What this is not: where it is kept. A [`Keeper`] tells each new token, and that there is none any more.

use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::attestor::Attestor;
use super::exchange::Token;
use super::probe::Surroundings;
use crate::fetch::{Pace, RefreshSettings};

/// The shortest time between two renewals.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long a wait goes on without a look at the clock.
const LOOK: Duration = Duration::from_secs(15);

/// Renews one token, again and again.
pub(crate) struct Keeper {
    attestor: Attestor,
    tokens: watch::Sender<Option<Token>>,
    pace: Pace,
}

impl Keeper {
    /// A keeper that has no token yet.
    pub(crate) fn new(attestor: Attestor) -> Self {
        let settings = RefreshSettings {
            shortest: SHORTEST,
            longest: Duration::MAX,
            ..RefreshSettings::default()
        };
        Self {
            attestor,
            tokens: watch::Sender::new(None),
            pace: Pace::new(settings),
        }
    }

    /// The token of the moment; none where there is none that lives.
    pub(crate) fn tokens(&self) -> watch::Receiver<Option<Token>> {
        self.tokens.subscribe()
    }

    /// Renews for ever.
    pub(crate) async fn run(mut self) {
        loop {
            let wait = match self.attestor.obtain().await {
                Ok(token) => self.take(token),
                Err(failure) => {
                    warn!(error = %failure, "no new token: trying again");
                    self.pace.after_failure()
                }
            };
            self.sleep(wait).await;
        }
    }

    fn take(&mut self, token: Token) -> Duration {
        let lifetime = token.lifetime(token.issued_at);
        let platform = self
            .attestor
            .platform
            .map_or("", |platform| platform.as_str());
        info!(platform, audiences = ?token.audiences, expires_in = lifetime, "token renewed");
        self.tokens.send_replace(Some(token));
        self.pace
            .after_success(Some(Duration::from_secs(lifetime) / 2))
    }

    /// Waits; a token that ends meanwhile is taken away. It is over by the one clock or the other: timers
    /// stand still while a machine sleeps, and the time of day can be set back.
    async fn sleep(&self, wait: Duration) {
        let end = Surroundings::now().plus(wait.as_secs());
        let until = Instant::now() + wait;
        loop {
            let now = Surroundings::now();
            self.drop_expired(now);
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || now > end {
                return;
            }
            tokio::time::sleep(left.min(self.until_expiry(now)).min(LOOK)).await;
        }
    }

    /// How long the token lives; without one, for ever.
    fn until_expiry(&self, now: UnixSeconds) -> Duration {
        let token = self.tokens.borrow();
        let left = token.as_ref().map(|token| token.lifetime(now).max(1));
        left.map_or(Duration::MAX, Duration::from_secs)
    }

    fn drop_expired(&self, now: UnixSeconds) {
        let ended = |token: &mut Option<Token>| {
            let has_ended = token.as_ref().is_some_and(|token| token.lifetime(now) == 0);
            if has_ended {
                *token = None;
            }
            has_ended
        };
        if self.tokens.send_if_modified(ended) {
            error!("the token has expired, and there is no other");
        }
    }
}
