//! A few cheap features that neither leg sees, added to the fused score of the leading candidates.
//!
//! BM25 counts the words of a whole chunk and the vectors blur it; a customer is answered by one sentence or row of it.
//! So the best candidates are read once more: how much of the question its best sentence or row holds, how much the
//! chunk with its headings holds, whether the names and numbers asked about are there, and whether that sentence holds
//! the kind of thing asked for. A word of the same meaning counts half. Nothing is downloaded and the cost is a
//! millisecond or two; `rerank = false` in the settings leaves it out.

use std::collections::HashSet;
use std::ops::Range;

use plumbline_models::reading::{self, Asked, Meaning, is_stop_word, meanings_of, sentence_spans};

use super::Passage;
use crate::lexical::Word;

/// Weights relative to the fused score. Fitted on the dev split of the golden set by a listwise softmax over the leading
/// thirty candidates under five-fold cross-validation (L2 0.05), divided by the weight of the fused score and rounded.
/// `retrieval.rerank_weight` says how much of them counts.
const BEST_UNIT: f32 = 0.13;
const WHOLE: f32 = 0.13;
const NAMES: f32 = 0.06;
const KIND: f32 = 0.05;

/// What a word of the same meaning counts, relative to the word itself.
const SAME_MEANING: f32 = 0.5;

/// A word of the question with what it is worth.
struct Term {
    stem: String,
    meanings: &'static [Meaning],
    weight: f32,
    is_name: bool,
}

/// A question as the reranking reads it.
pub(crate) struct Reader {
    terms: Vec<Term>,
    total: f32,
    asked: Option<Asked>,
}

impl Reader {
    /// Reads `question`, whose words the lexical leg found to be worth `known`.
    pub(crate) fn new(question: &str, known: &[Word]) -> Self {
        let found = reading::words(question);
        let mut seen = HashSet::new();
        let mut terms = Vec::new();
        for known in known {
            let words = reading::words(&known.text);
            let Some(word) = words.first().filter(|word| !is_stop_word(&word.folded)) else {
                continue;
            };
            if !seen.insert(word.stem.clone()) {
                continue;
            }
            let inside = found.iter().skip(1).any(|other| other.text == word.text);
            terms.push(Term {
                meanings: meanings_of(word),
                stem: word.stem.clone(),
                weight: known.idf,
                is_name: word.has_digit() || (word.is_capitalised() && inside),
            });
        }
        Self {
            total: terms.iter().map(|term| term.weight).sum(),
            terms,
            asked: Asked::of(question),
        }
    }

    /// What is added to the fused score of a candidate, 0 to the sum of the weights.
    pub(crate) fn bonus(&self, passage: &Passage<'_>) -> f32 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let Passage { hit, words } = passage;
        let mut whole = self.held(&reading::words(&hit.document_title));
        for heading in &hit.heading_path {
            self.add(&mut whole, &reading::words(heading));
        }
        let (mut best, mut unit) = (0.0_f32, 0..0);
        for span in units(&hit.body) {
            let held = self.held(within(words, &span));
            let share = self.share(&held);
            if share > best {
                (best, unit) = (share, span);
            }
            for (whole, held) in whole.iter_mut().zip(held) {
                *whole = whole.max(held);
            }
        }
        let kind = self.asked.is_some_and(|asked| asked.is_in(&hit.body[unit]));
        BEST_UNIT * best
            + WHOLE * self.share(&whole)
            + NAMES * self.names(&whole)
            + if kind { KIND } else { 0.0 }
    }

    /// What `words` hold of every term: 1 for the word itself, [`SAME_MEANING`] for one that means the same, 0 for neither.
    fn held(&self, words: &[reading::Word<'_>]) -> Vec<f32> {
        let mut held = vec![0.0; self.terms.len()];
        self.add(&mut held, words);
        held
    }

    /// Adds what `words` hold to what other words do.
    fn add(&self, held: &mut [f32], words: &[reading::Word<'_>]) {
        for word in words {
            for (term, held) in self.terms.iter().zip(held.iter_mut()) {
                if word.stem == term.stem {
                    *held = 1.0;
                } else if *held < SAME_MEANING && !term.meanings.is_empty() {
                    let same = meanings_of(word)
                        .iter()
                        .any(|meaning| term.meanings.contains(meaning));
                    *held = if same { SAME_MEANING } else { *held };
                }
            }
        }
    }

    /// Share of the question's weight that a text holds.
    fn share(&self, held: &[f32]) -> f32 {
        let sum: f32 = self
            .terms
            .iter()
            .zip(held)
            .map(|(term, held)| held * term.weight)
            .sum();
        sum / self.total
    }

    /// Share of the question's names and numbers that a text holds; 0 when it gives none.
    fn names(&self, held: &[f32]) -> f32 {
        let (mut all, mut there) = (0.0_f32, 0.0_f32);
        for (_, held) in self.terms.iter().zip(held).filter(|(term, _)| term.is_name) {
            all += 1.0;
            there += f32::from(u8::from(*held >= 1.0));
        }
        if all > 0.0 { there / all } else { 0.0 }
    }
}

/// Those of `words` that begin in `span` of their text.
fn within<'a, 'b>(words: &'a [reading::Word<'b>], span: &Range<usize>) -> &'a [reading::Word<'b>] {
    let first = words.partition_point(|word| word.start < span.start);
    let end = words.partition_point(|word| word.start < span.end);
    &words[first..end]
}

/// The rows and sentences of a text.
fn units(text: &str) -> Vec<Range<usize>> {
    let mut units = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.contains(" | ") {
            units.push(start..start + line.len());
        } else {
            let sentences = sentence_spans(line);
            units.extend(
                sentences
                    .into_iter()
                    .map(|span| start + span.start..start + span.end),
            );
        }
        start += line.len();
    }
    units
}

#[cfg(test)]
pub(super) mod tests {
    use uuid::Uuid;

    use plumbline_store::LiveHit;

    use super::*;

    pub(in crate::rerank) fn hit_of(chunk_id: Uuid, title: &str, body: &str) -> LiveHit {
        LiveHit {
            chunk_id,
            document_id: Uuid::nil(),
            version_id: Uuid::nil(),
            document_key: "a.txt".to_owned(),
            document_title: title.to_owned(),
            version_number: 1,
            text_start: 0,
            text_end: 0,
            page_from: None,
            row_from: None,
            heading_path: vec![],
            body: body.to_owned(),
            pinned: false,
            boost: 1.0,
            cosine: None,
        }
    }

    fn bonus(question: &str, title: &str, body: &str) -> f32 {
        let known: Vec<Word> = reading::words(question)
            .iter()
            .map(|word| Word {
                text: word.text.to_owned(),
                terms: Vec::new(),
                idf: 1.0,
            })
            .collect();
        let hit = hit_of(Uuid::nil(), title, body);
        Reader::new(question, &known).bonus(&Passage::of(&hit))
    }

    #[test]
    fn one_sentence_that_says_it_all_beats_scattered_words() {
        let question = "warranty of a used battery";
        let together = bonus(question, "", "A used battery has a short warranty. We open at 8.");
        let scattered = bonus(
            question,
            "",
            "We open at 8 and sell a battery. Used is used. The warranty is there.",
        );
        assert!(together > scattered);
    }

    #[test]
    fn another_row_of_the_same_table_gets_less() {
        let question = "price of delivery to Tema";
        let right = bonus(question, "Delivery", "Town: Tema | Price GHS: 20");
        let wrong = bonus(question, "Delivery", "Town: Wa | Price GHS: 20");
        assert!(right > wrong);
    }

    #[test]
    fn a_word_of_the_same_meaning_and_the_kind_asked_for_count() {
        let question = "how much to mend a lamp";
        let answers = bonus(question, "", "The repair of a lamp costs GHS 30.");
        assert!(answers > bonus(question, "", "The sale of a lamp costs GHS 30."));
        assert!(answers > bonus(question, "", "The repair of a lamp is quick."));
    }

    #[test]
    fn nothing_to_go_by_gives_nothing() {
        assert!(bonus("", "", "Anything.") <= 0.0);
        assert!(bonus("is it", "", "") <= f32::EPSILON);
    }

    proptest::proptest! {
        #[test]
        fn a_text_read_once_has_the_words_of_each_of_its_units(body in "[a-zA-Z0-9é.,:| \n]{0,120}") {
            let words = reading::words(&body);
            for span in units(&body) {
                let alone = reading::words(&body[span.clone()]);
                let texts = |words: &[reading::Word<'_>]| -> Vec<String> {
                    words.iter().map(|word| word.text.to_owned()).collect()
                };
                proptest::prop_assert_eq!(texts(within(&words, &span)), texts(&alone));
            }
        }

        #[test]
        fn the_bonus_is_bounded(question in "[a-zA-Z0-9 ]{0,60}", body in "[a-zA-Z0-9 .|\n]{0,200}") {
            let given = bonus(&question, "", &body);
            proptest::prop_assert!((0.0..=BEST_UNIT + WHOLE + NAMES + KIND + 1e-6).contains(&given));
        }
    }
}
