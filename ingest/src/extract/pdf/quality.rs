//! What was read from each page, and what an admin is told about it.
//!
//! The same remark about many pages is one warning that lists them: a scanned book must not bury
//! the one page that matters.

use crate::block::Warning;
use crate::catalogue::Code;
use crate::extract::pdf::chars::PageChars;
use crate::extract::pdf::hidden::Scene;

/// Characters below which a page with a picture is taken for a scan.
const SCANNED_BELOW: usize = 20;
/// The same for a picture of the whole page: a stamp or a page number may be printed on it.
const SCANNED_SHEET_BELOW: usize = 80;
/// Share of the page from which on a picture may hold its text.
const PICTURE: f32 = 0.1;
/// Share of the page from which on a picture is the page.
const SHEET: f32 = 0.75;
/// Shapes from which on they may be letters drawn as outlines.
const OUTLINES: usize = 100;
/// Share of meaningless characters above which a page is reported as garbled.
const GARBLED_ABOVE: f32 = 0.1;
/// Share of meaningless characters above which nothing of a file is worth searching.
const USELESS_ABOVE: f32 = 0.5;
/// Confidence in percent below which recognised text is doubtful.
const DOUBTFUL_BELOW: u32 = 60;

/// Whether the page's text is in a picture of it, or drawn as shapes.
pub(super) fn looks_scanned(chars: &PageChars, scene: &Scene<'_>) -> bool {
    if chars.was_recognised() {
        return false;
    }
    let usable = chars.usable();
    let drawn = scene.coverage >= PICTURE || scene.shapes >= OUTLINES;
    (usable < SCANNED_BELOW && drawn) || (usable < SCANNED_SHEET_BELOW && scene.coverage >= SHEET)
}

/// A share of the characters of a page or a file.
#[expect(clippy::cast_precision_loss, reason = "a share needs no precision")]
pub(super) fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

pub(super) fn is_garbled(share: f32) -> bool {
    share > GARBLED_ABOVE
}

pub(super) fn is_useless(share: f32) -> bool {
    share > USELESS_ABOVE
}

pub(super) fn is_doubtful(confidence: u32) -> bool {
    confidence < DOUBTFUL_BELOW
}

/// Why a page that looks scanned was not recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unrecognised {
    /// Recognition was not asked for.
    Off,
    /// Only so many pages of a file are recognised.
    TooMany(u32),
    /// It took longer than so many seconds.
    Late(u32),
    /// It found no text.
    Nothing,
    /// It could not run; the sentence says why and what to install.
    Impossible(String),
}

/// Something to tell about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    Unreadable,
    Empty,
    NoText,
    Scanned(Unrecognised),
    Garbled,
    OrderGuessed,
    Hidden,
    Recognised,
    RecognisedBadly,
}

impl Finding {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable => Code::PageUnreadable,
            Self::Empty | Self::NoText | Self::Scanned(_) => Code::PageWithoutText,
            Self::Garbled => Code::GarbledText,
            Self::OrderGuessed => Code::ReadingOrder,
            Self::Hidden => Code::HiddenText,
            Self::Recognised => Code::RecognisedText,
            Self::RecognisedBadly => Code::DoubtfulRecognition,
        }
    }

    fn message(&self, pages: &[u32]) -> String {
        let many = pages.len() > 1;
        let subject = subject(pages);
        let choose = |one: &'static str, more: &'static str| if many { more } else { one };
        let looks = choose("looks", "look");
        match self {
            Self::Unreadable => format!("{subject} could not be opened"),
            Self::Empty => format!("{subject} {} empty", choose("is", "are")),
            Self::NoText => format!("{subject} {} no text", choose("has", "have")),
            Self::Scanned(why) => format!("{subject} {looks} scanned; {}", why.explain()),
            Self::Garbled => format!("many characters of {subject} have no known meaning"),
            Self::OrderGuessed => format!("the reading order of {subject} was guessed"),
            Self::Hidden => format!("text of {subject} that cannot be seen was left out"),
            Self::Recognised => format!("the text of {subject} was recognised from a picture"),
            Self::RecognisedBadly => {
                format!("the text of {subject} was recognised from a picture, with many doubts")
            }
        }
    }
}

impl Unrecognised {
    fn explain(&self) -> String {
        match self {
            Self::Off => "text recognition (OCR) can be switched on in the settings".to_owned(),
            Self::TooMany(most) => format!("only {most} pages of a file are recognised"),
            Self::Late(seconds) => format!("recognising the text took longer than {seconds} seconds"),
            Self::Nothing => "text recognition found no text".to_owned(),
            Self::Impossible(reason) => reason.clone(),
        }
    }
}

/// Everything found, page by page.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<(Finding, Vec<u32>)>);

impl Findings {
    pub(super) fn note(&mut self, finding: Finding, page: u32) {
        match self.0.iter_mut().find(|(known, _)| *known == finding) {
            Some((_, pages)) => pages.push(page),
            None => self.0.push((finding, vec![page])),
        }
    }

    /// One warning per finding, in the order of the first page it is about.
    pub(super) fn into_warnings(self) -> impl Iterator<Item = Warning> {
        self.0.into_iter().map(|(finding, pages)| {
            let warning = Warning::new(finding.code(), finding.message(&pages));
            match pages.as_slice() {
                [page] => warning.on_page(*page),
                _ => warning,
            }
        })
    }
}

/// `page 3`, `pages 3–7, 12`.
fn subject(pages: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *page => *last = *page,
            _ => runs.push((*page, *page)),
        }
    }
    let run = |(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    let runs: Vec<String> = runs.iter().map(run).collect();
    let word = if pages.len() == 1 { "page" } else { "pages" };
    format!("{word} {}", runs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_about_many_pages_is_one_warning() {
        let mut findings = Findings::default();
        for page in [2, 5, 6, 7, 8, 11, 12] {
            findings.note(Finding::Scanned(Unrecognised::Off), page);
        }
        findings.note(Finding::Empty, 3);
        let warnings: Vec<Warning> = findings.into_warnings().collect();
        assert_eq!(
            warnings[0].message,
            "pages 2, 5–8, 11, 12 look scanned; text recognition (OCR) can be switched on in the settings"
        );
        assert_eq!(
            (warnings[0].code, warnings[0].page),
            (Code::PageWithoutText, None)
        );
        assert_eq!(
            (warnings[1].message.as_str(), warnings[1].page),
            ("page 3 is empty", Some(3))
        );
    }
}
