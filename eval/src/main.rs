//! `plumbline-eval`: everything but the exit code is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    plumbline_eval::cli::main()
}
