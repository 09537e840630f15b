//! Markdown: its structure becomes blocks, its syntax disappears, its words stay.
//!
//! A line-based reader is enough: what matters is headings, lists, tables, fences and paragraphs,
//! not every corner of the specification.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::block::{BlockKind, Extraction, Format};
use crate::clean;
use crate::extract::Limits;
use crate::extract::builder::{Builder, Origin};
use crate::extract::text::list_marker;

/// True when a text without a telling name is written in Markdown.
pub(in crate::extract) fn looks_like_markdown(text: &str) -> bool {
    let (mut headings, mut others) = (0, 0);
    for line in text.lines().take(500) {
        let trimmed = line.trim_start();
        if atx(trimmed).is_some() {
            headings += 1;
        } else if trimmed.starts_with("```") || trimmed.contains("](") || trimmed.contains("**") {
            others += 1;
        }
    }
    headings >= 2 || (headings == 1 && others >= 1)
}

pub(in crate::extract) fn extract(raw: &str, limits: &Limits) -> Extraction {
    let text = clean::characters(raw);
    let mut reader = Reader {
        builder: Builder::new(limits.max_text_bytes),
        open: Vec::new(),
        item: None,
        group: 0,
        in_list: false,
    };
    let body = without_front_matter(&text, &mut reader.builder);
    let body = without_comments(body);
    let mut lines = body.split('\n').peekable();
    while let Some(line) = lines.next() {
        if reader.builder.is_full() {
            break;
        }
        if let Some(fence) = fence(line) {
            reader.flush();
            let code: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.trim_start().starts_with(fence))
                .collect();
            reader
                .builder
                .push(BlockKind::Code, &code.join("\n"), Origin::default());
        } else if is_table_rule(lines.peek().copied()) && line.contains('|') {
            reader.flush();
            let header = cells(line);
            lines.next();
            reader.group += 1;
            while let Some(row) = lines.next_if(|row| row.contains('|') && !row.trim().is_empty()) {
                reader.table_row(&header, &cells(row));
            }
        } else {
            reader.line(line);
        }
    }
    reader.flush();
    reader.builder.finish(Format::Markdown)
}

/// HTML comments are notes to other authors. One that is never closed is text.
fn without_comments(text: &str) -> Cow<'_, str> {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<!--.*?-->"));
    COMMENT.replace_all(text, "")
}

/// YAML front matter is metadata; its title is the document's.
fn without_front_matter<'a>(text: &'a str, builder: &mut Builder) -> &'a str {
    let Some(rest) = text.strip_prefix("---\n") else {
        return text;
    };
    let Some((front, body)) = rest.split_once("\n---\n") else {
        return text;
    };
    if !front
        .lines()
        .all(|line| line.contains(':') || line.starts_with([' ', '-', '#']) || line.is_empty())
    {
        return text;
    }
    let title = front.lines().find_map(|line| line.strip_prefix("title:"));
    builder.title = title.map(|title| title.trim().trim_matches(['"', '\'']).to_owned());
    body
}

struct Reader {
    builder: Builder,
    open: Vec<String>,
    /// The list item whose lines are being read.
    item: Option<(u8, String)>,
    group: u32,
    in_list: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            self.flush();
            return;
        }
        if let Some((level, title)) = atx(trimmed) {
            self.flush();
            self.builder
                .push(BlockKind::Heading { level }, &inline(title), Origin::default());
            self.in_list = false;
        } else if let Some(level) = setext(trimmed).filter(|_| self.open.len() == 1) {
            let title = self.open.pop().unwrap_or_default();
            self.builder
                .push(BlockKind::Heading { level }, &inline(&title), Origin::default());
        } else if is_rule(trimmed) {
            self.flush();
        } else if let Some((indent, marker)) = list_marker(line) {
            self.flush();
            if !self.in_list {
                self.group += 1;
            }
            self.list_item(line, indent, marker);
        } else if let Some((_, item)) = self.item.as_mut() {
            item.push(' '); // a line of the item that was wrapped
            item.push_str(trimmed);
        } else if self.in_list && line.starts_with("  ") && self.open.is_empty() {
            self.open.push(line.trim().to_owned()); // a further paragraph of the item
        } else {
            self.open.push(trimmed.trim_start_matches(['>', ' ']).to_owned());
            self.in_list = false;
        }
    }

    fn list_item(&mut self, line: &str, indent: usize, marker: usize) {
        let depth = u8::try_from(indent / 2).unwrap_or(u8::MAX).min(8);
        let label = &line[indent..indent + marker];
        let text = line[indent + marker..].trim();
        let bullet = if label.starts_with(|c: char| c.is_alphanumeric()) {
            label.trim_end()
        } else {
            "-"
        };
        self.item = Some((depth, format!("{bullet} {text}")));
        self.in_list = true;
    }

    fn table_row(&mut self, header: &[String], row: &[String]) {
        let origin = Origin {
            group: Some(self.group),
            ..Origin::default()
        };
        let named = row
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_empty())
            .map(
                |(column, value)| match header.get(column).filter(|name| !name.is_empty()) {
                    Some(name) => format!("{name}: {value}"),
                    None => value.clone(),
                },
            );
        let text = named.collect::<Vec<_>>().join(" | ");
        self.builder.push(BlockKind::TableRow, &text, origin);
        self.in_list = false;
    }

    fn flush(&mut self) {
        if let Some((depth, item)) = self.item.take() {
            let origin = Origin {
                group: Some(self.group),
                ..Origin::default()
            };
            self.builder
                .push(BlockKind::ListItem { depth }, &inline(&item), origin);
        }
        if !self.open.is_empty() {
            let text = inline(&self.open.join(" "));
            self.builder.push(BlockKind::Paragraph, &text, Origin::default());
            self.open.clear();
        }
    }
}

fn atx(line: &str) -> Option<(u8, &str)> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let rest = &line[level..];
    let is_heading = (1..=6).contains(&level) && rest.starts_with([' ', '\t']) && !rest.trim().is_empty();
    is_heading.then(|| {
        (
            u8::try_from(level).unwrap_or(6),
            rest.trim().trim_end_matches('#').trim_end(),
        )
    })
}

fn setext(line: &str) -> Option<u8> {
    let only = |mark: u8| line.len() >= 2 && line.bytes().all(|b| b == mark);
    if only(b'=') {
        Some(1)
    } else if only(b'-') {
        Some(2)
    } else {
        None
    }
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3
        && ["-", "*", "_"]
            .iter()
            .any(|mark| line.split(' ').collect::<String>().replace(mark, "").is_empty())
}

fn fence(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    ["```", "~~~"].into_iter().find(|fence| line.starts_with(fence))
}

fn is_table_rule(line: Option<&str>) -> bool {
    line.is_some_and(|line| {
        let line = line.trim();
        line.contains('-') && line.contains('|') && line.chars().all(|c| "|-: ".contains(c))
    })
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().replace("\\|", "\u{1}");
    let line = line.strip_prefix('|').unwrap_or(&line);
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|')
        .map(|cell| inline(cell.trim()).replace('\u{1}', "|"))
        .collect()
}

/// HTML tags that people write inside Markdown; other angle brackets are text.
const TAGS: &str = r"(?i)</?(?:a|abbr|b|blockquote|center|code|dd|del|details|div|dl|dt|em|figcaption|figure|font|h[1-6]|i|img|ins|kbd|li|mark|ol|p|pre|q|s|section|small|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul)(?:\s+[^<>]*)?/?>";

/// Drops emphasis marks, code ticks and link syntax; a link keeps its text and its address.
fn inline(text: &str) -> String {
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"!?\[([^\]]*)\]\(<?([^)\s>]*)>?(?:\s+"[^"]*")?\)"#));
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| pattern(r"!?\[([^\]^]+)\]\[[^\]]*\]"));
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"<((?:https?://|mailto:)[^\s>]+)>"));
    static BREAK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)<(?:br|hr|/p|/div|/li|/td|/th|/tr)\s*/?>"));
    static TAG: LazyLock<Regex> = LazyLock::new(|| pattern(TAGS));
    static STRONG: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\*\*|__|~~)(\S(?:.*?\S)?)(\*\*|__|~~)"));
    static EMPHASIS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(^|[^\w*])[*_](\S(?:[^*_]*?[^\s*_])?)[*_]($|[^\w*])"));
    static TICKS: LazyLock<Regex> = LazyLock::new(|| pattern(r"`+([^`]+)`+"));
    static ESCAPE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\\([\\`*_{}\[\]()#+\-.!|>~])"));
    let text = LINK.replace_all(text, |captures: &regex::Captures<'_>| {
        let (label, address) = (&captures[1], &captures[2]);
        let is_new = address.contains(':') && !address.ends_with(label);
        if captures[0].starts_with('!') || !is_new {
            label.to_owned()
        } else {
            format!("{label} ({address})")
        }
    });
    let text = REFERENCE.replace_all(&text, "$1");
    let text = ADDRESS.replace_all(&text, "$1");
    let text = BREAK.replace_all(&text, " ");
    let text = TAG.replace_all(&text, "");
    let text = STRONG.replace_all(&text, "$2");
    let text = EMPHASIS.replace_all(&text, "$1$2$3");
    let text = TICKS.replace_all(&text, "$1");
    let text = ESCAPE.replace_all(&text, "$1");
    let text = text
        .replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    clean::collapse(&text)
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("valid pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_goes_words_stay() {
        assert_eq!(
            inline("**Free** _shipping_ over `50` € [here](https://a.b/c)"),
            "Free shipping over 50 € here (https://a.b/c)"
        );
        assert_eq!(inline("snake_case_name * 2"), "snake_case_name * 2");
    }

    #[test]
    fn structure() {
        let source = "# Shop\n\nIntro\nline.\n\n## Hours\n\n| Day | Open |\n|---|---|\n| Mon | 9-5 |\n| Tue | |\n\n- one\n- two\n  1. deep\n\n```sh\nls  -l\n```\n";
        let extraction = extract(source, &Limits::default());
        assert_eq!(
            extraction.text,
            "Shop\n\nIntro line.\n\nHours\n\nDay: Mon | Open: 9-5\nDay: Tue\n\n- one\n- two\n1. deep\n\nls  -l"
        );
        assert_eq!(extraction.blocks[3].heading_path, ["Shop", "Hours"]);
        assert_eq!(extraction.blocks[7].kind, BlockKind::ListItem { depth: 1 });
    }
}
