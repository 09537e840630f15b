//! The gate: a golden set goes in, an exit code comes out.
//!
//! The modules stand in the order in which a run passes them: [`golden`] reads, checks and pins the
//! cases; [`target`] asks the system under test; [`metrics`] are pure functions over the replies,
//! on the [`stats`] below them; [`gate`] judges; [`report`] tells. [`run`] is the walk through all
//! of them and [`cli`] its command line.
//!
//! The gate fails closed. An error stays in the denominator with the worst score, missing data is
//! inconclusive and not a pass, and the line that names the exit code is printed from the value
//! that the process exits with.

pub mod accept;
pub mod calibrate;
pub mod cli;
pub mod code;
pub mod error;
pub mod gate;
pub mod golden;
pub mod machine;
pub mod metrics;
pub mod mutate;
pub mod progress;
pub mod ratchet;
pub mod report;
pub mod run;
pub mod settings;
pub mod stats;
pub mod synth;
pub mod tape;
pub mod target;
pub mod tune;
pub mod worksheet;

#[cfg(test)]
mod testing;

pub use error::EvalError;
