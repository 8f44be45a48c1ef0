//! Random histories: time passes, clocks jump, operators rotate, the process dies, the disk fails. Whatever
//! happens, a token verifies by what is published for as long as it was made to live; and what signs was
//! known to all before.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Event {
    /// Time passes, in steps of the task.
    Pass {
        seconds: u64,
        steps: u64,
    },
    /// The system's clock is so many seconds wrong from now on.
    Jump(i64),
    Order,
    /// The process dies, after a change was written or in the middle of one, and starts anew.
    Crash {
        down: u64,
        after_write: bool,
    },
    /// So long, nothing can be written.
    DiskFails {
        seconds: u64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let year = i64::try_from(YEAR).unwrap();
    prop_oneof![
        5 => (1..2 * DAY, 1..6_u64).prop_map(|(seconds, steps)| Event::Pass { seconds, steps }),
        3 => (1..2 * HOUR, 1..6_u64).prop_map(|(seconds, steps)| Event::Pass { seconds, steps }),
        1 => prop_oneof![Just(0), -year..year, -4000..4000_i64].prop_map(Event::Jump),
        2 => Just(Event::Order),
        2 => (0..3 * DAY, any::<bool>())
            .prop_map(|(down, after_write)| Event::Crash { down: down / 10, after_write }),
        1 => (1..DAY).prop_map(|seconds| Event::DiskFails { seconds }),
    ]
}

/// The world as it is, beside what the room believes.
struct World {
    stage: Stage,
    keys: Option<SigningKeys>,
    /// The true time since the start.
    time: u64,
    /// When the process began.
    started: u64,
    wrong_by: i64,
    /// Tokens, each with the true time until which it must verify.
    tokens: Vec<(u64, String)>,
    /// Of what is published since when, by this process.
    seen_since: BTreeMap<String, u64>,
    /// Keys that one process published for long enough; the first counts as one.
    known: BTreeSet<String>,
    published: BTreeSet<String>,
    sequence: u64,
    /// The key that signs in this process, and since when.
    signs: (String, u64),
}

impl World {
    fn new() -> Self {
        let stage = Stage::new();
        let keys = stage.open(after(0));
        let first = current_id(&keys);
        Self {
            stage,
            known: [first.clone()].into(),
            signs: (first, 0),
            keys: Some(keys),
            time: 0,
            started: 0,
            wrong_by: 0,
            tokens: Vec::new(),
            seen_since: BTreeMap::new(),
            published: BTreeSet::new(),
            sequence: 0,
        }
    }

    fn now(&self) -> Moment {
        let wall = (START + self.time).saturating_add_signed(self.wrong_by);
        at(wall, self.time - self.started)
    }

    fn keys(&self) -> &SigningKeys {
        self.keys.as_ref().unwrap()
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Pass { seconds, steps } => {
                for _ in 0..*steps {
                    self.time += seconds.div_ceil(*steps);
                    self.keys().rotate(self.now()).unwrap();
                    self.look();
                }
            }
            Event::Jump(wrong_by) => {
                self.wrong_by = *wrong_by;
                self.keys().rotate(self.now()).unwrap();
            }
            // Too early is no harm.
            Event::Order => drop(self.keys().rotate_now(self.now())),
            Event::Crash { down, after_write } => {
                if *after_write {
                    // On the disk, and nobody was told.
                    drop(self.keys().rotate_now(self.now()));
                }
                self.restart(*down);
            }
            Event::DiskFails { seconds } => {
                let away = self.stage.root.path().join("away");
                fs::rename(self.stage.directory(), &away).unwrap();
                self.time += seconds;
                drop(self.keys().rotate(self.now()));
                self.look();
                fs::rename(away, self.stage.directory()).unwrap();
                self.keys().rotate(self.now()).unwrap();
            }
        }
        self.look();
    }

    fn restart(&mut self, down: u64) {
        self.keys = None;
        fs::write(self.stage.directory().join(".tmpdead"), b"{").unwrap();
        self.time += down;
        self.started = self.time;
        self.seen_since.clear();
        self.keys = Some(self.stage.open(self.now()));
        self.signs = (current_id(self.keys()), self.time);
    }

    /// Looks at what is published, and signs.
    fn look(&mut self) {
        let published = self.keys().published().borrow().clone();
        let ids: BTreeSet<String> = published_ids(self.keys()).into_iter().collect();
        if ids == self.published {
            assert_eq!(published.sequence, self.sequence);
        } else {
            assert!(published.sequence > self.sequence, "the sequence must grow");
        }
        let time = self.time;
        for id in &ids {
            let since = *self.seen_since.entry(id.clone()).or_insert(time);
            if time - since >= PROPAGATION {
                self.known.insert(id.clone());
            }
        }
        (self.published, self.sequence) = (ids, published.sequence);
        self.tokens.retain(|(until, _)| *until > time);
        for (_, token) in &self.tokens {
            assert!(verifies(token, &published.keys), "a token outlived its key");
        }
        let current = current_id(self.keys());
        if self.signs.0 != current {
            self.signs = (current.clone(), time);
        }
        if let Ok(token) = sign(self.keys(), self.now()) {
            assert!(
                self.known.contains(&current),
                "a key signs that nobody knows"
            );
            assert!(
                time - self.signs.1 < DAY + DAY / 2,
                "a key past its time signs"
            );
            assert!(verifies(&token, &published.keys));
            self.tokens.push((time + LONGEST_TOKEN + 300, token));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_token_verifies_for_as_long_as_it_was_made_to_live(
        events in proptest::collection::vec(event(), 1..40),
    ) {
        let mut world = World::new();
        world.look();
        for event in &events {
            world.happen(event);
        }
    }
}
