//! Putting together what stands together: the pieces of a line that were drawn apart.

use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::script;

/// Gap below which two pieces are one word, in font sizes: half a narrow space.
const ONE_WORD: f32 = 0.12;
/// Gap below which two pieces are words of one line: a wide space, narrower than any gutter.
const ONE_LINE: f32 = 0.5;

/// Joins the pieces of each line, drops those drawn twice, and gives drop capitals to their word.
pub(super) fn assemble(segments: Vec<Segment>) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::with_capacity(segments.len());
    for row in by_baseline(segments) {
        let first = out.len();
        for segment in row {
            match out[first..].last_mut() {
                Some(last) if is_copy(last, &segment) => last.bold = true,
                Some(last) if belongs(last, &segment) => join(last, segment),
                _ => out.push(segment),
            }
        }
    }
    for segment in &mut out {
        close_up_spaced_letters(segment);
        take_hyphen(segment);
    }
    let mut out: Vec<Segment> = out.into_iter().flat_map(part_at_wide_gaps).collect();
    give_capitals(&mut out);
    out.sort_by(|a, b| a.order.cmp(&b.order).then(a.x0.total_cmp(&b.x0)));
    for (order, segment) in out.iter_mut().enumerate() {
        segment.order = order;
    }
    out
}

/// Segments of each baseline from left to right, baselines from top to bottom.
pub(super) fn by_baseline(mut segments: Vec<Segment>) -> Vec<Vec<Segment>> {
    segments.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let mut rows: Vec<Vec<Segment>> = Vec::new();
    for segment in segments {
        let fits = rows.last().is_some_and(|row| {
            let first = &row[0];
            (segment.y - first.y).abs() < 0.35 * first.size.min(segment.size).max(4.0)
        });
        match rows.last_mut() {
            Some(row) if fits => row.push(segment),
            _ => rows.push(vec![segment]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    }
    rows
}

/// Drawn again, a hair beside the first: bold or shadow.
fn is_copy(last: &Segment, segment: &Segment) -> bool {
    let near = 0.15 * segment.size;
    (last.x0 - segment.x0).abs() < near && (last.x1 - segment.x1).abs() < near && last.text == segment.text
}

fn belongs(last: &Segment, segment: &Segment) -> bool {
    let size = last.size.max(segment.size).max(1.0);
    let gap = (segment.x0 - last.x1) / size;
    let alike = last.size.min(segment.size) * 2.2 > size;
    alike && gap < ONE_LINE && gap > -0.3
}

fn join(last: &mut Segment, segment: Segment) {
    let size = last.size.max(segment.size).max(1.0);
    let gap = (segment.x0 - last.x1) / size;
    let spaced = gap > ONE_WORD && script::joins_with_space(&last.text, &segment.text);
    if spaced || last.space_after || gap > ONE_LINE {
        last.text.push(' ');
        last.words.extend(segment.words);
    } else {
        let mut words = segment.words.into_iter();
        if let (Some(end), Some(word)) = (last.words.last_mut(), words.next()) {
            end.1 = word.1;
        }
        last.words.extend(words);
    }
    last.text.push_str(&segment.text);
    last.x1 = last.x1.max(segment.x1);
    if segment.size > last.size {
        (last.size, last.y) = (segment.size, segment.y);
    }
    last.bold &= segment.bold;
    last.hyphen = segment.hyphen;
    last.space_after = segment.space_after;
    last.order = last.order.min(segment.order);
}

/// U+2010 at a line's end is a hyphen that only the line's end needs; pdfium marks the other one.
fn take_hyphen(segment: &mut Segment) {
    if let Some(stem) = segment.text.strip_suffix('\u{2010}')
        && stem.ends_with(char::is_alphabetic)
    {
        segment.text.truncate(stem.len());
        segment.hyphen = true;
    }
}

/// Cells of a narrow table stand closer than the widest spaces of justified text. What gives them
/// away is a gap that is wide for its own line.
fn part_at_wide_gaps(segment: Segment) -> Vec<Segment> {
    /// In font sizes; two spaces behind a sentence are narrower.
    const WIDE: f32 = 0.6;
    /// Spaces of one justified line are alike.
    const TIMES_USUAL: f32 = 2.2;
    let mut gaps: Vec<f32> = segment
        .words
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].1)
        .collect();
    if gaps.iter().all(|gap| *gap < WIDE * segment.size) {
        return vec![segment];
    }
    let cuts: Vec<f32> = gaps.clone();
    gaps.sort_by(f32::total_cmp);
    let usual = if gaps.len() < 2 {
        0.0
    } else {
        gaps[(gaps.len() - 1) / 2]
    };
    let limit = (WIDE * segment.size).max(TIMES_USUAL * usual);
    let texts: Vec<&str> = segment.text.split(' ').collect();
    let ends_sentence = |index: usize| {
        texts
            .get(index)
            .is_some_and(|text| text.ends_with(['.', '!', '?', ':', ';', '•']))
    };
    let cuts: Vec<usize> = (1..=cuts.len())
        .filter(|index| cuts[index - 1] > limit && !(usual > 0.0 && ends_sentence(index - 1)))
        .collect();
    segment.cut_before(&cuts)
}

/// "T I T L E" is a word whose letters were spaced out: only the wider gaps part words.
fn close_up_spaced_letters(segment: &mut Segment) {
    if segment.words.len() < 4 {
        return;
    }
    let texts: Vec<&str> = segment.text.split(' ').collect();
    let single = texts
        .iter()
        .filter(|text| text.chars().count() == 1 && text.chars().all(char::is_alphabetic))
        .count();
    if texts.len() != segment.words.len() || single * 10 < texts.len() * 8 {
        return;
    }
    let gaps: Vec<f32> = segment
        .words
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].1)
        .collect();
    let mut sorted = gaps.clone();
    sorted.sort_by(f32::total_cmp);
    let usual = sorted[sorted.len() / 2];
    let mut text = texts[0].to_owned();
    let mut words = vec![segment.words[0]];
    for ((gap, next), place) in gaps.iter().zip(&texts[1..]).zip(&segment.words[1..]) {
        if *gap > usual * 1.6 {
            text.push(' ');
            words.push(*place);
        } else if let Some(last) = words.last_mut() {
            last.1 = place.1;
        }
        text.push_str(next);
    }
    (segment.text, segment.words) = (text, words);
}

/// A drop capital stands before its word, on the baseline of a later line.
fn give_capitals(segments: &mut Vec<Segment>) {
    let is_capital = |segment: &Segment| {
        let mut letters = segment.text.chars();
        matches!((letters.next(), letters.next()), (Some(c), None) if c.is_uppercase())
    };
    let capitals: Vec<usize> = (0..segments.len())
        .filter(|index| is_capital(&segments[*index]))
        .collect();
    let mut used = Vec::new();
    for index in capitals {
        let capital = segments[index].clone();
        let beside = |segment: &Segment| {
            segment.size * 1.7 < capital.size
                && (segment.x0 - capital.x1).abs() < 1.3 * segment.size
                && segment.y < capital.y + 0.3 * segment.size
                && segment.y > capital.y - capital.size
        };
        let mut lines: Vec<usize> = (0..segments.len())
            .filter(|other| beside(&segments[*other]))
            .collect();
        lines.sort_by(|a, b| segments[*a].y.total_cmp(&segments[*b].y));
        let Some(first) = lines.first() else {
            continue;
        };
        let word = &mut segments[*first];
        let gap =
            if word.text.starts_with(|c: char| c.is_lowercase()) || word.x0 - capital.x1 < 0.2 * word.size {
                ""
            } else {
                " "
            };
        word.text = format!("{}{gap}{}", capital.text, word.text);
        for line in lines {
            segments[line].x0 = capital.x0;
        }
        used.push(index);
    }
    for index in used.into_iter().rev() {
        segments.remove(index);
    }
}
