//! How well a version was read: its pages at a glance, and what deserves a look with the way out.

use std::collections::BTreeMap;

use plumbline_store::Version;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::pages::words;

/// A heading and a remedy for the code of a warning.
pub type Catalogue = fn(&str) -> Option<(&'static str, &'static str)>;

/// Share of unknown letters from which a page is worth a look.
const SOME_GARBLED: f32 = 0.02;
/// Share from which it is of no use.
const MOSTLY_GARBLED: f32 = 0.3;

/// How one page was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageMark {
    /// Page, from 1.
    pub number: u32,
    /// Class of the style sheet.
    pub tone: &'static str,
    /// In words.
    pub words: String,
    /// Its text.
    pub href: String,
}

/// Something to look at, wherever it occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `warn` or `bad`.
    pub tone: &'static str,
    /// Title of its entry in the catalogue.
    pub title: String,
    /// What to do.
    pub to_do: String,
    /// Where it occurs.
    pub places: Vec<Place>,
}

/// A place where a finding occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Page or row; nothing for the whole file.
    pub place: String,
    /// About this place.
    pub words: String,
    /// Text of the page.
    pub href: Option<String>,
}

/// The report of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    /// Pages in order; none for formats without pages.
    pub pages: Vec<PageMark>,
    /// What to look at, the worst first.
    pub findings: Vec<Finding>,
    /// Whether any page is marked, so that the colours need a legend.
    pub doubtful: bool,
    /// Whether text recognition read any page.
    pub recognised: bool,
    /// In a few words.
    pub summary: String,
}

#[derive(Debug, Deserialize)]
struct StoredWarning {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    page: Option<u32>,
    row: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct StoredPage {
    page: u32,
    #[serde(default)]
    chars: i64,
    #[serde(default)]
    replacement_share: f32,
    #[serde(default)]
    private_use_share: f32,
    #[serde(default)]
    looks_scanned: bool,
    #[serde(default)]
    reading_order_doubt: bool,
    #[serde(default)]
    ocr: bool,
}

fn stored<T: serde::de::DeserializeOwned>(list: &Value) -> Vec<T> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| serde_json::from_value(entry.clone()).ok())
        .collect()
}

/// Tone and words of a page, and the code under which the catalogue says what to do about it.
fn judged(page: &StoredPage) -> (&'static str, String, Option<&'static str>) {
    let garbled = page.replacement_share + page.private_use_share;
    let share = || format!("{:.0} % of the letters are unknown", garbled * 100.0);
    let amount = words::count(page.chars, "character", "characters");
    match () {
        () if page.chars == 0 && page.looks_scanned => (
            "bad",
            "looks scanned, no text".to_owned(),
            Some("page_without_text"),
        ),
        () if page.chars == 0 => ("bad", "no text".to_owned(), Some("page_without_text")),
        () if page.looks_scanned && !page.ocr => (
            "bad",
            format!("looks scanned, only {amount}"),
            Some("page_without_text"),
        ),
        () if garbled > MOSTLY_GARBLED => ("bad", share(), Some("garbled_text")),
        () if garbled > SOME_GARBLED => ("warn", share(), Some("garbled_text")),
        () if page.reading_order_doubt => (
            "warn",
            "the reading order was guessed".to_owned(),
            Some("reading_order"),
        ),
        () if page.ocr => ("ocr", format!("{amount}, read by text recognition (OCR)"), None),
        () => ("", amount, None),
    }
}

/// Places of a code, pages and rows in order, once each.
type Places = BTreeMap<(Option<u32>, Option<i64>, usize), Place>;

impl Quality {
    /// The report of `version`, with headings and remedies from `catalogue`.
    pub fn new(version: &Version, catalogue: Catalogue) -> Self {
        let pages: Vec<StoredPage> = stored(&version.pages.0);
        let warnings: Vec<StoredWarning> = stored(&version.warnings.0);
        let mut found: BTreeMap<String, (&'static str, Places)> = BTreeMap::new();
        let mut marks = Vec::with_capacity(pages.len());
        for page in &pages {
            let (tone, words, code) = judged(page);
            let href = page_href(version.id, page.page);
            if let Some(code) = code {
                let (worst, places) = found.entry(code.to_owned()).or_insert(("warn", Places::new()));
                if tone == "bad" {
                    *worst = "bad";
                }
                let place = Place {
                    place: words::place((Some(page.page.into()), None), (None, None)),
                    words: words.clone(),
                    href: Some(href.clone()),
                };
                places.insert((Some(page.page), None, 0), place);
            }
            marks.push(PageMark {
                number: page.page,
                tone,
                words,
                href,
            });
        }
        let count = warnings.len();
        for (index, warning) in warnings.into_iter().enumerate() {
            let (_, places) = found.entry(warning.code).or_insert(("warn", Places::new()));
            // what the report of the page says already is not said twice
            let once = warning.page.is_some() && warning.row.is_none();
            let key = (warning.page, warning.row, if once { 0 } else { index + 1 });
            places.entry(key).or_insert_with(|| Place {
                place: words::place((warning.page.map(i64::from), None), (warning.row, None)),
                words: words::sentence(&warning.message),
                href: warning.page.map(|page| page_href(version.id, page)),
            });
        }
        let mut findings: Vec<Finding> = found
            .into_iter()
            .map(|(code, (tone, places))| finding(&code, tone, places, catalogue))
            .collect();
        findings.sort_by_key(|finding| finding.tone != "bad");
        Self {
            doubtful: marks.iter().any(|page| matches!(page.tone, "warn" | "bad")),
            recognised: marks.iter().any(|page| page.tone == "ocr"),
            summary: summary(&marks, count),
            pages: marks,
            findings,
        }
    }
}

fn finding(code: &str, tone: &'static str, places: Places, catalogue: Catalogue) -> Finding {
    let (title, to_do) = catalogue(code).unwrap_or(("Warning", ""));
    Finding {
        tone,
        title: title.to_owned(),
        to_do: to_do.to_owned(),
        places: places.into_values().collect(),
    }
}

/// The address of a page's text.
fn page_href(version: Uuid, page: u32) -> String {
    format!("/passages/{version}?page={page}#passage")
}

fn summary(pages: &[PageMark], warnings: usize) -> String {
    let of = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let doubtful = pages
        .iter()
        .filter(|page| matches!(page.tone, "warn" | "bad"))
        .count();
    match (pages.len(), doubtful) {
        (0, _) => words::count(of(warnings), "warning", "warnings"),
        (all, 0) => format!("{} read well", words::count(of(all), "page", "pages")),
        (all, 1) => format!("1 of {} needs a look", words::count(of(all), "page", "pages")),
        (all, bad) => format!(
            "{} of {} need a look",
            words::thousands(of(bad)),
            words::count(of(all), "page", "pages")
        ),
    }
}
