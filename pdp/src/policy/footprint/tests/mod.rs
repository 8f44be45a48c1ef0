//! Policies and what the analysis says they read, against expectation, evaluation and OPA.

mod beside_input;
mod generated;
mod input;
mod oracle;
mod projection;
