//! Windows: short runs of whole sentences or rows that are embedded.
//!
//! A long chunk has one meaning in a single vector and loses the others; several windows keep
//! them, while the chunk stays the unit that is cited.

use crate::block::ByteRange;
use crate::chunk::atoms::Atom;

/// Packs neighbouring atoms into windows of at most `limit` tokens.
pub(super) fn pack(atoms: &[Atom], limit: usize) -> Vec<ByteRange> {
    let mut out: Vec<ByteRange> = Vec::new();
    let mut tokens = 0;
    for atom in atoms {
        match out.last_mut() {
            Some(window) if tokens + atom.tokens <= limit => {
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
