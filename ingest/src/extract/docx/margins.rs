//! Headers and footers say the same on every page: each distinct paragraph once, at the end.

use std::collections::HashSet;

use crate::block::BlockKind;
use crate::clean;
use crate::extract::Limits;
use crate::extract::builder::{Builder, Origin};
use crate::extract::docx::item::{Item, Notes};
use crate::extract::docx::numbering::Numbering;
use crate::extract::docx::package::{Package, Relations};
use crate::extract::docx::styles::Styles;
use crate::extract::docx::walk::{Context, Walker};

/// Header and footer parts that are looked at: three kinds for each of several sections.
const MAX_PARTS: usize = 24;
/// Paragraphs that are kept; no header has more.
const MAX_PARAGRAPHS: usize = 100;
/// Fewest letters of a paragraph that says something: less is a page number's decoration.
const MIN_LETTERS: usize = 3;

/// What is left of "Page 3 of 7" without its numbers.
const PAGE_WORDS: [&str; 22] = [
    "page",
    "pageof",
    "pag",
    "pagof",
    "seite",
    "seitevon",
    "página",
    "páginade",
    "pagina",
    "paginadi",
    "paginavan",
    "pagevan",
    "pagesur",
    "págde",
    "strona",
    "stronaz",
    "страница",
    "страницаиз",
    "sayfa",
    "halaman",
    "第页",
    "第頁",
];

pub(super) fn emit(
    builder: &mut Builder,
    package: &mut Package<'_>,
    relations: &Relations,
    limits: &Limits,
    styles: &Styles,
) {
    builder.leave_headings();
    let known: HashSet<String> = builder.lines().map(str::to_owned).collect();
    let mut seen: HashSet<String> = HashSet::new();
    for kind in ["header", "footer"] {
        for name in relations.targets(kind).iter().take(MAX_PARTS) {
            for item in read(package, name, limits, styles) {
                let text = item.text();
                let letters = text.chars().filter(|c| c.is_alphabetic()).count();
                let fingerprint = clean::fingerprint(text);
                let says_something = letters >= MIN_LETTERS
                    && !PAGE_WORDS.contains(&fingerprint.as_str())
                    && !known.contains(text);
                if says_something && seen.len() < MAX_PARAGRAPHS && seen.insert(fingerprint) {
                    builder.push(BlockKind::Paragraph, text, Origin::default());
                }
            }
        }
    }
}

/// The items of one part; a damaged one has none, its text is not worth a warning.
fn read(package: &mut Package<'_>, name: &str, limits: &Limits, styles: &Styles) -> Vec<Item> {
    let Ok(Some(xml)) = package.part(name) else {
        return Vec::new();
    };
    let context = Context {
        limits,
        styles,
        notes: &Notes::default(),
        links: package
            .relations(name)
            .map(|relations| relations.links)
            .unwrap_or_default(),
        in_margin: true,
    };
    Walker::walk(&xml, &context, &mut Numbering::default())
        .map(|walked| walked.items)
        .unwrap_or_default()
}
