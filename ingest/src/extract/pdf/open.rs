//! Opening a PDF and reading its pages.

use std::sync::{Mutex, OnceLock, PoisonError};

use pdfium_render::prelude::{
    PdfDocument, PdfDocumentMetadataTagType, PdfPage, Pdfium, PdfiumError, PdfiumInternalError,
    PdfiumLibraryConfig,
};

use crate::block::Warning;
use crate::catalogue::Code;
use crate::extract::pdf::chars::{self, PageChars};
use crate::extract::pdf::forms::{self, Forms, Typed};
use crate::extract::pdf::hidden::Scene;
use crate::extract::pdf::ocr::Recogniser;
use crate::extract::pdf::quality::{self, Unrecognised};
use crate::extract::pdf::rules::{self, Rules};
use crate::extract::pdf::{repair, useful_title};
use crate::extract::{ExtractError, Limits, Listener, Ocr, Step, find_libpdfium};

/// One page as pdfium sees it.
pub(super) struct RawPage {
    pub(super) number: u32,
    pub(super) chars: PageChars,
    pub(super) rules: Rules,
    pub(super) scan: Scan,
    pub(super) has_drawing: bool,
    /// Values of form fields and notes.
    pub(super) typed: Vec<String>,
    pub(super) failed: bool,
}

/// Whether a page's text is in a picture, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scan {
    No,
    /// Read from the picture, so sure in percent.
    Recognised(u32),
    Unread(Unrecognised),
}

/// All pages of a document.
pub(super) struct RawDocument {
    pub(super) title: Option<String>,
    pub(super) pages: Vec<RawPage>,
    pub(super) warnings: Vec<Warning>,
}

pub(super) fn read(
    bytes: &[u8],
    file_name: &str,
    limits: &Limits,
    ocr: Option<&Ocr>,
    listener: &mut Listener<'_>,
) -> Result<RawDocument, ExtractError> {
    // pdfium is not thread safe; one document at a time, whoever calls.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let pdfium = library(limits)?;
    let rebuilt: Vec<u8>;
    let mut repaired = false;
    let (bytes, document) = match pdfium.load_pdf_from_byte_slice(bytes, None) {
        Ok(document) => (bytes, document),
        Err(error) => {
            let error = cannot_open(&error, file_name);
            if error.code != Code::DamagedPdf {
                return Err(error);
            }
            repaired = true;
            rebuilt = repair::rebuild(bytes).ok_or_else(|| error.clone())?;
            let document = pdfium.load_pdf_from_byte_slice(&rebuilt, None);
            (rebuilt.as_slice(), document.map_err(|_| error)?)
        }
    };
    let title = document
        .metadata()
        .get(PdfDocumentMetadataTagType::Title)
        .and_then(|tag| useful_title(tag.value()));
    let mut reader = PageReader {
        bytes,
        forms: None,
        recogniser: ocr.map(Recogniser::new),
        listener,
    };
    let (pages, mut warnings) = pages(&document, file_name, limits, &mut reader)?;
    if repaired {
        let message = format!(
            "{file_name} is damaged; {} of its pages were found, others may be missing",
            pages.len()
        );
        warnings.insert(0, Warning::new(Code::Repaired, message));
    }
    Ok(RawDocument {
        title,
        pages,
        warnings,
    })
}

fn pages(
    document: &PdfDocument<'_>,
    file_name: &str,
    limits: &Limits,
    reader: &mut PageReader<'_, '_>,
) -> Result<(Vec<RawPage>, Vec<Warning>), ExtractError> {
    let count = u32::try_from(document.pages().len()).unwrap_or(0);
    if count == 0 {
        return Err(ExtractError::new(
            Code::DamagedPdf,
            format!("{file_name} has no pages that can be opened"),
        ));
    }
    let mut warnings = Vec::new();
    if count > limits.max_pages {
        let message = format!(
            "{file_name} has {count} pages, the first {} were read",
            limits.max_pages
        );
        warnings.push(Warning::new(Code::TruncatedPages, message));
    }
    let mut pages = Vec::new();
    let mut text_bytes = 0;
    let last = count.min(limits.max_pages);
    for number in 1..=last {
        let index = i32::try_from(number - 1).unwrap_or(i32::MAX);
        let page = document
            .pages()
            .get(index)
            .map_or_else(|_| failed(number), |page| reader.read(&page, number));
        text_bytes += page.chars.chars;
        pages.push(page);
        let (done, total) = (u64::from(number), u64::from(last));
        (reader.listener)(Step::Progress { done, total });
        if text_bytes > limits.max_text_bytes {
            break; // the builder cuts and warns
        }
    }
    if pages.iter().all(|page| page.failed) {
        return Err(ExtractError::new(
            Code::DamagedPdf,
            format!("no page of {file_name} can be opened"),
        ));
    }
    Ok((pages, warnings))
}

fn failed(number: u32) -> RawPage {
    RawPage {
        number,
        chars: PageChars::default(),
        rules: Rules::default(),
        scan: Scan::No,
        has_drawing: false,
        typed: Vec::new(),
        failed: true,
    }
}

/// Reads page after page of one file.
struct PageReader<'a, 'l> {
    bytes: &'a [u8],
    /// Read when the first page has fields or notes.
    forms: Option<Forms>,
    recogniser: Option<Recogniser<'a>>,
    listener: &'a mut Listener<'l>,
}

impl PageReader<'_, '_> {
    fn read(&mut self, page: &PdfPage<'_>, number: u32) -> RawPage {
        let Ok(text) = page.text() else {
            return failed(number);
        };
        let scene = Scene::of(page);
        let mut chars = chars::read(&text, &scene);
        let scan = self.look(page, number, &mut chars, &scene);
        let mut typed = Typed::default();
        if forms::has_entries(page) {
            let forms = self.forms.get_or_insert_with(|| Forms::read(self.bytes));
            typed = forms.of(number, &text, &scene);
        }
        chars.hidden += typed.hidden;
        RawPage {
            number,
            // A picture's lines are in the picture.
            rules: match scan {
                Scan::Recognised(_) => Rules::default(),
                _ => rules::read(page, chars.frame),
            },
            scan,
            has_drawing: scene.coverage > 0.0 || scene.shapes > 0,
            chars,
            typed: typed.lines,
            failed: false,
        }
    }

    /// Looks at a page's picture when its letters are not there or mean nothing.
    fn look(&mut self, page: &PdfPage<'_>, number: u32, chars: &mut PageChars, scene: &Scene<'_>) -> Scan {
        let looks_scanned = quality::looks_scanned(chars, scene);
        let found = match &mut self.recogniser {
            Some(recogniser) if looks_scanned || chars.is_garbage() => {
                recogniser.read(page, number, self.listener)
            }
            None if looks_scanned => Err(Unrecognised::Off),
            _ => return Scan::No,
        };
        match found {
            Ok((found, confidence)) if found.chars >= chars.usable() => {
                *chars = found;
                Scan::Recognised(confidence)
            }
            _ if !looks_scanned => Scan::No,
            Ok(_) => Scan::Unread(Unrecognised::Nothing),
            Err(why) => Scan::Unread(why),
        }
    }
}

fn cannot_open(error: &PdfiumError, file_name: &str) -> ExtractError {
    match error {
        PdfiumError::PdfiumLibraryInternalError(
            PdfiumInternalError::PasswordError | PdfiumInternalError::SecurityError,
        ) => ExtractError::new(Code::Encrypted, format!("{file_name} is locked with a password")),
        _ => ExtractError::new(
            Code::DamagedPdf,
            format!("{file_name} is damaged or cut off; no page can be opened"),
        ),
    }
}

/// A folder that holds no fonts, because it cannot exist.
const NO_FONTS: &str = "/dev/null/fonts";

/// The library is loaded once per process; the first caller's path decides.
fn library(limits: &Limits) -> Result<&'static Pdfium, ExtractError> {
    static LIBRARY: OnceLock<Result<Pdfium, String>> = OnceLock::new();
    let loaded = LIBRARY.get_or_init(|| {
        let path = limits.libpdfium.clone().or_else(find_libpdfium);
        let path =
            path.ok_or_else(|| "libpdfium is in none of the places the service looks in".to_owned())?;
        let bindings = Pdfium::bind_to_library(&path)
            .map_err(|error| format!("{} cannot be loaded ({error})", path.display()))?;
        // Fonts that a file does not bring are replaced by those inside the library: a page reads the same on every
        // machine, and no reader looks through all fonts of the machine first, which cost as much as ten pages.
        let config = PdfiumLibraryConfig::new()
            .set_user_font_paths(&[NO_FONTS])
            .map_err(|error| error.to_string())?;
        Ok(Pdfium::new_with_config(bindings, config))
    });
    loaded
        .as_ref()
        .map_err(|reason| ExtractError::new(Code::PdfiumMissing, reason.clone()))
}
