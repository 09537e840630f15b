"""Makes a finished PDF look as if it came out of a scanner: grey, a little crooked, with specks and a stamp's shadow."""
import io
import random

DPI = 110


def picture(page, seed):
    """The page as a JPEG: turned by less than half a degree, dirty, and pale like a copy."""
    from PIL import Image, ImageDraw, ImageFilter

    dice = random.Random(seed)
    image = page.render(scale=DPI / 72).to_pil().convert("L")
    image = image.rotate(0.35, resample=Image.Resampling.BILINEAR, fillcolor=255)
    draw = ImageDraw.Draw(image)
    for _ in range(260):
        x, y = dice.randrange(image.width), dice.randrange(image.height)
        size = dice.choice((0, 0, 0, 1))
        draw.ellipse((x - size, y - size, x + size, y + size), fill=dice.randrange(90, 190))
    draw.rectangle((0, 0, 5, image.height), fill=120)
    image = image.filter(ImageFilter.GaussianBlur(0.45)).point(lambda grey: min(246, 28 + int(grey * 0.86)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=42)
    return out.getvalue()


def words(page):
    """Pieces of text of the page with their boxes, as a recogniser would give them."""
    text = page.get_textpage()
    for n in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(n)
        found = text.get_text_bounded(left, bottom, right, top).replace("\r", " ").replace("\n", " ").strip()
        if found:
            yield found, left, bottom, right - left, top - bottom


def apply(path, meta):
    """Replaces the pages named by `scan:` of the file at `path`."""
    import pypdfium2
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.pdfgen import canvas

    mode, _, blind = meta["scan"].partition(" ")
    source = pypdfium2.PdfDocument(path.read_bytes())
    buffer = io.BytesIO()
    out = canvas.Canvas(buffer, pageCompression=1, invariant=1)
    out.setTitle(meta["title"])
    for number, page in enumerate(source, 1):
        width, height = page.get_size()
        out.setPageSize((width, height))
        if mode == "blind" and number != int(blind):
            drawn = out.beginText()
            for found, left, bottom, wide, high in words(page):
                place(drawn, found, left, bottom, wide, high, stringWidth)
            out.drawText(drawn)
        else:
            out.drawImage(ImageReader(io.BytesIO(picture(page, number))), 0, 0, width, height)
            if mode == "text":
                drawn = out.beginText()
                drawn.setTextRenderMode(3)
                for found, left, bottom, wide, high in words(page):
                    place(drawn, found, left, bottom, wide, high, stringWidth)
                out.drawText(drawn)
        out.showPage()
    out.save()
    path.write_bytes(buffer.getvalue())


def place(drawn, found, left, bottom, wide, high, width_of):
    """One piece of text, stretched to the width it has in the picture."""
    size = max(6.0, high * 1.05)
    natural = width_of(found, "Helvetica", size)
    drawn.setFont("Helvetica", size)
    drawn.setHorizScale(100 * wide / natural if natural else 100)
    drawn.setTextOrigin(left, bottom + high * 0.2)
    drawn.textOut(found)
