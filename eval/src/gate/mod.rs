//! From numbers to a verdict: what was asked for, and whether it was shown; what was accepted before, and whether it still holds.

pub mod baseline;
pub mod exit;
pub mod judge;
pub mod paired;
pub mod power;
pub mod regression;
pub mod spec;

pub use baseline::Baseline;
pub use exit::Exit;
pub use judge::{GateResult, Verdict};
pub use regression::Comparison;
pub use spec::Gate;
