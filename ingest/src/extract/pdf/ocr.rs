//! Text recognition for scanned pages, by the program tesseract.
//!
//! What it finds becomes the same segments a page with letters has, so columns, tables and
//! paragraphs of a scan are rebuilt like those of any other page. The program is optional; when
//! it is missing, the page's warning says what to install.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pdfium_render::prelude::{PdfPage, PdfPageRenderRotation};

use crate::extract::pdf::chars::PageChars;
use crate::extract::pdf::hocr::{self, Recognised};
use crate::extract::pdf::picture;
use crate::extract::pdf::quality::{self, Unrecognised};
use crate::extract::{Listener, Ocr, Step};

/// Resolution pages are drawn in; more does not read better.
const DPI: f32 = 200.0;
/// Longest side of the picture: some scans claim to be metres wide.
const MOST_PIXELS: f32 = 4_500.0;
/// Time for questions to tesseract that need no page.
const SHORT: Duration = Duration::from_secs(10);
/// Most bytes read from tesseract.
const MOST_OUTPUT: u64 = 32 * 1024 * 1024;

/// Recognises the scanned pages of one file.
pub(super) struct Recogniser<'a> {
    ocr: &'a Ocr,
    left: u32,
    /// Whether tesseract can run, asked at the first scanned page.
    ready: Option<Result<Ready, String>>,
}

/// What the installed tesseract can do.
#[derive(Debug, Clone, Copy)]
struct Ready {
    finds_rotation: bool,
}

impl<'a> Recogniser<'a> {
    pub(super) fn new(ocr: &'a Ocr) -> Self {
        Self {
            ocr,
            left: ocr.max_pages,
            ready: None,
        }
    }

    /// The text in the picture of a page, and how sure tesseract is of it, in percent.
    pub(super) fn read(
        &mut self,
        page: &PdfPage<'_>,
        number: u32,
        listener: &mut Listener<'_>,
    ) -> Result<(PageChars, u32), Unrecognised> {
        let ready = self.ready.get_or_insert_with(|| prepare(&self.ocr.languages));
        let ready = ready.clone().map_err(Unrecognised::Impossible)?;
        if self.left == 0 {
            return Err(Unrecognised::TooMany(self.ocr.max_pages));
        }
        self.left -= 1;
        listener(Step::Recognising { page: number });
        let until = Instant::now() + self.ocr.page_time();
        let upright = Sheet::of(page, PdfPageRenderRotation::None)?;
        let mut best = self.recognise(&upright, until)?;
        let doubtful = best.chars() == 0 || quality::is_doubtful(best.confidence());
        let asked = (doubtful && ready.finds_rotation).then(|| rotation(&upright, until));
        let turned = asked.flatten().or_else(|| best.turned());
        if let Some(turn) = turned.and_then(quarter_turns) {
            drop(upright);
            let again = self.recognise(&Sheet::of(page, turn)?, until)?;
            // Letters read sideways are in no order, however sure tesseract is of each.
            let in_order = best.turned().is_some() && again.turned().is_none();
            if again.confidence() > best.confidence() || in_order {
                best = again;
            }
        }
        if best.chars() == 0 {
            return Err(Unrecognised::Nothing);
        }
        Ok((best.page(), best.confidence()))
    }

    fn recognise(&self, sheet: &Sheet, until: Instant) -> Result<Recognised, Unrecognised> {
        let languages = self.ocr.languages.as_str();
        let arguments = [
            "stdin",
            "stdout",
            "-l",
            languages,
            "--psm",
            "3",
            "--dpi",
            "200",
            "-c",
            "tessedit_create_hocr=1",
        ];
        let hocr = tesseract(&arguments, &sheet.pgm, until).map_err(|ended| self.explain(ended))?;
        hocr::parse(&hocr, sheet.points_per_pixel)
            .ok_or_else(|| Unrecognised::Impossible("the answer of tesseract makes no sense".to_owned()))
    }

    fn explain(&self, ended: Ended) -> Unrecognised {
        match ended {
            Ended::Late => Unrecognised::Late(self.ocr.page_seconds),
            Ended::Missing => Unrecognised::Impossible(NOT_INSTALLED.to_owned()),
            Ended::Failed(reason) => Unrecognised::Impossible(format!("text recognition failed: {reason}")),
        }
    }
}

/// By how many degrees to turn the page with the clock so that its letters stand upright. A page
/// with too few letters to tell is left as it is.
fn rotation(sheet: &Sheet, until: Instant) -> Option<u16> {
    let arguments = ["stdin", "stdout", "-l", "osd", "--psm", "0", "--dpi", "200"];
    let said = tesseract(&arguments, &sheet.pgm, until).ok()?;
    let said = String::from_utf8_lossy(&said);
    let degrees = said.lines().find_map(|line| line.strip_prefix("Rotate: "))?;
    degrees.trim().parse().ok()
}

fn quarter_turns(degrees: u16) -> Option<PdfPageRenderRotation> {
    match degrees {
        90 => Some(PdfPageRenderRotation::Degrees90),
        180 => Some(PdfPageRenderRotation::Degrees180),
        270 => Some(PdfPageRenderRotation::Degrees270),
        _ => None,
    }
}

const NOT_INSTALLED: &str =
    "text recognition needs tesseract, which is not installed (apt-get install tesseract-ocr)";

/// Asks tesseract for its languages, which also tells whether it is there.
fn prepare(languages: &str) -> Result<Ready, String> {
    let wanted: Vec<&str> = languages.split('+').collect();
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte))
    };
    if !wanted.iter().all(|name| is_name(name)) {
        return Err(format!(
            "the languages of text recognition must look like eng or eng+spa, not {languages:?}"
        ));
    }
    let listed = installed_languages()?;
    let installed = |name: &str| listed.iter().any(|known| known == name);
    if let Some(missing) = wanted.iter().find(|name| !installed(name)) {
        let package = missing.replace('_', "-").to_lowercase();
        return Err(format!(
            "text recognition lacks the language {missing} (apt-get install tesseract-ocr-{package})"
        ));
    }
    Ok(Ready {
        finds_rotation: installed("osd"),
    })
}

/// The languages tesseract can read here, or why it cannot run.
pub fn installed_languages() -> Result<Vec<String>, String> {
    match tesseract(&["--list-langs"], &[], Instant::now() + SHORT) {
        Ok(listed) => {
            let listed = String::from_utf8_lossy(&listed);
            let names = listed.lines().map(str::trim).filter(|line| !line.contains(' '));
            Ok(names.map(str::to_owned).collect())
        }
        Err(Ended::Missing) => Err(NOT_INSTALLED.to_owned()),
        Err(Ended::Late) => Err("tesseract does not answer".to_owned()),
        Err(Ended::Failed(reason)) => Err(format!("tesseract cannot run: {reason}")),
    }
}

/// A page in the simplest picture format tesseract reads.
struct Sheet {
    pgm: Vec<u8>,
    points_per_pixel: f32,
}

impl Sheet {
    fn of(page: &PdfPage<'_>, turn: PdfPageRenderRotation) -> Result<Self, Unrecognised> {
        let longest = page.width().value.max(page.height().value).max(1.0);
        let scale = (DPI / 72.0).min(MOST_PIXELS / longest);
        let picture = picture::draw(page, &picture::config(scale, turn))
            .ok_or_else(|| Unrecognised::Impossible("the page cannot be drawn".to_owned()))?;
        let mut pgm = format!("P5\n{} {}\n255\n", picture.width, picture.height).into_bytes();
        pgm.extend_from_slice(&picture.grey);
        Ok(Self {
            pgm,
            points_per_pixel: 1.0 / scale,
        })
    }
}

/// How a run of tesseract without a result ended.
enum Ended {
    Missing,
    Late,
    Failed(String),
}

/// Runs tesseract with a picture on its standard input. A picture can keep it busy for very long,
/// hence the clock.
fn tesseract(arguments: &[&str], input: &[u8], until: Instant) -> Result<Vec<u8>, Ended> {
    const PAUSE: Duration = Duration::from_millis(5);
    let failed = |error: std::io::Error| Ended::Failed(error.to_string());
    let mut child = Command::new("tesseract")
        .args(arguments)
        // Its threads spin: two are slower than one, and pages run side by side anyway.
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ended::Missing,
            _ => failed(error),
        })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A tesseract that ends early says why; the broken pipe does not.
            let _ = stdin.map(|mut stdin| stdin.write_all(input));
        });
        let answer = scope.spawn(move || read(stdout));
        let complaint = scope.spawn(move || read(stderr));
        let status = loop {
            match child.try_wait().map_err(failed)? {
                Some(status) => break Some(status),
                None if Instant::now() >= until => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break None;
                }
                None => std::thread::sleep(PAUSE),
            }
        };
        let answer = answer.join().unwrap_or_default();
        let complaint = complaint.join().unwrap_or_default();
        match status {
            None => Err(Ended::Late),
            Some(status) if status.success() => Ok(answer),
            Some(status) => {
                let complaint = String::from_utf8_lossy(&complaint);
                let last = complaint.lines().rfind(|line| !line.trim().is_empty());
                Err(Ended::Failed(last.map_or_else(
                    || status.to_string(),
                    |line| line.trim().to_owned(),
                )))
            }
        }
    })
}

/// All of a pipe up to the cap; what is beyond it is read and dropped, so that nobody waits.
fn read(pipe: Option<impl Read>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = pipe.by_ref().take(MOST_OUTPUT).read_to_end(&mut kept);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    }
    kept
}
