//! When an answer of a policy set may be given again.

use edgeward_core::atoms::Atoms;
use edgeward_core::feed::Caching;
use edgeward_core::footprint::Footprint;
use edgeward_core::time::UnixSeconds;

use super::coarse_clock::Quantum;
use super::program::Numbers;
use super::set::PolicySet;

impl PolicySet {
    /// What its decisions rest on, in numbers of this process: sets that share them decide alike.
    pub fn numbers(&self) -> Numbers {
        self.program.numbers
    }

    /// How its decisions may be remembered, if they may: not where they depend on chance, the world
    /// or the true time, and not where every question is a new one.
    pub fn caching(&self) -> Option<Caching> {
        let footprint = &self.footprint;
        let tells_time = footprint.clock.is_none() || self.clock_quantum.is_some();
        (footprint.is_cacheable() && tells_time).then(|| Caching {
            program: self.program.name.clone(),
            policies: self.program.policies.clone(),
            vary: footprint.input.clone(),
            atoms: Atoms::default(),
        })
    }

    /// What of an input the entry point's value is a function of, by these policies and data; none where
    /// it is of more, such as the time, or of all of it.
    pub fn value_rests_on(&self) -> Option<&Footprint> {
        let footprint = &self.footprint;
        let is_function = footprint.is_cacheable() && footprint.clock.is_none();
        is_function.then_some(&footprint.input)
    }

    /// How long the clock of its policies stands still; none where they see the true time.
    pub fn clock_quantum(&self) -> Option<Quantum> {
        self.clock_quantum
    }

    /// The first instant after `now` at which a decision made then must no longer be reused because the
    /// policy sees another time; none where it sees none.
    pub fn time_moves(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        let reads_clock = self.footprint.clock.is_some();
        let clock = self.clock_quantum.filter(|_| reads_clock);
        let clock = clock.map(|quantum| quantum.end(now));
        // The time that is put into a question is known to the second.
        let told = self.footprint.input.at(["context", "time"]);
        clock.into_iter().chain(told.map(|_| now.plus(1))).min()
    }
}
