//! Late interaction: how much of a question a passage says, word piece by word piece.
//!
//! Every piece of the question looks for the piece of the passage that is most like it, and their similarities are summed up
//! (`MaxSim`: Khattab and Zaharia, SIGIR 2020), each weighted with what its word is worth among the documents.
//! Signs are compared instead of states, see [`plumbline_models::Piece`]. Numbers and codes are left to the words: `TX-031` and
//! `TX-013` are made of like pieces, and are the same or not.

use plumbline_models::Piece;
use plumbline_models::reading::{Word, words};

use crate::lexical::Word as KnownWord;

/// What a piece counts whose word the lexical leg left out (a stop word, or one that no document holds), as a share of
/// the rarest word's weight. Such words tell "to" from "from" and hold together what is asked.
const OTHER_WORDS: f32 = 0.15;

/// A question with what its pieces are worth.
pub(crate) struct LateQuestion<'a> {
    pieces: Vec<(&'a Piece, f32)>,
}

impl<'a> LateQuestion<'a> {
    /// The pieces of `question` that are not of a number or a code, its words being worth what the lexical leg found them to
    /// be (`known`); none when there are none.
    pub(crate) fn new(question: &str, pieces: &'a [Piece], known: &[KnownWord]) -> Option<Self> {
        let rarest = known.iter().map(|word| word.idf).fold(0.0_f32, f32::max);
        let least = if rarest > 0.0 { OTHER_WORDS * rarest } else { 1.0 };
        let words = words(question);
        let weight = |piece: &Piece| {
            let word = words
                .iter()
                .find(|word| word.start < piece.at.end && piece.at.start < word.end());
            if word.is_some_and(Word::has_digit) {
                return None;
            }
            let known = word.and_then(|word| known.iter().find(|known| known.text == word.text));
            Some(least + known.map_or(0.0, |known| known.idf))
        };
        let pieces: Vec<(&Piece, f32)> = pieces
            .iter()
            .filter_map(|piece| Some((piece, weight(piece)?)))
            .collect();
        (!pieces.is_empty()).then_some(Self { pieces })
    }

    /// Weighted mean of the similarities of the question's pieces with those nearest to them among `passage`, the signs of
    /// a passage's pieces: −1 to 1. None when they are not of this model.
    pub(crate) fn similarity(&self, passage: &[u8]) -> Option<f32> {
        let width = self.pieces.first().map(|(piece, _)| piece.signs.len())?;
        if width == 0 || passage.is_empty() || !passage.len().is_multiple_of(width) {
            return None;
        }
        let (mut sum, mut total) = (0.0, 0.0);
        for (piece, weight) in &self.pieces {
            let differing = passage
                .chunks_exact(width)
                .map(|other| differing(&piece.signs, other))
                .min()?;
            sum += weight * (1.0 - 2.0 * share(differing, width));
            total += weight;
        }
        Some(sum / total)
    }
}

/// Bits in which two rows of signs differ.
fn differing(a: &[u8], b: &[u8]) -> u32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let words = a
        .iter()
        .zip(b)
        .map(|(a, b)| (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b)).count_ones());
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| (a ^ b).count_ones());
    words.sum::<u32>() + rest.sum::<u32>()
}

/// `bits` of `bytes` as a share.
#[expect(clippy::cast_precision_loss, reason = "a vector has at most 4,000 dimensions")]
fn share(bits: u32, bytes: usize) -> f32 {
    bits as f32 / (8 * bytes) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(at: std::ops::Range<usize>, signs: &[u8]) -> Piece {
        Piece {
            at,
            signs: signs.to_vec(),
        }
    }

    fn known(text: &str, idf: f32) -> KnownWord {
        KnownWord {
            text: text.to_owned(),
            terms: Vec::new(),
            idf,
        }
    }

    /// By hand: "fan" finds itself (1), "to" finds half of its bits (0); with weights 2 + 0.3 and 0.3 that is 2.3 / 2.6.
    #[test]
    fn the_words_that_are_rare_decide() {
        let pieces = [piece(0..3, &[0xFF, 0x00]), piece(4..6, &[0x0F, 0x0F])];
        let question = LateQuestion::new("fan to", &pieces, &[known("fan", 2.0)]).unwrap();
        let similarity = question.similarity(&[0xF0, 0xF0, 0xFF, 0x00]).unwrap();
        assert!((similarity - 2.3 / 2.6).abs() < 1e-6, "{similarity}");
        // without the word that is worth most
        assert!(question.similarity(&[0x0F, 0x0F]).unwrap() < similarity);
    }

    #[test]
    fn without_a_lexical_leg_all_words_count_the_same() {
        let pieces = [piece(0..3, &[0xFF]), piece(4..6, &[0x00])];
        let question = LateQuestion::new("fan to", &pieces, &[]).unwrap();
        let close = |a: Option<f32>, b: f32| (a.unwrap() - b).abs() < 1e-6;
        assert!(close(question.similarity(&[0xFF]), 0.0));
        assert!(close(question.similarity(&[0xFF, 0x00]), 1.0));
    }

    #[test]
    fn a_piece_counts_as_much_as_the_word_that_it_is_in() {
        let pieces = [piece(0..2, &[0xFF]), piece(2..5, &[0xFF])];
        let both = LateQuestion::new("refund", &pieces, &[known("refund", 3.0)]).unwrap();
        assert_eq!(both.pieces[0].1.to_bits(), both.pieces[1].1.to_bits());
        assert!((both.pieces[0].1 - 3.45).abs() < 1e-6);
    }

    #[test]
    fn numbers_and_codes_are_left_to_the_words() {
        let pieces = [
            piece(0..3, &[0xFF]),
            piece(4..6, &[0x0F]),
            piece(7..10, &[0x0F]),
            piece(11..14, &[0x0F]),
        ];
        let question = LateQuestion::new("fan TX-031 250", &pieces, &[known("031", 9.0)]).unwrap();
        let counted: Vec<usize> = question.pieces.iter().map(|(piece, _)| piece.at.start).collect();
        assert_eq!(counted, [0, 4]);
        assert!(LateQuestion::new("250", &pieces[..1], &[]).is_none());
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        let pieces = [piece(0..3, &[0xFF, 0xFF])];
        let question = LateQuestion::new("fan", &pieces, &[]).unwrap();
        assert_eq!(question.similarity(&[0xFF, 0xFF, 0xFF]), None);
        assert_eq!(question.similarity(&[]), None);
        assert!(LateQuestion::new("fan", &[], &[]).is_none());
    }

    proptest::proptest! {
        #[test]
        fn more_of_a_passage_never_says_less(
            question in proptest::collection::vec(proptest::array::uniform9(0_u8..), 1..6),
            passage in proptest::collection::vec(proptest::array::uniform9(0_u8..), 1..9),
        ) {
            let pieces: Vec<Piece> = question.iter().map(|signs| piece(0..1, signs)).collect();
            let question = LateQuestion::new("fan", &pieces, &[]).unwrap();
            let all = question.similarity(&passage.concat()).unwrap();
            let some = question.similarity(&passage[..passage.len().div_ceil(2)].concat()).unwrap();
            proptest::prop_assert!((-1.0..=1.0).contains(&all) && some <= all);
            let itself: Vec<u8> = pieces.iter().flat_map(|piece| piece.signs.clone()).collect();
            proptest::prop_assert!((question.similarity(&itself).unwrap() - 1.0).abs() < 1e-5);
        }
    }
}
