//! The `plumbline` program; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    plumbline_server::cli::main()
}
