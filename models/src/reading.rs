//! How the parts that do not understand language read it: words, sentences, and what a question asks for.
//!
//! The extractive composer ranks with these, and the stages above it route, remember, ground and decide with the very
//! same ones, so that a word counts as "found" everywhere or nowhere. English, French, Portuguese and Spanish share
//! one folding and one light stemmer: a customer's language is often a guess, and a wrong guess must not lose a match.

mod asked;
mod concepts;
mod language;
mod sentences;
mod words;

pub use asked::Asked;
pub use concepts::{Meaning, meanings, meanings_of, synonyms, written_out};
pub use language::told_language;
pub use sentences::sentence_spans;
pub use words::{Word, fold, is_stop_word, near, stem, words};
