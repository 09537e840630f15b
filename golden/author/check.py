"""Checks the golden set: JSON, ids, fields, documents, quotes and the mix of cases. Prints the counts; exits 1 on a fault."""
import collections
import csv
import functools
import io
import json
import pathlib
import re
import sys
import unicodedata

GOLDEN = pathlib.Path(__file__).resolve().parent.parent
CORPUS = GOLDEN / "corpus"
FIELDS = ("id", "kind", "question", "history", "lang", "tags", "evidence", "reference", "must_include", "must_not", "route",
          "source", "label_by", "added")
KINDS = ("answerable", "unanswerable", "chitchat", "handoff", "out_of_scope")
ROUTES = ("commodity", "reasoning", "smalltalk", "handoff", "out_of_scope")
ROUTE_OF_KIND = {"chitchat": "smalltalk", "handoff": "handoff", "out_of_scope": "out_of_scope"}


def normalise(text):
    """NFKC, line-end hyphens joined, white space and table bars collapsed to one space."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"-?[\x02\ufffe]\s*", "", text)
    text = re.sub(r"(?<=\w)-\r?\n(?=\w)", "", text)
    return re.sub(r"[\s|]+", " ", text).strip()


def row_form(header, cells):
    return " | ".join(f"{h.strip()}: {c.strip()}" for h, c in zip(header, cells) if c.strip())


def pdf_text(path):
    import pypdfium2
    doc = pypdfium2.PdfDocument(str(path))
    return "\n".join(page.get_textpage().get_text_range() for page in doc)


def docx_text(path):
    import docx
    from docx.table import Table
    from docx.text.paragraph import Paragraph
    out = []
    for block in docx.Document(str(path)).iter_inner_content():
        if isinstance(block, Paragraph):
            out.append(block.text)
        elif isinstance(block, Table):
            grid = [[cell.text for cell in row.cells] for row in block.rows]
            out += [row_form(grid[0], row) for row in grid[1:]]
    return "\n".join(out)


def csv_text(path):
    """Rows under the header as `Header: value`; titles above it, and remarks alone in their row, as they stand."""
    text = plain_text(path).removeprefix("\ufeff")
    delimiter = max(",;", key=text.splitlines()[2].count)
    header, out = None, []
    for row in csv.reader(io.StringIO(text), delimiter=delimiter):
        alone = len(row) > 2 and sum(bool(c.strip()) for c in row) == 1 and row[0].strip()
        if alone:
            out.append(row[0].strip())
        elif header is None:
            header = row
        else:
            out.append(row_form(header, row))
    return "\n".join(out)


def plain_text(path):
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252")


def markdown_text(path):
    """Like plain text, with the rows of tables as `First cell | Header: value`."""
    out, header = [], None
    for line in plain_text(path).splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            header = None
            out.append(line)
        elif header is None:
            header = cells
        elif not set(line) <= set("|-: "):
            out.append(" | ".join(f"{h}: {c}" if h else c for h, c in zip(header, cells)))
    return "\n".join(out)


@functools.cache
def extract(name):
    path = CORPUS / name
    reader = {".pdf": pdf_text, ".docx": docx_text, ".csv": csv_text, ".md": markdown_text}.get(path.suffix, plain_text)
    return normalise(reader(path))


def main():
    faults, warnings, cases, seen_q = [], [], [], {}
    for file in sorted((GOLDEN / "cases").glob("*.jsonl")):
        for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                case = json.loads(line)
            except ValueError as error:
                faults.append(f"{file.name}:{n}: {error}")
                continue
            case["_where"] = f"{file.name}:{n} {case.get('id')}"
            cases.append(case)
    ids = collections.Counter(c["id"] for c in cases)
    for c in cases:
        at = c["_where"]
        bad = lambda text: faults.append(f"{at}: {text}")
        missing = [f for f in FIELDS if f not in c]
        if missing:
            bad(f"missing {missing}")
            continue
        if ids[c["id"]] > 1 or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", c["id"]):
            bad("id not unique or not kebab case")
        if c["kind"] not in KINDS or c["route"] not in ROUTES or c["lang"] not in ("en", "fr", "pt", "es"):
            bad("unknown kind, route or lang")
        if c["route"] != ROUTE_OF_KIND.get(c["kind"], c["route"]) or (
                c["kind"] in ("answerable", "unanswerable") and c["route"] not in ("commodity", "reasoning")):
            bad(f"route {c['route']} does not fit kind {c['kind']}")
        key = re.sub(r"\W+", " ", c["question"].lower()).strip()
        if not c["history"] and key in seen_q:
            bad(f"same question as {seen_q[key]}")
        seen_q[key] = c["id"]
        if any(set(m) != {"role", "text"} or m["role"] not in ("customer", "bot") for m in c["history"]):
            bad("history entry malformed")
        if ("multi_turn" in c["tags"]) != bool(c["history"]):
            bad("tag multi_turn and history disagree")
        groups = {e["group"] for e in c["evidence"]}
        if ("multi_evidence" in c["tags"]) != (len(groups) > 1):
            bad("tag multi_evidence and evidence disagree")
        if (c["kind"] == "answerable") != bool(c["evidence"]):
            bad("only answerable cases have evidence")
        for e in c["evidence"]:
            if e["grade"] not in (1, 2, 3):
                bad("grade")
            if not (CORPUS / e["doc"]).is_file():
                bad(f"no document {e['doc']}")
                continue
            hits = extract(e["doc"]).count(normalise(e["quote"]))
            if hits == 0:
                bad(f"quote not found in {e['doc']}: {e['quote'][:90]}")
            elif hits > 1:
                bad(f"quote occurs {hits} times in {e['doc']}: {e['quote'][:90]}")
            if not 8 <= len(e["quote"]) <= 420:
                bad(f"quote of {len(e['quote'])} characters")
        for s in c["must_include"]:
            if s.lower() not in c["reference"].lower():
                bad(f"must_include {s!r} is not in the reference")
            # A reply may only hold figures that stand in the evidence, so a computed figure cannot be demanded.
            if c["kind"] == "answerable" and not any(s.lower() in e["quote"].lower() for e in c["evidence"]):
                (faults if re.search(r"\d", s) else warnings).append(f"{at}: must_include {s!r} is not in a quote")
        for s in c["must_not"]:
            if s.lower() in c["reference"].lower():
                bad(f"must_not {s!r} is in the reference")
            if any(s.lower() in e["quote"].lower() for e in c["evidence"]):
                warnings.append(f"{at}: must_not {s!r} is in a quote")

    total = len(cases)
    count = lambda field: collections.Counter(c[field] for c in cases)
    tags = collections.Counter(t for c in cases for t in c["tags"])
    kinds, routes, langs = count("kind"), count("route"), count("lang")
    csv_or_table = sum("table" in c["tags"] or "format:csv" in c["tags"] for c in cases)
    documents = [p for p in CORPUS.rglob("*") if p.is_file()]

    def at_least(what, have, want):
        if have < want:
            faults.append(f"mix: {what} is {have}, at least {want} wanted")

    at_least("cases", total, 640)
    at_least("documents", len(documents), 66)
    for kind, share in (("answerable", .55), ("unanswerable", .15), ("handoff", .08), ("chitchat", .06), ("out_of_scope", .06)):
        at_least(kind, kinds[kind], share * total)
    for lang in ("fr", "pt", "es"):
        at_least(lang, langs[lang], .07 * total)
    for route in ROUTES:
        at_least(f"route {route}", routes[route], 20)
    for tag, want in (("multi_turn", 15), ("typo", 12), ("code_switch", 8), ("multi_evidence", 12)):
        at_least(tag, tags[tag], want)
    at_least("table and CSV look-ups", csv_or_table, 30)
    cited = {e["doc"] for c in cases for e in c["evidence"]}

    for name, counter in (("kind", kinds), ("route", routes), ("lang", langs), ("tags", tags),
                          ("documents", collections.Counter(p.suffix for p in documents))):
        print(f"{name}: " + ", ".join(f"{k} {v}" for k, v in counter.most_common()))
    print(f"cases {total}, documents {len(documents)}, table or CSV {csv_or_table}")
    print("never cited: " + ", ".join(sorted(str(p.relative_to(CORPUS)) for p in documents if str(p.relative_to(CORPUS)) not in cited)))
    for w in warnings:
        print("note:", w)
    for f in faults:
        print("FAULT:", f)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
