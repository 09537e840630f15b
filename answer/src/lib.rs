//! One Answerer.
mod answer;
pub use answer::*;
