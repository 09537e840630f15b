//! The lexical leg: BM25 over a derived index per tenant.

mod analyze;
mod index;
mod question;

pub(crate) use index::{FieldBoosts, LexicalIndex, LexicalMatches};
pub(crate) use question::Word;
