//! OPA as the judge: the same policies, data and questions go through bytecode, interpreter and OPA's own
//! engine, and the first difference ends the test.
//!
//! What this is not: the conformance suite (`tests/tests/conformance/opa_rego/`), which knows its answers.

mod constructs;
mod generated;
#[path = "../../../pdp/src/policy/bytecode/tests/generator.rs"]
mod generator;
mod opa;
mod ours;
#[path = "../../../pdp/src/policy/bytecode/tests/questions.rs"]
mod questions;
mod shipped;
