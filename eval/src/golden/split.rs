//! The fixed split into a part to tune on and a part to report on.
//!
//! The id decides, so a case never changes sides when others are added or removed, and nobody can
//! choose the side.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// For tuning: about 40 % of the cases.
    Dev,
    /// For reporting: the rest.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dev => "dev",
            Self::Test => "test",
        })
    }
}

/// Which cases a run asks.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All of them.
    All,
    /// The dev side only.
    Dev,
    /// The test side only.
    Test,
}

impl Selection {
    /// Whether a case belongs to the selection.
    pub fn holds(self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Dev => split_of(id) == Split::Dev,
            Self::Test => split_of(id) == Split::Test,
        }
    }
}

/// The side of a case: dev when the first byte of `sha256(id)` is below `0x66`.
pub fn split_of(id: &str) -> Split {
    if Sha256::digest(id.as_bytes())[0] < 0x66 {
        Split::Dev
    } else {
        Split::Test
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First bytes by `printf %s ID | sha256sum`: a = ca, b = 3e, c = 2e, d = 18, e = 3f, f = 25.
    #[test]
    fn the_hash_decides() {
        assert_eq!(split_of("a"), Split::Test);
        for id in ["b", "c", "d", "e", "f"] {
            assert_eq!(split_of(id), Split::Dev, "{id}");
        }
        assert!(Selection::All.holds("a") && Selection::Test.holds("a") && !Selection::Dev.holds("a"));
    }
}
