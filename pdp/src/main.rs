//! The `edgeward` program: arguments, run, exit code. Everything else is in the library.

/// The policy engine spends a third of an evaluation on small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    edgeward::cli::run()
}
