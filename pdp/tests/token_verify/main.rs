//! Every way we know to forge or bend a token, against `edgeward token verify`.
//!
//! One table, one loop: each row is a token and the one verdict it must get. All rows go through
//! one run of the real program, so that none disturbs the next. Keys are made for the run and
//! thrown away; the clock stands at [`NOW`].

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop and say where"
)]

mod accepted;
mod claims;
mod forge;
mod headers;
mod keys;
mod times;
mod wire;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use forge::Forge;

/// 2027-01-15T08:00:00Z.
pub(crate) const NOW: u64 = 1_800_000_000;

/// One token and what must be said of it.
pub(crate) struct Row {
    /// What the attack is.
    pub(crate) name: String,
    /// The token, without line breaks.
    pub(crate) token: String,
    /// The subject of an accepted token, or the reason code of a refused one.
    pub(crate) verdict: Result<String, &'static str>,
}

impl Row {
    pub(crate) fn accepted(name: impl Into<String>, token: String, subject: &str) -> Self {
        Self {
            name: name.into(),
            token,
            verdict: Ok(subject.to_owned()),
        }
    }

    pub(crate) fn refused(name: impl Into<String>, token: String, reason: &'static str) -> Self {
        Self {
            name: name.into(),
            token,
            verdict: Err(reason),
        }
    }
}

/// The contract with callers, metrics and evidence: these never change their spelling.
const REASONS: [&str; 24] = [
    "token-too-long",
    "token-not-compact",
    "token-encoding-invalid",
    "token-header-invalid",
    "token-algorithm-unsupported",
    "token-header-forbidden",
    "token-payload-invalid",
    "token-claim-invalid",
    "token-claim-missing",
    "token-spiffe-id-invalid",
    "token-trust-domain-unknown",
    "token-issuer-unknown",
    "token-algorithm-not-allowed",
    "token-type-not-allowed",
    "token-audience-mismatch",
    "token-expired",
    "token-not-yet-valid",
    "token-issued-in-future",
    "token-lifetime-too-long",
    "token-key-id-missing",
    "token-key-unknown",
    "token-key-mismatch",
    "token-key-ambiguous",
    "token-signature-invalid",
];

fn table(forge: &Forge) -> Vec<Row> {
    let mut rows = accepted::rows(forge);
    rows.extend(wire::rows(forge));
    rows.extend(headers::rows(forge));
    rows.extend(claims::rows(forge));
    rows.extend(times::rows(forge));
    rows.extend(keys::rows(forge));
    rows
}

/// Runs all tokens through the program, one a line.
fn verdicts(forge: &Forge, rows: &[Row]) -> (Vec<serde_json::Value>, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_edgeward"))
        .args([
            "token",
            "verify",
            "--output",
            "json",
            "--at",
            &NOW.to_string(),
            "--config",
        ])
        .arg(forge.config())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("standard input is piped");
    let text: String = rows.iter().map(|row| row.token.clone() + "\n").collect();
    // The program answers while it reads, so both ends need somebody.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    writer
        .join()
        .expect("the writer ends")
        .expect("the program reads all of its input");
    let lines = String::from_utf8(output.stdout).expect("output is UTF-8");
    let values = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object"));
    (values.collect(), output.status.code())
}

#[test]
fn every_forged_or_bent_token_is_refused_for_its_own_reason() {
    let forge = Forge::new();
    let rows = table(&forge);
    let (verdicts, code) = verdicts(&forge, &rows);
    println!("{} tokens", rows.len());
    assert_eq!(verdicts.len(), rows.len(), "one line for each token");
    assert_eq!(code, Some(1), "some were refused");

    let mut wrong = Vec::new();
    for (row, verdict) in rows.iter().zip(&verdicts) {
        let said = match (verdict["result"].as_str(), verdict["subject"].as_str()) {
            (Some("accepted"), Some(subject)) => Ok(subject),
            // Nothing in a refused token is a fact, least of all its subject.
            (Some("refused"), None) => Err(verdict["reason"].as_str().unwrap_or_default()),
            _ => Err("not a verdict"),
        };
        let wanted = row.verdict.as_deref().map_err(|reason| *reason);
        if said != wanted {
            wrong.push(format!("{}: wanted {wanted:?}, but {verdict}", row.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );

    let covered: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.verdict.as_ref().err().copied())
        .collect();
    assert_eq!(
        covered,
        BTreeSet::from(REASONS),
        "every reason has a row, and no row another"
    );
}
