//! Turns a PDF into one that looks scanned: every page a picture, no letters.
//!
//! `cargo run -p plumbline-ingest --example scan -- IN.pdf OUT.pdf [QUARTER_TURNS [PAGES]]`

use std::process::ExitCode;

use lopdf::{Document, Object, Stream, dictionary};
use pdfium_render::prelude::{PdfBitmapFormat, PdfPageRenderRotation, PdfRenderConfig, Pdfium};
use plumbline_ingest::find_libpdfium;

/// Resolution of an office scanner's usual setting.
const DPI: f32 = 200.0;
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: scan IN.pdf OUT.pdf [QUARTER_TURNS [PAGES]]");
        return ExitCode::FAILURE;
    };
    let number = |index: usize| rest.get(index).and_then(|text| text.parse().ok());
    match scan(from, to, number(0).unwrap_or(0), number(1).unwrap_or(u16::MAX)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{from}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn scan(from: &str, to: &str, quarter_turns: u16, pages: u16) -> Result<(), Failure> {
    let library = find_libpdfium().ok_or("libpdfium is not installed")?;
    let pdfium = Pdfium::new(Pdfium::bind_to_library(library)?);
    let source = pdfium.load_pdf_from_file(from, None)?;
    let turn = match quarter_turns % 4 {
        0 => PdfPageRenderRotation::None,
        1 => PdfPageRenderRotation::Degrees90,
        2 => PdfPageRenderRotation::Degrees180,
        _ => PdfPageRenderRotation::Degrees270,
    };
    let config = PdfRenderConfig::new()
        .scale_page_by_factor(DPI / 72.0)
        .rotate(turn, true)
        .set_format(PdfBitmapFormat::BGRx);
    let mut out = Document::with_version("1.5");
    let tree = out.new_object_id();
    let mut kids: Vec<Object> = Vec::new();
    for page in source.pages().iter().take(pages.into()) {
        let bitmap = page.render_with_config(&config)?;
        let (width, height) = (
            usize::try_from(bitmap.width())?,
            usize::try_from(bitmap.height())?,
        );
        kids.push(sheet(&mut out, tree, &bitmap.as_raw_bytes(), width, height)?.into());
    }
    let count = i64::try_from(kids.len())?;
    let root = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count };
    out.objects.insert(tree, Object::Dictionary(root));
    let catalog = out.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    out.trailer.set("Root", catalog);
    out.save(to)?;
    Ok(())
}

/// A page that is one black and white picture.
fn sheet(
    out: &mut Document,
    tree: lopdf::ObjectId,
    pixels: &[u8],
    width: usize,
    height: usize,
) -> Result<lopdf::ObjectId, Failure> {
    let stride = pixels.len() / height;
    let mut bits = Vec::with_capacity(width.div_ceil(8) * height);
    for row in pixels.chunks_exact(stride) {
        for eight in row[..width * 4].chunks(8 * 4) {
            let byte = eight.chunks(4).enumerate().fold(0_u8, |byte, (bit, pixel)| {
                byte | (u8::from(pixel[1] > 150) << (7 - bit))
            });
            bits.push(byte);
        }
    }
    let image = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "ColorSpace" => "DeviceGray", "BitsPerComponent" => 1,
        "Width" => i64::try_from(width)?, "Height" => i64::try_from(height)?,
    };
    let mut image = Stream::new(image, bits);
    image.compress()?;
    let image = out.add_object(image);
    #[expect(clippy::cast_precision_loss, reason = "pages have a few thousand pixels")]
    let (w, h) = (width as f32 * 72.0 / DPI, height as f32 * 72.0 / DPI);
    let content = format!("q {w} 0 0 {h} 0 0 cm /Scan Do Q").into_bytes();
    let content = out.add_object(Stream::new(dictionary! {}, content));
    Ok(out.add_object(dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => content,
        "MediaBox" => vec![0.into(), 0.into(), w.into(), h.into()],
        "Resources" => dictionary! { "XObject" => dictionary! { "Scan" => image } },
    }))
}
