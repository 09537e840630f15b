//! A text piece by piece, for late interaction: a question and a passage are compared word by word instead of as wholes.
//!
//! A sentence encoder makes a state of every word piece before it takes their mean. The mean forgets the one word that
//! a question hangs on; the states remember it, in its context. `ColBERT` (Khattab and Zaharia, SIGIR 2020) compares those. Here
//! one bit per dimension is kept of a state, its sign: 48 bytes for 384 dimensions, and the share of equal signs stands
//! for the angle (Charikar, STOC 2002). In trials that ranked as well as the states themselves.

use std::collections::HashMap;
use std::ops::Range;

/// A text as a model reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embedding {
    /// Vector of the whole text, at unit length.
    pub vector: Vec<f32>,
    /// Its different word pieces, in the order in which they come first; none from models that do not tell.
    pub pieces: Vec<Piece>,
}

impl Embedding {
    /// The pieces as they are stored with a passage: their signs one after the other. None without pieces.
    pub fn signs(&self) -> Option<Vec<u8>> {
        let signs = self.pieces.iter().flat_map(|piece| &piece.signs).copied();
        (!self.pieces.is_empty()).then(|| signs.collect())
    }
}

/// A passage with words before it that only say what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InContext {
    /// All that the model reads.
    pub text: String,
    /// Byte of the text where the passage begins. What stands before it has no pieces: all passages of a document would say
    /// its title.
    pub from: usize,
}

impl From<String> for InContext {
    /// A text with nothing before it.
    fn from(text: String) -> Self {
        Self { text, from: 0 }
    }
}

/// A word piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the text where it first stands.
    pub at: Range<usize>,
    /// Signs of its state, the mean over all places where it stands: a bit per dimension, set when it is not negative.
    pub signs: Vec<u8>,
}

/// The pieces of a passage that hold a letter or a digit. `tokens` are the ids with their bytes in the text, `states` what
/// the model made of them, one of `hidden` values per token. Their bytes are counted from the beginning of the passage.
pub(crate) fn pieces(
    passage: &InContext,
    tokens: &[(i64, Range<usize>)],
    states: &[f32],
    hidden: usize,
) -> Vec<Piece> {
    let mut places: HashMap<i64, usize> = HashMap::new();
    let mut found: Vec<(Range<usize>, Vec<f32>)> = Vec::new();
    for ((id, at), state) in tokens.iter().zip(states.chunks_exact(hidden)) {
        let written = passage.text.get(at.clone()).unwrap_or_default();
        // a token may begin with the space before its word, which is the end of what stands before
        if at.end <= passage.from || !written.contains(char::is_alphanumeric) {
            continue;
        }
        let place = *places.entry(*id).or_insert(found.len());
        if place == found.len() {
            let at = at.start.saturating_sub(passage.from)..at.end - passage.from;
            found.push((at, vec![0.0; hidden]));
        }
        let length = state.iter().map(|value| value * value).sum::<f32>().sqrt();
        for (total, value) in found[place].1.iter_mut().zip(state) {
            *total += value / length.max(f32::MIN_POSITIVE);
        }
    }
    let signed = |(at, state): (Range<usize>, Vec<f32>)| Piece {
        at,
        signs: signs(&state),
    };
    found.into_iter().map(signed).collect()
}

/// One bit per value, the first in the lowest bit of the first byte: whether it is not negative.
fn signs(state: &[f32]) -> Vec<u8> {
    let byte = |values: &[f32]| {
        let bits = values.iter().enumerate();
        bits.fold(0_u8, |byte, (bit, &value)| byte | (u8::from(value >= 0.0) << bit))
    };
    state.chunks(8).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_comes_twice_is_one_and_marks_are_none() {
        let passage = InContext {
            text: "Fans: Fan, fan!".to_owned(),
            from: 6,
        };
        // the first state of the passage is ten times as long as the last and counts no more
        let states = [5.0, 5.0, 1.0, 1.0, 10.0, -10.0, 1.0, 1.0, -0.5, -2.0, 0.0, 9.0];
        let tokens = [
            (7, 0..4),
            (1, 4..5),
            (7, 6..9),
            (1, 9..10),
            (7, 11..14),
            (2, 14..15),
        ];
        let found = pieces(&passage, &tokens, &states, 2);
        let only = Piece {
            at: 0..3,
            signs: vec![0b01],
        };
        assert_eq!(found, [only]);
    }

    #[test]
    fn signs_fill_whole_bytes_from_the_lowest_bit() {
        let mut state = vec![-1.0; 11];
        (state[0], state[3], state[9]) = (0.0, 2.0, 0.1);
        assert_eq!(signs(&state), [0b0000_1001, 0b10]);
        let embedding = Embedding {
            vector: vec![],
            pieces: vec![
                Piece {
                    at: 0..1,
                    signs: vec![1, 2],
                },
                Piece {
                    at: 1..2,
                    signs: vec![3, 4],
                },
            ],
        };
        assert_eq!(embedding.signs(), Some(vec![1, 2, 3, 4]));
        assert_eq!(Embedding::default().signs(), None);
    }
}
