//! From replies to numbers: pure functions, one file per question asked of the system.
//!
//! The denominator of a metric is decided by the case file, never by what came back. A call that
//! failed or came back empty stays in it with the worst score, so a system that degrades can only
//! score lower.

pub mod abstention;
pub mod agreement;
pub mod citation;
pub mod claims;
pub mod correct;
pub mod cost;
pub mod estimate;
pub mod grade;
pub mod hallucination;
pub mod latency;
pub mod recall;
pub mod registry;
pub mod routing;
pub mod slice;
pub mod tables;
pub mod tools;

pub use estimate::{Estimate, Measured};
pub use grade::{Graded, Observed};
