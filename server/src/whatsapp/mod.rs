//! The wire: what Meta posts to us and what we post to Meta.
//!
//! Nothing in here touches the database or decides anything about a conversation. A webhook body goes in as bytes and
//! comes out as elements to store ([`parse`]), once its signature holds ([`signature`]); a stored element is read again
//! when its turn is answered ([`content`]). A reply goes out through the [`graph`] client, and whatever goes wrong
//! there comes back as one of few dispositions ([`errors`]), so that the sender never looks at codes itself.

pub mod content;
pub mod errors;
pub mod graph;
pub mod parse;
pub mod signature;
