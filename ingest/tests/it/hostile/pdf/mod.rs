//! PDF: structure that loops, numbers that lie, content that explodes.

mod content;
mod fonts;
pub(super) mod raw;
mod structure;

use super::Case;

/// What the plain page says.
const OPEN: &str = "Shops open at nine and close at five.";

pub(super) fn cases() -> Vec<Case> {
    let mut all = structure::cases();
    all.extend(content::cases());
    all.extend(fonts::cases());
    all
}
