//! `./just demo`: a real Envoy, a sample upstream and the PDP; a dozen telling requests and what
//! became of each. `--check` ends with an error when one is not as it must be; without it the parts
//! stay up, and the curl lines to try are printed.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut check = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--check" => check = true,
            "--help" | "-h" => {
                println!("usage: demo [--check]");
                return ExitCode::SUCCESS;
            }
            other => {
                eprintln!("demo: `{other}` is no option; the only one is `--check`");
                return ExitCode::from(2);
            }
        }
    }
    let demo = edgeward_tests::demo::Demo::start();
    let failed = demo.show();
    if failed > 0 {
        eprintln!("demo: {failed} of the lines above are not as they must be");
    }
    if check {
        return if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    demo.invite();
    loop {
        std::thread::park();
    }
}
