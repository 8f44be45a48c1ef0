//! Policies and what the analysis says they read, against expectation, evaluation and OPA.

mod beside_input;
mod input;
