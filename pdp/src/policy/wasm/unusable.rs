//! Why a module that was compiled elsewhere cannot be asked for decisions.

use thiserror::Error;

use super::module::MAX_MODULE_BYTES;

/// Why. The file is for whoever has it to say.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unusable {
    /// More than is compiled.
    #[error("is larger than {MAX_MODULE_BYTES} bytes")]
    TooLarge,
    /// Cut short, or something else.
    #[error("is no WebAssembly module: {0}")]
    Broken(String),
    /// It wants something of its host that is not there.
    #[error(
        "imports `{0}`, which no policy compiled by OPA needs: build it with `opa build -t wasm`"
    )]
    Import(String),
    /// It does not say which ABI it has.
    #[error("does not export the version of its ABI: build it with `opa build -t wasm`")]
    NoVersion,
    /// It has another one.
    #[error("has ABI {0}.{1}, and only 1.2 and 1.3 are known: build it with another OPA")]
    Version(i32, i32),
    /// It lacks a function of the ABI.
    #[error("does not export the function `{0}` of ABI 1.3: build it with `opa build -t wasm`")]
    Export(&'static str),
    /// It calls a built-in that is not there.
    #[error("calls `{name}`, which is {why}: {fix}")]
    Builtin {
        /// The built-in.
        name: String,
        /// What is wrong with it.
        why: &'static str,
        /// What to do instead.
        fix: &'static str,
    },
    /// It has no such entry point.
    #[error("has no entry point `{0}`, which the manifest names: build it with `-e {0}`")]
    NoEntryPoint(String),
    /// It wants more memory than it may have.
    #[error("cannot be given the memory that it wants: {0}")]
    Memory(String),
    /// It failed when it was tried.
    #[error("cannot be started: {0}")]
    Start(String),
    /// The data files are more than it can hold.
    #[error("cannot take the data files in: {0}")]
    Data(String),
    /// It took too long, or those before it did.
    #[error(
        "takes longer to start than the {0} s that all compiled policies of a set may take together"
    )]
    Slow(u64),
    /// Nothing to interrupt it with.
    #[error("cannot be bounded in time: {0}")]
    Epochs(String),
}
