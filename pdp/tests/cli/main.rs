//! The program as people run it: arguments and standard input in; output and exit code out.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop and say where"
)]

mod atoms;
mod attest;
mod bundles;
mod check;
mod fetched;
mod footprint;
mod grades;
mod inspect;
mod operators;
mod policies;
mod program;
mod serve;
mod tokens;
mod usage;
