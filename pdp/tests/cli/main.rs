//! The program as people run it: arguments and standard input in; output and exit code out.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on should stop and say where"
)]

mod check;
mod policies;
mod program;
mod tokens;
mod usage;
