//! OPA's own conformance suite, through the engine as the doors use it: gate, then bytecode where the
//! policies let it, else the interpreter.
//!
//! A case ends right, refused at load by name, or wrong; wrong there must be none, but for what OPA itself
//! answers otherwise by now. What is refused,
//! and why, is in `docs/compatibility.md` (`crate::page`).

mod case;

use std::collections::BTreeMap;
use std::thread;

use edgeward::policy::STACK_BYTES;
use serde_json::Value;

use self::case::Ending;
use crate::data::{Data, list, text};
use crate::table::Suite;

/// What came of the cases of each folder.
pub(crate) type Folders = BTreeMap<String, Count>;

/// Cases whose label is of an older OPA than the one that Edgeward answers as, and what that one says
/// (`pdp/src/policy/builtins/tests/recorded.jsonl` has it).
const CHANGED_SINCE: [(&str, &str); 1] = [(
    "reachable_paths/cycle_1022_3",
    "OPA 1.20 answers otherwise than this edition of its suite, and as Edgeward does",
)];

/// What came of the cases of one folder.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) right: usize,
    bytecode: usize,
    /// By cause.
    pub(crate) refused: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Count {
    pub(crate) fn cases(&self) -> usize {
        self.right + self.refused.values().sum::<usize>() + self.wrong.len()
    }
}

/// Runs every case.
pub(crate) fn run(data: &Data) -> (Suite, Folders) {
    let folders = count(data);
    let mut suite = Suite::new("opa-rego");
    for count in folders.values() {
        suite.pass(count.right);
        for (why, cases) in &count.refused {
            (0..*cases).for_each(|_| suite.skip(&format!("not right: {why}")));
        }
        for wrong in &count.wrong {
            suite.check(false, wrong, "wrong");
        }
    }
    let bytecode: usize = folders.values().map(|count| count.bytecode).sum();
    suite.note(format!("{bytecode} of the right answers are bytecode's"));
    (suite, folders)
}

fn count(data: &Data) -> Folders {
    let folders = data.files("v1");
    let (first, second) = folders.split_at(folders.len() / 2);
    // The engine needs more stack than a test has.
    thread::scope(|scope| {
        let start = |folders: &'_ [String]| {
            let folders = folders.to_vec();
            let run = move || {
                let run = |folder: &String| (folder.replace("v1/", ""), run_folder(data, folder));
                folders.iter().map(run).collect::<Vec<_>>()
            };
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            thread.spawn_scoped(scope, run).expect("a thread")
        };
        let threads = [start(first), start(second)];
        let counted = threads
            .into_iter()
            .flat_map(|t| t.join().expect("no crash"));
        counted.collect()
    })
}

fn run_folder(data: &Data, folder: &str) -> Count {
    let mut count = Count::default();
    for file in data.files(folder) {
        let suite = data.json(&file);
        for case in list(&suite, "/cases") {
            add(&mut count, case);
        }
    }
    count
}

fn add(count: &mut Count, case: &Value) {
    match case::run(case) {
        Ending::Right { engine } => {
            count.right += 1;
            count.bytecode += usize::from(engine == "bytecode");
        }
        Ending::Refused(why) => *count.refused.entry(why).or_default() += 1,
        Ending::Wrong(how) => {
            let note = text(case, "/note");
            match CHANGED_SINCE.iter().find(|(changed, _)| *changed == note) {
                Some((_, why)) => *count.refused.entry((*why).to_owned()).or_default() += 1,
                None => count.wrong.push(format!("{note}: {how}")),
            }
        }
    }
}
