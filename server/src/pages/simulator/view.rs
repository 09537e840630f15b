//! The chat as a customer sees it.

use askama::Template;
use chrono::{DateTime, Utc};

use crate::pages::evidence::view::Evidence;
use crate::pages::layout::Shell;

/// The page.
#[derive(Debug, Template)]
#[template(path = "simulator.html")]
pub struct SimulatorPage {
    /// Frame.
    pub shell: Shell,
    /// Name of the business.
    pub business: String,
    /// Its first letter.
    pub initial: String,
    /// What was said so far.
    pub bubbles: Vec<Bubble>,
    /// Questions to begin with.
    pub starters: &'static [&'static str],
    /// Evidence of the latest answer.
    pub evidence: Option<Evidence>,
    /// Heading of the panel while there is none.
    pub blank_title: &'static str,
    /// Words of the panel while there is none.
    pub blank_text: &'static str,
}

/// One bubble alone, for the stream.
#[derive(Debug, Template)]
#[template(path = "bubble_part.html")]
pub struct BubblePart {
    /// The bubble.
    pub bubble: Bubble,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Posted, nothing known.
    Sent,
    /// The webhook took it.
    Delivered,
    /// The business read it.
    Read,
    /// It did not arrive.
    Failed,
}

impl std::fmt::Display for Tick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        })
    }
}

/// A message in the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bubble {
    /// Identifier given by the platform.
    pub wamid: String,
    /// Whether the customer said it.
    pub mine: bool,
    /// Text.
    pub text: String,
    /// How far it got.
    pub tick: Tick,
    /// Time of day.
    pub clock: String,
    /// Moment, for programs.
    pub at_iso: String,
}

impl Bubble {
    /// A message said at `at`.
    pub fn new(wamid: &str, mine: bool, text: &str, tick: Tick, at: DateTime<Utc>) -> Self {
        Self {
            wamid: wamid.to_owned(),
            mine,
            text: text.to_owned(),
            tick,
            clock: at.format("%H:%M").to_string(),
            at_iso: at.to_rfc3339(),
        }
    }
}
