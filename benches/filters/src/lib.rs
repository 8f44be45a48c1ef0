//! Nothing: this package exists for its two examples, each one Wasm module that the benches load
//! beside Edgeward's filter. `examples/empty.rs` does nothing; `examples/floor.rs` does the least
//! that a filter with an answer of its own must do.
