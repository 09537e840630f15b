//! What a reader of the page cannot see.
//!
//! Text that only machines read is how instructions are smuggled into an answer, so it is left
//! out: text without ink, text off the page, text smaller than a point, pale text on a pale
//! ground. One kind of text without ink is the text: what a recogniser laid over a picture of
//! the page. Pages where nothing is suspicious cost one look at their objects and no more.

use std::cell::OnceCell;

use pdfium_render::prelude::{
    PdfColor, PdfPage, PdfPageObject, PdfPageObjectCommon, PdfPageObjectsCommon, PdfPageRenderRotation,
    PdfPageTextChar, PdfPageTextRenderMode, PdfRect, PdfRenderConfig,
};

use crate::extract::pdf::picture::{self, Picture};

/// Most objects of a page that are looked at.
const MAX_OBJECTS: usize = 50_000;
/// Deepest nesting of form objects.
const MAX_DEPTH: usize = 6;
/// Pictures smaller than this, in points, carry no recognised text: logos, bullets, rules.
const MIN_PICTURE: f32 = 36.0;
/// Each channel of a pale colour is at least this.
const PALE: u8 = 235;
/// Less than this is as good as transparent.
const FAINT: u8 = 13;
/// Share of dark pixels behind a pale character that make it readable.
const CONTRAST: f32 = 0.25;

/// How a character stands to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Visible,
    Hidden,
    /// Without ink, over a picture: a recogniser put it there.
    Recognised,
}

/// What is on a page besides its characters.
pub(super) struct Scene<'a> {
    page: &'a PdfPage<'a>,
    page_box: Option<PdfRect>,
    pictures: Vec<PdfRect>,
    /// Share of the page that pictures cover.
    pub(super) coverage: f32,
    /// Lines, curves and filled shapes.
    pub(super) shapes: usize,
    inkless: bool,
    pale: bool,
    shot: OnceCell<Option<Shot>>,
}

impl<'a> Scene<'a> {
    pub(super) fn of(page: &'a PdfPage<'a>) -> Self {
        let page_box = page.boundaries().bounding().ok().map(|found| found.bounds);
        let mut scene = Self {
            page,
            page_box,
            pictures: Vec::new(),
            coverage: 0.0,
            shapes: 0,
            inkless: false,
            pale: false,
            shot: OnceCell::new(),
        };
        let mut budget = MAX_OBJECTS;
        for object in page.objects().iter() {
            if budget == 0 {
                break;
            }
            scene.look_at(&object, None, 0, &mut budget);
        }
        scene.coverage = scene.covered();
        scene
    }

    /// `place` is the box of the outermost form around the object: inside a form coordinates are
    /// the form's own.
    fn look_at(
        &mut self,
        object: &PdfPageObject<'_>,
        place: Option<PdfRect>,
        depth: usize,
        budget: &mut usize,
    ) {
        *budget = budget.saturating_sub(1);
        let bounds =
            |place: Option<PdfRect>| place.or_else(|| object.bounds().ok().map(|bounds| bounds.to_rect()));
        match object {
            PdfPageObject::Image(_) => self.pictures.extend(bounds(place)),
            PdfPageObject::Path(_) | PdfPageObject::Shading(_) => self.shapes += 1,
            PdfPageObject::Text(text) => {
                let mode = text.render_mode();
                self.inkless |= without_ink(mode);
                self.pale |= is_pale(mode, text.fill_color().ok(), text.stroke_color().ok());
            }
            PdfPageObject::XObjectForm(form) if depth < MAX_DEPTH => {
                let place = bounds(place);
                for index in form.as_range() {
                    if *budget == 0 {
                        return;
                    }
                    if let Ok(inner) = form.get(index) {
                        self.look_at(&inner, place, depth + 1, budget);
                    }
                }
            }
            _ => {}
        }
    }

    /// Overlapping pictures (a page in layers) count once each, so the sum is capped.
    fn covered(&self) -> f32 {
        let Some(page) = self.page_box else { return 0.0 };
        let area = |rect: &PdfRect| {
            let width = rect.right().value.min(page.right().value) - rect.left().value.max(page.left().value);
            let height =
                rect.top().value.min(page.top().value) - rect.bottom().value.max(page.bottom().value);
            width.max(0.0) * height.max(0.0)
        };
        let all: f32 = self.pictures.iter().map(area).sum();
        (all / area(&page).max(1.0)).min(1.0)
    }

    /// Whether a point is on the page.
    pub(super) fn has_on_it(&self, x: f32, y: f32) -> bool {
        self.page_box.is_none_or(|page| holds(&page, x, y))
    }

    pub(super) fn sight(&self, item: &PdfPageTextChar<'_>, bounds: &PdfRect) -> Sight {
        let (x, y) = (
            middle(bounds.left().value, bounds.right().value),
            middle(bounds.bottom().value, bounds.top().value),
        );
        if !self.has_on_it(x, y) || is_tiny(item, bounds) {
            return Sight::Hidden;
        }
        if !self.inkless && !self.pale {
            return Sight::Visible;
        }
        let mode = item.render_mode().unwrap_or(PdfPageTextRenderMode::Unknown);
        if self.inkless && without_ink(mode) {
            let over = |picture: &PdfRect| {
                picture.width().value.min(picture.height().value) >= MIN_PICTURE && holds(picture, x, y)
            };
            return if self.pictures.iter().any(over) {
                Sight::Recognised
            } else {
                Sight::Hidden
            };
        }
        if self.pale
            && is_pale(mode, item.fill_color().ok(), item.stroke_color().ok())
            && !self.stands_out(bounds)
        {
            return Sight::Hidden;
        }
        Sight::Visible
    }

    /// Whether the page, as it is drawn, is dark where a pale character stands.
    fn stands_out(&self, bounds: &PdfRect) -> bool {
        let shot = self.shot.get_or_init(|| Shot::of(self.page));
        shot.as_ref()
            .is_none_or(|shot| shot.dark_share(self.page, bounds) >= CONTRAST)
    }
}

fn middle(low: f32, high: f32) -> f32 {
    f32::midpoint(low, high)
}

fn holds(rect: &PdfRect, x: f32, y: f32) -> bool {
    (rect.left().value..=rect.right().value).contains(&x)
        && (rect.bottom().value..=rect.top().value).contains(&y)
}

fn is_tiny(item: &PdfPageTextChar<'_>, bounds: &PdfRect) -> bool {
    let extent = bounds.width().value.abs().max(bounds.height().value.abs());
    // Fonts without measures have no extent; then the size they are set in decides.
    let size = if extent > 0.0 {
        extent
    } else {
        item.scaled_font_size().value
    };
    size < 1.0
}

fn without_ink(mode: PdfPageTextRenderMode) -> bool {
    // Text that only clips is seen: as the shape of the picture behind it.
    mode == PdfPageTextRenderMode::Invisible
}

/// Whether all ink the mode uses is pale or transparent.
fn is_pale(mode: PdfPageTextRenderMode, fill: Option<PdfColor>, stroke: Option<PdfColor>) -> bool {
    use PdfPageTextRenderMode as Mode;
    let pale = |color: Option<PdfColor>| {
        color.is_some_and(|color| {
            color.alpha() < FAINT || color.red().min(color.green()).min(color.blue()) >= PALE
        })
    };
    match mode {
        Mode::StrokedUnfilled | Mode::StrokedUnfilledClipping => pale(stroke),
        Mode::FilledThenStroked | Mode::FilledThenStrokedClipping => pale(fill) && pale(stroke),
        _ => pale(fill),
    }
}

/// The page as it is drawn, small.
struct Shot {
    config: PdfRenderConfig,
    picture: Picture,
}

impl Shot {
    fn of(page: &PdfPage<'_>) -> Option<Self> {
        /// One pixel per point shows whether the ground of a character is dark.
        const MOST_PIXELS: f32 = 1_500.0;
        let longest = page.width().value.max(page.height().value).max(1.0);
        let config = picture::config((MOST_PIXELS / longest).min(1.0), PdfPageRenderRotation::None);
        let picture = picture::draw(page, &config)?;
        Some(Self { config, picture })
    }

    fn dark_share(&self, page: &PdfPage<'_>, bounds: &PdfRect) -> f32 {
        let corner = |x, y| page.points_to_pixels(x, y, &self.config).ok();
        let (Some(a), Some(b)) = (
            corner(bounds.left(), bounds.top()),
            corner(bounds.right(), bounds.bottom()),
        ) else {
            return 1.0;
        };
        let clamp = |value: i32, most: usize| usize::try_from(value).unwrap_or(0).min(most);
        let span =
            |a: i32, b: i32, most: usize| clamp(a.min(b), most)..clamp(a.max(b).max(a.min(b) + 1), most);
        let (mut dark, mut all) = (0_u32, 0_u32);
        for y in span(a.1, b.1, self.picture.height) {
            for x in span(a.0, b.0, self.picture.width) {
                all += 1;
                dark += u32::from(self.picture.grey[y * self.picture.width + x] < PALE);
            }
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share of the pixels of one character"
        )]
        let share = dark as f32 / all.max(1) as f32;
        share
    }
}
