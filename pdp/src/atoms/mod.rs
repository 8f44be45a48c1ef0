//! Atoms, made: each question is told which schedules hold, which named networks and which country
//! its address lies in, and which route its path takes.
//!
//! INVARIANT: whatever a caller wrote in their places is overwritten. All are made from the base
//! facts of the question (`context.source.address`, method, host and path) and the PDP's own time.
//! Only a filter's projection comes with networks and route, made by the same code and by the
//! definitions that its program names; for another program it is not answered.
//!
//! Order of reading: `tell` (into the question), `schedules` and `calendar` (time), `country` (the
//! database). Networks and routes are `edgeward_core::atoms`, shared with the filter.

mod calendar;
mod country;
mod schedules;
mod tell;
mod window;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use edgeward_core::atoms::Atoms as Definitions;
use edgeward_core::decision::Premises;
use edgeward_core::feed::Caching;
use edgeward_core::footprint::Footprint;
use edgeward_core::revocation::hex;
use edgeward_core::time::UnixSeconds;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

pub use calendar::{Holding, Schedule, Window};
pub use country::{CountryError, MAX_DATABASE_BYTES};
pub use window::{Days, TimeOfDay, WindowError};

/// The most schedules.
pub const MAX_SCHEDULES: usize = 64;
/// The most windows of one schedule.
pub const MAX_WINDOWS: usize = 32;
/// The most dates of one schedule on which no window begins.
pub const MAX_EXCEPTIONS: usize = 366;

use self::country::{Countries, Database};
use self::schedules::Schedules;

/// Where each atom stands in a question.
pub const SCHEDULES: [&str; 2] = ["context", "schedules"];
/// As [`SCHEDULES`].
pub const NETWORKS: [&str; 3] = ["context", "source", "networks"];
/// As [`SCHEDULES`].
pub const COUNTRY: [&str; 3] = ["context", "source", "country"];
/// As [`SCHEDULES`].
pub const ROUTE: [&str; 3] = ["resource", "properties", "route"];
/// As [`SCHEDULES`].
pub const PARAMS: [&str; 3] = ["resource", "properties", "params"];
/// What the country is made of.
const ADDRESS: [&str; 3] = ["context", "source", "address"];

/// Checked definitions; `crate::config` makes this.
#[derive(Debug, Clone, Default)]
pub struct AtomSettings {
    /// How many networks there are.
    pub networks: usize,
    /// Networks and routes.
    pub definitions: Definitions,
    /// Schedules by name.
    pub schedules: Vec<(String, Schedule)>,
    /// A database of countries in `MaxMind`'s format.
    pub country_database: Option<PathBuf>,
}

/// What makes atoms.
#[derive(Debug)]
pub struct Atoms {
    definitions: Definitions,
    schedules: Schedules,
    countries: Option<Arc<Countries>>,
    digests: Digests,
}

/// Names of the definitions: another definition, another name.
#[derive(Debug)]
struct Digests {
    networks: String,
    routes: String,
    schedules: String,
}

/// What one question was told, as far as its answer rests on it beside its key.
#[derive(Debug)]
pub struct Told {
    schedules_until: Option<UnixSeconds>,
    countries: Option<Arc<Database>>,
}

impl Atoms {
    /// What `settings` define. The database of countries is read and checked.
    pub fn open(settings: &AtomSettings) -> Result<Self, CountryError> {
        let definitions = settings.definitions.clone();
        let schedules = Schedules::new(settings.schedules.clone());
        let countries = settings.country_database.as_deref().map(Countries::open);
        // Neither has a way to fail: texts in lists.
        let json = |value: serde_json::Result<Vec<u8>>| value.unwrap_or_default();
        Ok(Self {
            digests: Digests {
                networks: digest(&json(serde_json::to_vec(&definitions.networks))),
                routes: digest(&json(serde_json::to_vec(&definitions.routes))),
                schedules: digest(schedules.definition().as_bytes()),
            },
            definitions,
            schedules,
            countries: countries.transpose()?.map(Arc::new),
        })
    }

    /// Tells `input` its atoms at `now`.
    pub fn tell(&self, input: &mut Value, now: UnixSeconds) -> Told {
        tell::networks(input, &self.definitions);
        tell::route(input, &self.definitions);
        self.complete(input, &Footprint::Whole, now)
    }

    /// Tells a filter's `projection` what a filter cannot make of what `vary` covers: schedules and
    /// countries. Networks and routes it has made by the definitions that its program names
    /// ([`Atoms::is_program`]).
    pub fn complete(&self, projection: &mut Value, vary: &Footprint, now: UnixSeconds) -> Told {
        let moment = self.schedules.at(now);
        let countries = self.countries.as_ref().map(|countries| countries.current());
        if reads(vary, &SCHEDULES) {
            tell::schedules(projection, &moment.active);
        }
        if reads(vary, &COUNTRY) {
            let of = |address: &str| countries.as_ref()?.of(address.parse().ok()?);
            tell::country(projection, of);
        }
        Told {
            schedules_until: moment.until,
            countries,
        }
    }

    /// Whether `name` is what filters are told of `caching`, of which a question was `told`.
    pub fn is_program(&self, name: &str, caching: &Caching, told: &Told) -> bool {
        let mut expected = caching.program.clone();
        self.name(&mut expected, &caching.vary, told.countries.as_deref());
        name == expected
    }

    /// How decisions may be remembered that depend on atoms as well, as filters are told it.
    #[must_use]
    pub fn caching(&self, mut caching: Caching) -> Caching {
        let countries = self.countries.as_ref().map(|countries| countries.current());
        self.name(&mut caching.program, &caching.vary, countries.as_deref());
        if reads(&caching.vary, &NETWORKS) {
            caching.atoms.networks = self.definitions.networks.clone();
        }
        if reads_route(&caching.vary) {
            caching.atoms.routes = self.definitions.routes.clone();
        }
        // A filter has no database: it tells addresses apart instead.
        if countries.is_some() && reads(&caching.vary, &COUNTRY) {
            caching.vary.widen(ADDRESS);
        }
        caching
    }

    /// Makes `premises` of a decision that depends on `vary` cover what its question was `told`.
    pub fn limit(&self, premises: &mut Premises, vary: &Footprint, told: &Told) {
        self.name(&mut premises.program, vary, told.countries.as_deref());
        if let Some(until) = told.schedules_until
            && reads(vary, &SCHEDULES)
        {
            premises.until = premises.until.min(until);
        }
    }

    /// Adds to the name of a program what it also decides by.
    fn name(&self, program: &mut String, vary: &Footprint, countries: Option<&Database>) {
        let Digests {
            networks,
            routes,
            schedules,
        } = &self.digests;
        let mut part = |is_read: bool, kind: char, digest: &str| {
            if is_read {
                // A `String` takes whatever is written.
                let _ = write!(program, ":{kind}{digest}");
            }
        };
        part(reads(vary, &NETWORKS), 'n', networks);
        part(reads_route(vary), 'r', routes);
        part(reads(vary, &SCHEDULES), 's', schedules);
        let countries = countries.map_or("", |countries| &countries.digest);
        part(reads(vary, &COUNTRY), 'c', countries);
    }

    /// Counts the changes of what is not fixed at the start: the database of countries.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        match &self.countries {
            Some(countries) => countries.subscribe(),
            // Nobody sends: it never changes.
            None => watch::Sender::new(0).subscribe(),
        }
    }

    /// Reads the database of countries again whenever its file changes, for ever.
    pub async fn follow(self: Arc<Self>) {
        if let Some(countries) = &self.countries {
            Arc::clone(countries).follow().await;
        }
    }
}

/// What the part of `input` at `path`, as Rego writes it, is made of, if it is an atom.
pub fn made_of(path: &str) -> Option<&'static str> {
    match path {
        "input.context.schedules" => Some("the time: an answer ends where one begins or ends"),
        "input.context.source.networks" => Some("the address"),
        "input.context.source.country" => Some("the address, which filters tell apart instead"),
        "input.resource.properties.route" => Some("method, host and path"),
        _ if path.starts_with("input.resource.properties.params") => Some("method, host and path"),
        _ => None,
    }
}

/// Whether a decision that depends on `vary` depends on what is at `path`.
pub fn reads(vary: &Footprint, path: &[&str]) -> bool {
    vary.at(path.iter().copied()).is_some()
}

fn reads_route(vary: &Footprint) -> bool {
    reads(vary, &ROUTE) || reads(vary, &PARAMS)
}

/// The first 16 hex digits of the SHA-256 of `content`.
fn digest(content: &[u8]) -> String {
    let sha256 = Sha256::digest(content);
    hex(sha256.get(..8).unwrap_or_default())
}
