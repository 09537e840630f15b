//! From numbers to a verdict: what was asked for, and whether it was shown.

pub mod exit;
pub mod judge;
pub mod spec;

pub use exit::Exit;
pub use judge::{GateResult, Verdict};
pub use spec::Gate;
