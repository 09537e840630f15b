//! What a question looked at, kept: the record of a trace, which of them are stored, how they are found, and what
//! becomes of them when they are asked again.
//!
//! A trace is an account of an answer, never a part of it: it is stored after the answer, in a transaction of its own,
//! and a failure to store one is logged and forgotten.

mod ask;
mod compare;
mod keep;
mod query;
mod record;
mod replay;
#[cfg(test)]
pub(crate) mod sample;

pub use ask::{AskError, Asked, Asking, Keep, ask, search};
pub use compare::{Change, Comparison, MovedPassage};
pub use keep::{keep, sampled, wanted};
pub use query::{QueryProblem, TraceQuery};
pub use record::{AnswerSummary, Origin, ReplayOf, SCHEMA_VERSION, TraceRecord};
pub use replay::{Against, ReplayError, Replayed, replay};
