//! Which code this program was built from, stage by stage (see `build.rs`).

/// Hash of the sources that cut documents into chunks and embed them.
pub const CORPUS: &str = env!("PLUMBLINE_CODE_CORPUS");

/// Hash of the sources that call a model and read what it says.
pub const MODEL: &str = env!("PLUMBLINE_CODE_MODEL");

/// Hash of the sources that make a reply of a question, from the search to the decision.
pub const REPLY: &str = env!("PLUMBLINE_CODE_REPLY");

/// Hash of the prompts and other texts that are built in.
pub const PROMPTS: &str = env!("PLUMBLINE_CODE_PROMPTS");
