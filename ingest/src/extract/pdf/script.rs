//! What layout has to know about writing systems.

/// Hebrew, Arabic, Syriac, Thaana, `NKo` and their presentation forms.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}') && !c.is_numeric()
}

/// Scripts that put no space between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese.
pub(super) fn has_no_word_spaces(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
        || matches!(c, '\u{2E80}'..='\u{312F}' | '\u{31A0}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
        || matches!(c, '\u{FF01}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether a line break between two pieces of one paragraph stands for a space.
pub(super) fn joins_with_space(before: &str, after: &str) -> bool {
    let ends = before.chars().next_back().is_some_and(has_no_word_spaces);
    let starts = after.chars().next().is_some_and(has_no_word_spaces);
    !(ends && starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_chinese_and_thai_join_without_a_space() {
        assert!(!joins_with_space("保修", "电池"));
        assert!(!joins_with_space("การ", "รับประกัน"));
        assert!(joins_with_space("保修", "TV"));
        assert!(joins_with_space("two", "words"));
    }
}
