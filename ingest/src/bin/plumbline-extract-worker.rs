//! The extraction worker alone, for tests of the isolation. Servers call the same function from
//! a hidden sub-command of their own binary.

fn main() -> std::process::ExitCode {
    plumbline_ingest::worker_main()
}
