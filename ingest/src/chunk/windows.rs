//! Windows: short runs of whole sentences or rows that are embedded.
//!
//! A long chunk has one meaning in a single vector and loses the others; several windows keep
//! them, while the chunk stays the unit that is cited.

use crate::block::ByteRange;
use crate::chunk::atoms::Atom;

/// Packs neighbouring atoms into windows of at most `limit` tokens. With `lead_only`, of the rows
/// only those that fit one window.
pub(super) fn pack(atoms: &[Atom], limit: usize, lead_only: bool) -> Vec<ByteRange> {
    let mut out: Vec<ByteRange> = Vec::new();
    let mut tokens = 0;
    let mut rows = 0;
    for atom in atoms {
        let has_room = tokens + atom.tokens <= limit;
        if lead_only && atom.is_row {
            if rows > 0 && !has_room {
                break;
            }
            rows += 1;
        }
        match out.last_mut() {
            Some(window) if has_room => {
                window.end = atom.range.end;
                tokens += atom.tokens;
            }
            _ => {
                out.push(atom.range);
                tokens = atom.tokens;
            }
        }
    }
    out
}
