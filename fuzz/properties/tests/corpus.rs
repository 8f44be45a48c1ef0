//! The fuzz corpora as plain tests: every seed, and a few thousand mutations of each corpus, always
//! the same ones. `./just fuzz TARGET` goes on where this stops.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use edgeward_fuzz_properties::{ALL, Property, Verdict};

const MUTATIONS: usize = 4000;
/// Per corpus, on a slow machine: the rest of the mutations are left to the fuzzer.
const BUDGET: Duration = Duration::from_millis(400);

#[test]
fn every_property_holds_for_its_corpus_and_mutations_of_it() {
    for (name, property) in ALL {
        let seeds = corpus(name).unwrap();
        let verdicts: Vec<Verdict> = seeds.iter().map(|seed| run(name, property, seed)).collect();
        for verdict in [Verdict::Accepted, Verdict::Refused] {
            assert!(
                verdicts.contains(&verdict),
                "{name}: no seed is {verdict:?}"
            );
        }
        let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
        let started = Instant::now();
        for _ in 0..MUTATIONS {
            run(name, property, &mutate(&seeds, &mut random));
            if started.elapsed() > BUDGET {
                break;
            }
        }
    }
}

#[test]
fn every_property_has_a_fuzz_target_and_every_target_a_property() {
    let mut targets: Vec<String> = fs::read_dir(fuzz().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    targets.sort();
    assert_eq!(targets, ALL.map(|(name, _)| format!("{name}.rs")));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (name, _) in ALL {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
        let target = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(
            target.contains(&format!("edgeward_fuzz_properties::{name}(data)")),
            "{name}"
        );
    }
}

/// Runs a property, and names the input where it does not hold.
fn run(name: &str, property: Property, input: &[u8]) -> Verdict {
    struct Input<'a>(&'a str, &'a [u8]);
    impl Drop for Input<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("{}: does not hold for `{}`", self.0, self.1.escape_ascii());
            }
        }
    }
    let _named = Input(name, input);
    property(input)
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The seeds of one target, sorted by name so that every run is the same.
fn corpus(name: &str) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = fs::read_dir(fuzz().join("corpus").join(name))?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    paths.into_iter().map(fs::read).collect()
}

struct XorShift(u64);

impl XorShift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }

    /// Somewhere in `bytes`, its end included.
    fn place(&mut self, bytes: &[u8]) -> usize {
        self.below(bytes.len() + 1)
    }
}

/// What means something to one parser or another.
const TELLING: [&[u8]; 24] = [
    b"..", b".", b"/", b"\\", b"%2f", b"%2E", b"%00", b"%25", b";", b"#", b"?", b":", b"\"", b",",
    b"{", b"}", b"[", b"]", b"null", b"true", b"-1", b"1e999", b"\xff", b"\0",
];

/// A seed with one to four changes: a telling text put in, a byte changed, a stretch cut out or
/// doubled, or the rest of another seed.
fn mutate(seeds: &[Vec<u8>], random: &mut XorShift) -> Vec<u8> {
    let mut bytes = seeds
        .get(random.below(seeds.len()))
        .cloned()
        .unwrap_or_default();
    for _ in 0..=random.below(4) {
        let (a, b) = (random.place(&bytes), random.place(&bytes));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 16));
        match random.below(5) {
            0 => {
                let telling = TELLING.get(random.below(TELLING.len())).copied();
                bytes.splice(from..from, telling.unwrap_or_default().iter().copied());
            }
            1 => {
                let bit = 1 << random.below(8);
                bytes
                    .iter_mut()
                    .skip(from)
                    .take(1)
                    .for_each(|byte| *byte ^= bit);
            }
            2 => drop(bytes.drain(from..to)),
            3 => {
                let stretch: Vec<u8> = bytes.iter().skip(from).take(to - from).copied().collect();
                bytes.splice(to..to, stretch);
            }
            _ => {
                let other = seeds
                    .get(random.below(seeds.len()))
                    .cloned()
                    .unwrap_or_default();
                let rest = random.place(&other);
                bytes.truncate(from);
                bytes.extend(other.iter().skip(rest));
            }
        }
    }
    bytes
}
