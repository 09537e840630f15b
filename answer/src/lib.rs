//! One Answerer: what a customer's message becomes.
//!
//! A message walks through these files in this order, and each is one stage:
//!
//! | stage | file | question it answers |
//! |---|---|---|
//! | language | [`language`] | which language is the reply in? |
//! | memory | [`memory`] | what is asked, given what was said before? |
//! | route | [`route`] | small talk, a person, the documents, or none of our business? |
//! | evidence | [`evidence`] | which passages may be quoted? |
//! | compose | [`compose`] | what would the model say? |
//! | ground | [`ground`] | does the cited text support it? |
//! | decide | [`decide`], [`calibration`] | does it answer the question? |
//! | reply | `reply` | the record: text, sentences, citations, reason |
//!
//! All but [`Answerer`] are pure: they know neither the store nor the search, and are tested without them.

pub mod answer;
mod answerer;
pub mod calibration;
pub mod compose;
pub mod decide;
pub mod evidence;
pub mod ground;
pub mod language;
pub mod memory;
mod message;
pub mod phrases;
mod reply;
pub mod route;
mod trace;
mod vocabulary;

pub use answer::*;
pub use answerer::{AnswerError, Answerer, Ask};
pub use message::{plain, split_message};
pub use trace::{AnswerTrace, PackedPassage};
