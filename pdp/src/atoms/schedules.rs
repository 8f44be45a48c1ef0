//! All schedules at one instant, and until when that stays so.
//!
//! Which ones hold changes at their boundaries only, so it is computed once for the time between two.

use std::fmt::Write as _;
use std::sync::Arc;

use arc_swap::ArcSwap;
use edgeward_core::time::UnixSeconds;

use super::calendar::Schedule;

/// Schedules by name.
#[derive(Debug)]
pub(super) struct Schedules {
    named: Vec<(String, Schedule)>,
    moment: ArcSwap<Moment>,
}

/// A time within which no schedule begins or ends.
#[derive(Debug, Default)]
pub(super) struct Moment {
    from: i64,
    /// The first instant at which another set may hold; none if never.
    pub(super) until: Option<UnixSeconds>,
    /// The names of the schedules that hold, in order.
    pub(super) active: Vec<String>,
}

impl Schedules {
    pub(super) fn new(mut named: Vec<(String, Schedule)>) -> Self {
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        let moment = Moment::of(&named, 0);
        Self {
            named,
            moment: ArcSwap::from_pointee(moment),
        }
    }

    /// What holds at `now`.
    pub(super) fn at(&self, now: UnixSeconds) -> Arc<Moment> {
        let known = self.moment.load();
        if known.has(now) {
            return Arc::clone(&known);
        }
        let seconds = i64::try_from(now.0).unwrap_or(i64::MAX);
        let moment = Arc::new(Moment::of(&self.named, seconds));
        self.moment.store(Arc::clone(&moment));
        moment
    }

    /// Every definition, for its digest: the text of `Debug` has every field.
    pub(super) fn definition(&self) -> String {
        let mut text = String::new();
        for (name, schedule) in &self.named {
            let Schedule {
                zone: _,
                zone_name,
                windows,
                spans,
                except,
            } = schedule;
            // A `String` takes whatever is written.
            let _ = writeln!(
                text,
                "{name:?} {zone_name:?} {windows:?} {spans:?} {except:?}"
            );
        }
        text
    }
}

impl Moment {
    fn of(named: &[(String, Schedule)], now: i64) -> Self {
        let mut moment = Self {
            from: now,
            ..Self::default()
        };
        let mut until: Option<i64> = None;
        for (name, schedule) in named {
            let holding = schedule.at(now);
            if holding.active {
                moment.active.push(name.clone());
            }
            until = until.into_iter().chain(holding.until).min();
        }
        moment.until = until.map(|until| UnixSeconds(until.try_into().unwrap_or_default()));
        moment
    }

    fn has(&self, now: UnixSeconds) -> bool {
        u64::try_from(self.from).is_ok_and(|from| from <= now.0)
            && self.until.is_none_or(|until| now < until)
    }
}
