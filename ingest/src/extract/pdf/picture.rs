//! A page as it is drawn, in grey.

use pdfium_render::prelude::{PdfBitmapFormat, PdfPage, PdfPageRenderRotation, PdfRenderConfig};

/// A drawn page.
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Row by row from the top, without padding.
    pub(super) grey: Vec<u8>,
}

/// How a page is drawn; also tells where a point of the page lands in the picture.
pub(super) fn config(scale: f32, turn: PdfPageRenderRotation) -> PdfRenderConfig {
    PdfRenderConfig::new()
        .scale_page_by_factor(scale)
        .rotate(turn, true)
        // pdfium draws into grey bitmaps, but stops the process when it is to clear one.
        .set_format(PdfBitmapFormat::BGRx)
}

pub(super) fn draw(page: &PdfPage<'_>, config: &PdfRenderConfig) -> Option<Picture> {
    let bitmap = page.render_with_config(config).ok()?;
    let width = usize::try_from(bitmap.width()).ok()?;
    let height = usize::try_from(bitmap.height()).ok()?;
    let pixels = bitmap.as_raw_bytes();
    let stride = pixels.len().checked_div(height)?;
    if width == 0 || stride < width * 4 {
        return None;
    }
    let luma = |pixel: &[u8]| {
        let (blue, green, red) = (u16::from(pixel[0]), u16::from(pixel[1]), u16::from(pixel[2]));
        u8::try_from((blue + 2 * green + red) / 4).unwrap_or(u8::MAX)
    };
    let mut grey = Vec::with_capacity(width * height);
    for row in pixels.chunks_exact(stride) {
        grey.extend(row[..width * 4].chunks_exact(4).map(luma));
    }
    Some(Picture { width, height, grey })
}
