//! Plain text: paragraphs at blank lines, lists by their markers, headings by their looks.

use crate::block::{BlockKind, Extraction, Format};
use crate::clean;
use crate::extract::Limits;
use crate::extract::builder::{Builder, Origin};
use crate::extract::text::list_marker;

/// A file with longer lines than this is not hard-wrapped: its line breaks are meant.
const LONGEST_WRAPPED: usize = 110;
/// Longest heading that may stand directly on its text.
const MAX_RUN_IN: usize = 60;

pub(in crate::extract) fn extract(raw: &str, limits: &Limits) -> Extraction {
    // A page break ends a paragraph, a vertical tab only a line.
    let text = clean::characters(&raw.replace('\u{0C}', "\n\n"));
    let mut builder = Builder::new(limits.max_text_bytes);
    let longest = text
        .split('\n')
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    // Lines shorter than this end because their author ended them.
    let wrapped_from = if longest <= LONGEST_WRAPPED {
        (longest * 3 / 4).max(45)
    } else {
        usize::MAX
    };
    let paragraphs = paragraphs(&text);
    let mut list = 0;
    for (position, lines) in paragraphs.iter().enumerate() {
        if builder.is_full() {
            break;
        }
        let next_is_text = paragraphs
            .get(position + 1)
            .is_some_and(|next| next.len() > 1 || next[0].len() > 40);
        list += 1;
        if let Some((level, heading)) = heading(lines, next_is_text) {
            builder.push(BlockKind::Heading { level }, &heading, Origin::default());
        } else if let Some((level, heading)) = run_in_heading(lines) {
            builder.push(BlockKind::Heading { level }, &heading, Origin::default());
            push_paragraph(&mut builder, &lines[1..], list, wrapped_from);
        } else {
            push_paragraph(&mut builder, lines, list, wrapped_from);
        }
    }
    builder.finish(Format::Text)
}

/// A heading without a blank line below it: in capitals, or numbered while the text is not.
fn run_in_heading(lines: &[&str]) -> Option<(u8, String)> {
    let [first, second, ..] = lines else { return None };
    let title = clean::collapse(first);
    let below_is_text = list_marker(second).is_none() && second.chars().any(char::is_lowercase);
    if title.chars().count() > MAX_RUN_IN || title.ends_with(['.', ',', ';', ':', '!', '?']) || !below_is_text
    {
        return None;
    }
    if is_capitals(&title) {
        return Some((1, title));
    }
    let is_numbered = numbered(&title) && list_marker(first).is_some_and(|(indent, _)| indent == 0);
    let stands_alone =
        !second.starts_with([' ', '\t']) && lines.iter().skip(1).all(|line| list_marker(line).is_none());
    (is_numbered && stands_alone && title.chars().any(char::is_alphabetic)).then_some((2, title))
}

fn is_capitals(title: &str) -> bool {
    let letters = title.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 4 && !title.chars().any(char::is_lowercase) && title.chars().any(char::is_uppercase)
}

fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let mut out: Vec<Vec<&str>> = Vec::new();
    let mut open = false;
    for line in text.split('\n').map(str::trim_end) {
        if line.is_empty() {
            open = false;
            continue;
        }
        match out.last_mut() {
            Some(last) if open => last.push(line),
            _ => out.push(vec![line]),
        }
        open = true;
    }
    out
}

/// A paragraph that is a heading: underlined, in capitals, or a short line above a text.
fn heading(lines: &[&str], next_is_text: bool) -> Option<(u8, String)> {
    let title = clean::collapse(lines[0]);
    if let [_, rule] = lines
        && rule.trim().len() >= 3
    {
        if rule.trim().bytes().all(|b| b == b'=') {
            return Some((1, title));
        }
        if rule.trim().bytes().all(|b| b == b'-' || b == b'~') {
            return Some((2, title));
        }
    }
    let ends_openly = !title.ends_with(['.', ',', ';', ':', '!']);
    if lines.len() != 1
        || !ends_openly
        || title.len() > 80
        || list_marker(lines[0]).is_some_and(|_| !numbered(&title))
    {
        return None;
    }
    let letters = title.chars().filter(|c| c.is_alphabetic()).count();
    if is_capitals(&title) {
        return Some((1, title));
    }
    let begins_like_one = title
        .chars()
        .next()
        .is_some_and(|c| c.is_uppercase() || c.is_numeric() || c == '¿');
    let short = title.split(' ').count() <= 9 && letters >= 3;
    (next_is_text && begins_like_one && short).then_some((2, title))
}

fn numbered(title: &str) -> bool {
    title.starts_with(|c: char| c.is_ascii_digit())
}

fn push_paragraph(builder: &mut Builder, lines: &[&str], list: u32, wrapped_from: usize) {
    let mut text = String::new();
    let mut item: Option<(u8, String)> = None;
    let mut previous = "";
    for line in lines {
        if let Some((indent, _)) = list_marker(line) {
            flush_item(builder, item.take(), list);
            flush_text(builder, &mut text, list);
            let depth = u8::try_from(indent / 2).unwrap_or(u8::MAX).min(8);
            item = Some((depth, clean::collapse(line)));
        } else if let Some((_, open)) = item.as_mut().filter(|_| line.starts_with([' ', '\t'])) {
            open.push(' ');
            open.push_str(&clean::collapse(line));
        } else {
            flush_item(builder, item.take(), list);
            append_line(&mut text, previous, line, wrapped_from);
        }
        previous = line;
    }
    flush_item(builder, item, list);
    flush_text(builder, &mut text, list);
}

/// A line goes on where the line before it was long enough to have been wrapped, unless it is a
/// row of a table drawn with spaces. A word divided at the line's end is joined again.
fn append_line(text: &mut String, last: &str, line: &str, wrapped_from: usize) {
    let (last, line) = (last.trim(), line.trim());
    let wrapped = last.chars().count() >= wrapped_from && !line.starts_with(['|', '>']);
    if text.is_empty() {
        text.push_str(line);
    } else if wrapped && !is_drawn_row(last) && !is_drawn_row(line) {
        let divided = text
            .strip_suffix('-')
            .is_some_and(|word| word.ends_with(char::is_lowercase));
        if divided && line.starts_with(char::is_lowercase) {
            text.pop();
        } else {
            text.push(' ');
        }
        text.push_str(line);
    } else {
        text.push('\n');
        text.push_str(line);
    }
}

/// Cells of a table drawn with spaces or tabs stand wide apart; two spaces follow a full stop.
fn is_drawn_row(line: &str) -> bool {
    line.contains('\t') || line.contains("   ")
}

fn flush_item(builder: &mut Builder, item: Option<(u8, String)>, list: u32) {
    if let Some((depth, text)) = item {
        let origin = Origin {
            group: Some(list),
            ..Origin::default()
        };
        builder.push(BlockKind::ListItem { depth }, &text, origin);
    }
}

fn flush_text(builder: &mut Builder, text: &mut String, list: u32) {
    if !text.is_empty() {
        let origin = Origin {
            group: Some(list),
            ..Origin::default()
        };
        builder.push(BlockKind::Paragraph, text, origin);
        text.clear();
    }
}
