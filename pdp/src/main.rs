//! The `edgeward` program: arguments, run, exit code. Everything else is in the library.

fn main() -> std::process::ExitCode {
    edgeward::cli::run()
}
