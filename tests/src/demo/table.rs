//! The table that the demo prints, and the judgement of each line.

use crate::reply::Reply;

use super::cases::Case;

/// A table being printed.
pub struct Table {
    lines: usize,
    failed: usize,
}

impl Table {
    /// Prints the heading.
    pub fn new() -> Self {
        println!(
            "  {:<33} {:<25} {:<12} {:<27} {:>8}",
            "request", "identity", "decision", "reason", "µs"
        );
        println!(
            "  {:─<33} {:─<25} {:─<12} {:─<27} {:─>8}",
            "", "", "", "", ""
        );
        Self {
            lines: 0,
            failed: 0,
        }
    }

    /// Prints one line. It holds when status and reason are as they must be, and the upstream has
    /// seen the request exactly when it was allowed.
    pub fn line(&mut self, case: &Case, reply: Option<&Reply>, passed: bool, micros: u128) {
        let status = reply.map_or(0, |reply| reply.status);
        let code = reply.map(Reply::code).unwrap_or_default();
        let allowed = case.status == 200;
        let holds = status == case.status && code == case.code && passed == allowed;
        let decision = match status {
            200 => "allow 200".to_owned(),
            0 => "no answer".to_owned(),
            status => format!("deny {status}"),
        };
        let reason = if code.is_empty() && passed {
            "granted"
        } else {
            &code
        };
        let mark = if holds { ' ' } else { '✗' };
        println!(
            "{mark} {:<33} {:<25} {decision:<12} {reason:<27} {micros:>8}",
            case.title, case.identity
        );
        if !holds {
            println!(
                "    must be: {} `{}`, upstream {}",
                case.status,
                case.code,
                if allowed { "reached" } else { "not reached" }
            );
            self.failed += 1;
        }
        self.lines += 1;
    }

    /// Prints the sum; how many lines do not hold.
    pub fn end(self) -> usize {
        println!(
            "\n  {} of {} as they must be",
            self.lines - self.failed,
            self.lines
        );
        self.failed
    }
}
