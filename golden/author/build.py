"""Builds the golden corpus: text/*.md -> PDF, DOCX and TXT; tables.py -> CSV.

A source file opens with `key: value` lines up to a line `---`; then a small markup:
`# ` `## ` `### ` headings, `- ` bullets, `1. ` steps, two spaces + `a. ` sub-steps, `| a | b |` tables (first row = header;
a cell `<` joins its left neighbour, a cell `^` the one above), `! ` a boxed note, `~ ` small print, `%%` a page break.
`scan: text` turns a PDF into pictures of its pages under the text a recogniser found; `scan: blind 2` makes page 2 a picture only.
Output is the same, byte for byte, on every run with the pinned requirements.
"""
import datetime
import io
import pathlib
import re
import sys
import zipfile

import scan

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parent / "corpus"
LIST_ITEM = re.compile(r"^(\s*)(?:-|\d+\.|[a-z]\.)\s+(.*)$")


def parse(text):
    head, body = text.split("\n---\n", 1)
    meta = dict(line.split(": ", 1) for line in head.splitlines() if line.strip())
    blocks = []

    lines = body.splitlines()
    i = 0
    while i < len(lines):
        line = lines[i]
        heading = re.match(r"^(#{1,3}) (.*)$", line)
        item = LIST_ITEM.match(line)
        if not line.strip():
            pass
        elif line.strip() == "%%":
            blocks.append(("break", ""))
        elif heading:
            blocks.append(("h%d" % len(heading[1]), heading[2]))
        elif line.startswith("|"):
            rows = []
            while i < len(lines) and lines[i].startswith("|"):
                rows.append([c.strip() for c in lines[i].strip().strip("|").split("|")])
                i += 1
            blocks.append(("table", rows))
            continue
        elif line.startswith("! "):
            blocks.append(("note", line[2:]))
        elif line.startswith("~ "):
            blocks.append(("small", line[2:]))
        elif item:
            marker = line.strip().split(" ")[0]
            level = 2 if item[1] else 1
            kind = "bullet" if marker == "-" else "step"
            blocks.append((f"{kind}{level}", item[2]))
        else:
            blocks.append(("p", line.strip()))
        i += 1
    return meta, blocks


# ---------------------------------------------------------------- PDF

def inline(text):
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"\^(\w)\^", r"<super>\1</super>", text)


def pdf(path, meta, blocks):
    from reportlab.lib import colors
    from reportlab.lib.enums import TA_JUSTIFY, TA_LEFT
    from reportlab.lib.pagesizes import A4, A5, landscape
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import (BaseDocTemplate, Frame, PageBreak, PageTemplate, Paragraph, Spacer, Table,
                                    TableStyle)

    font = meta.get("font", "Helvetica")
    bold = {"Helvetica": "Helvetica-Bold", "Times-Roman": "Times-Bold"}[font]
    size = float(meta.get("size", "9.5"))
    page = {"A4": A4, "A5": A5, "A4L": landscape(A4)}[meta.get("page", "A4")]
    cols = int(meta.get("cols", "1"))
    ink = colors.HexColor(meta.get("ink", "#1f4e3d"))
    extra = {}
    if "hyphens" in meta:
        extra = {"hyphenationLang": meta["hyphens"], "embeddedHyphenation": 1, "uriWasteReduce": 0.3}
    align = TA_JUSTIFY if meta.get("justify") == "yes" else TA_LEFT
    base = ParagraphStyle("base", fontName=font, fontSize=size, leading=size * 1.35, alignment=align, spaceAfter=4.5,
                          **extra)
    st = {
        "p": base,
        "small": ParagraphStyle("small", parent=base, fontSize=size - 2, leading=(size - 2) * 1.3, textColor=colors.grey),
        "cell": ParagraphStyle("cell", parent=base, fontSize=size - 1, leading=(size - 1) * 1.25, spaceAfter=0, alignment=TA_LEFT, hyphenationLang=""),
        "head": ParagraphStyle("head", parent=base, fontName=bold, fontSize=size - 1, leading=(size - 1) * 1.25,
                               spaceAfter=0, alignment=TA_LEFT, hyphenationLang=""),
        "title": ParagraphStyle("title", parent=base, fontName=bold, fontSize=size + 8, leading=size + 12, spaceAfter=8,
                                textColor=ink, alignment=TA_LEFT, hyphenationLang=""),
    }
    for n, d in ((1, 4.5), (2, 2), (3, 0.5)):
        st[f"h{n}"] = ParagraphStyle(f"h{n}", parent=base, fontName=bold, fontSize=size + d, leading=(size + d) * 1.25,
                                     spaceBefore=7, spaceAfter=3.5, textColor=ink if n < 3 else colors.black,
                                     alignment=TA_LEFT, hyphenationLang="", keepWithNext=1)
    left = right = 18 * mm
    top, bottom = 27 * mm, 20 * mm
    gap = 7 * mm
    width = (page[0] - left - right - gap * (cols - 1)) / cols

    def furniture(canvas, doc):
        canvas.saveState()
        canvas.setFont(bold, 9)
        canvas.setFillColor(ink)
        canvas.drawString(left, page[1] - 14 * mm, meta.get("header", "Tamarind Home & Solar"))
        canvas.setFont(font, 7.5)
        canvas.setFillColor(colors.grey)
        canvas.drawRightString(page[0] - right, page[1] - 14 * mm, meta.get("header_right", ""))
        canvas.setStrokeColor(ink)
        canvas.line(left, page[1] - 16.5 * mm, page[0] - right, page[1] - 16.5 * mm)
        canvas.drawString(left, 11 * mm, meta.get("footer", ""))
        canvas.drawRightString(page[0] - right, 11 * mm, f"{meta.get('page_word', 'Page')} {doc.page}")
        canvas.restoreState()

    doc = BaseDocTemplate(str(path), pagesize=page, title=meta["title"], author="Tamarind Home & Solar",
                          subject=meta.get("subject", ""), creator="", invariant=1)
    frames = [Frame(left + k * (width + gap), bottom, width, page[1] - top - bottom, 0, 0, 0, 0, id=f"c{k}")
              for k in range(cols)]
    doc.addPageTemplates(PageTemplate(id="main", frames=frames, onPage=furniture))
    story = [Paragraph(inline(meta["title"]), st["title"])]
    if "letter" in meta:
        story = [Paragraph(inline(part.strip()), st["small"]) for part in meta["letter"].split("//")] + [Spacer(1, 8)] + story
    count = sub = 0
    h1 = h2 = 0
    for kind, data in blocks:
        if kind == "break":
            story.append(PageBreak())
            continue
        if kind.startswith("step"):
            if kind == "step1":
                count, sub = count + 1, 0
                label, indent = f"{count}.", 14
            else:
                sub += 1
                label, indent = f"{chr(96 + sub)})", 28
            style = ParagraphStyle("st", parent=base, leftIndent=indent, bulletIndent=indent - 14, spaceAfter=2.5)
            story.append(Paragraph(inline(data), style, bulletText=label))
            continue
        if kind.startswith("bullet"):
            indent = 12 * int(kind[-1])
            style = ParagraphStyle("bu", parent=base, leftIndent=indent, bulletIndent=indent - 10, spaceAfter=2.5)
            story.append(Paragraph(inline(data), style, bulletText="\u2022"))
            continue
        count = 0
        if kind == "table":
            ncol = len(data[0])
            weights = [float(x) for x in meta[f"widths{ncol}"].split()] if f"widths{ncol}" in meta else [1] * ncol
            cw = [width * w / sum(weights) for w in weights]
            rows, spans = [], []
            for r, row in enumerate(data):
                cells = []
                for c, cell in enumerate(row):
                    if cell in "<^" and cell:
                        dc, dr = (1, 0) if cell == "<" else (0, 1)
                        c0, r0 = c - dc, r - dr
                        while data[r0][c0] in ("<", "^"):
                            c0, r0 = c0 - dc, r0 - dr
                        spans.append(("SPAN", (c0, r0), (c, r)))
                        cells.append("")
                    else:
                        cells.append(Paragraph(inline(cell), st["head" if r == 0 else "cell"]))
                rows.append(cells)
            look = meta.get("table", "grid")
            ts = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 2),
                  ("BOTTOMPADDING", (0, 0), (-1, -1), 3), ("LEFTPADDING", (0, 0), (-1, -1), 4),
                  ("RIGHTPADDING", (0, 0), (-1, -1), 4)]
            if look == "grid":
                ts += [("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e6efe9"))]
            elif look == "lines":
                ts += [("LINEABOVE", (0, 0), (-1, 0), 0.8, colors.black), ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
                       ("LINEBELOW", (0, -1), (-1, -1), 0.8, colors.black)]
            else:
                ts += [("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.whitesmoke, colors.white]),
                       ("LINEBELOW", (0, 0), (-1, 0), 1, ink)]
            story.append(Spacer(1, 3))
            story.append(Table(rows, colWidths=cw, repeatRows=1, style=TableStyle(ts + spans)))
            story.append(Spacer(1, 7))
            continue
        if kind == "note":
            box = Table([[Paragraph(inline(data), st["cell"])]], colWidths=[width],
                        style=TableStyle([("BOX", (0, 0), (-1, -1), 0.8, ink),
                                          ("BACKGROUND", (0, 0), (-1, -1), colors.HexColor("#fff6dd"))]))
            story += [Spacer(1, 3), box, Spacer(1, 6)]
            continue
        text = data
        if meta.get("numbered") == "yes" and kind in ("h1", "h2"):
            if kind == "h1":
                h1, h2 = h1 + 1, 0
                text = f"{h1}. {data}"
            else:
                h2 += 1
                text = f"{h1}.{h2} {data}"
        story.append(Paragraph(inline(text), st[kind]))
    doc.build(story)


# ---------------------------------------------------------------- DOCX

def docx(path, meta, blocks):
    import docx as python_docx
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    d = python_docx.Document()
    when = datetime.datetime.fromisoformat(meta.get("date", "2026-06-01") + "T09:00:00")
    core = d.core_properties
    core.author = core.last_modified_by = "Tamarind Home & Solar"
    core.created = core.modified = when
    core.title, core.revision, core.comments = meta["title"], 1, ""
    d.styles["Normal"].font.name = meta.get("font", "Calibri")
    d.styles["Normal"].font.size = Pt(10.5)
    if "header" in meta:
        d.sections[0].header.paragraphs[0].text = meta["header"]
    if "footer" in meta:
        d.sections[0].footer.paragraphs[0].text = meta["footer"]

    def runs(p, text):
        for part in re.split(r"(\*\*.+?\*\*|\^\w\^)", text):
            if part.startswith("**"):
                p.add_run(part[2:-2]).bold = True
            elif re.fullmatch(r"\^\w\^", part):
                p.add_run(part[1]).font.superscript = True
            elif part:
                p.add_run(part)
        return p

    def fresh_list(style):
        """A new numbering instance, so that each list starts at 1."""
        numbering = d.part.numbering_part.element
        num_id = d.styles[style].element.pPr.numPr.numId.val
        abstract = next(n for n in numbering.num_lst if n.numId == num_id).abstractNumId.val
        num = numbering.add_num(abstract)
        num.add_lvlOverride(ilvl=0).add_startOverride(1)
        return num.numId

    def numbered(style, text, num_id):
        p = runs(d.add_paragraph(style=style), text)
        num_pr = p._p.get_or_add_pPr().get_or_add_numPr()
        num_pr.get_or_add_ilvl().val = 0
        num_pr.get_or_add_numId().val = num_id

    d.add_heading(meta["title"], 0)
    outer = inner = None
    for kind, data in blocks:
        if kind == "step1":
            outer, inner = outer or fresh_list("List Number"), None
            numbered("List Number", data, outer)
            continue
        if kind == "step2":
            inner = inner or fresh_list("List Number 2")
            numbered("List Number 2", data, inner)
            continue
        if not kind.startswith("bullet2"):
            outer = inner = None if not kind.startswith("bullet") else outer
        if kind == "break":
            d.add_page_break()
        elif kind[0] == "h":
            d.add_heading(data, int(kind[1]))
        elif kind == "p":
            runs(d.add_paragraph(), data)
        elif kind == "bullet1":
            runs(d.add_paragraph(style="List Bullet"), data)
        elif kind == "bullet2":
            runs(d.add_paragraph(style="List Bullet 2"), data)
        elif kind == "note":
            runs(d.add_paragraph(style="Intense Quote"), data)
        elif kind == "small":
            p = runs(d.add_paragraph(), data)
            for r in p.runs:
                r.font.size = Pt(8)
        elif kind == "table":
            t = d.add_table(rows=len(data), cols=len(data[0]), style=meta.get("table", "Light Grid Accent 1"))
            for r, row in enumerate(data):
                for c, cell in enumerate(row):
                    if cell not in ("<", "^"):
                        runs(t.cell(r, c).paragraphs[0], cell)
            for r, row in enumerate(data):
                for c, cell in enumerate(row):
                    if cell in ("<", "^"):
                        dc, dr = (1, 0) if cell == "<" else (0, 1)
                        a, b = t.cell(r - dr, c - dc), t.cell(r, c)
                        merged = a.merge(b)
                        for p in merged.paragraphs[1:]:
                            if not p.text:
                                p._p.getparent().remove(p._p)
            d.add_paragraph()
    buffer = io.BytesIO()
    d.save(buffer)
    # The same bytes on every run: fixed time stamps in the zip, entries in the order python-docx wrote them.
    with zipfile.ZipFile(buffer) as src, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as dst:
        for info in src.infolist():
            fixed = zipfile.ZipInfo(info.filename, (2026, 1, 1, 0, 0, 0))
            fixed.compress_type = zipfile.ZIP_DEFLATED
            fixed.external_attr = 0o600 << 16
            dst.writestr(fixed, src.read(info.filename))


def main():
    only = sys.argv[1:]
    for source in sorted((HERE / "text").glob("*.md")):
        if only and source.stem not in only:
            continue
        meta, blocks = parse(source.read_text(encoding="utf-8"))
        out = CORPUS / meta["out"]
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".txt":
            body = source.read_text(encoding="utf-8").split("\n---\n", 1)[1]
            out.write_bytes(body.encode(meta.get("encoding", "utf-8")).replace(b"\n", b"\r\n"))
        else:
            {".pdf": pdf, ".docx": docx}[out.suffix](out, meta, blocks)
            if "scan" in meta:
                scan.apply(out, meta)
        print(out.relative_to(CORPUS))
    if not only or "tables" in only:
        import tables
        tables.write(CORPUS)


if __name__ == "__main__":
    main()
