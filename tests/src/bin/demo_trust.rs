//! `./just demo-trust`: workloads get in by what their platforms vouch for, and what becomes of stolen,
//! replayed, re-targeted and misplaced evidence. `--check` ends with an error when a line is not as it
//! must be.

use std::process::ExitCode;

use edgeward_tests::trust::Trust;
use edgeward_tests::trust::cases::{self, Outcome};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["--check"] => {}
        ["--help" | "-h"] => {
            println!("usage: demo_trust [--check]");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("demo_trust: the only option is `--check`");
            return ExitCode::from(2);
        }
    }
    let trust = Trust::start();
    println!(
        "  {:<16} {:<38} {:<22} reason",
        "who", "what it tries", "what comes of it"
    );
    println!("  {:─<16} {:─<38} {:─<22} {:─<26}", "", "", "", "");
    let mut failed = 0;
    for case in cases::all(&trust) {
        let outcome = trust.play(&case);
        let (came, reason) = match &outcome {
            Outcome::Passed => ("reaches the service".to_owned(), ""),
            Outcome::NoToken(code) => ("gets no token".to_owned(), code.as_str()),
            Outcome::Denied(status, code) => (format!("denied by Envoy, {status}"), code.as_str()),
        };
        let holds = outcome == case.must;
        let mark = if holds { ' ' } else { '✗' };
        println!(
            "{mark} {:<16} {:<38} {came:<22} {reason}",
            case.who, case.title
        );
        if !holds {
            println!("    must be: {:?}", case.must);
            failed += 1;
        }
    }
    if failed == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("demo_trust: {failed} of the lines above are not as they must be");
    ExitCode::FAILURE
}
