#!/usr/bin/env python3
"""Fills fuzz/corpus/TARGET with seeds made from our own files: the documents of the golden set
and the hostile files of ingest's tests. Nothing is downloaded, nothing of it is committed.

The hostile files are written by
    cargo test -p plumbline-ingest --test it write_the_hostile_files -- --ignored
into target/tmp/hostile; without them the golden documents are the seeds.
"""

import hashlib
import pathlib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
LARGEST = 32 * 1024  # larger seeds only make mutation slow

# The order in which the docx target expects the parts, as in fuzz_targets/docx.rs.
PARTS = [
    "document.xml",
    "styles.xml",
    "numbering.xml",
    "footnotes.xml",
    "endnotes.xml",
    "header1.xml",
    "footer1.xml",
]
TARGETS = {
    "pdf": [".pdf"],
    "docx": [".docx"],
    "csv": [".csv", ".tsv"],
    "text": [".txt"],
    "markdown": [".md", ".txt"],
    "chunk": [".txt", ".md", ".csv"],
    "detect": [".txt", ".md", ".csv", ".docx", ".pdf"],
}
# Which hostile tables feed which targets.
HOSTILE = {
    "text": ["text", "markdown", "chunk", "detect"],
    "csv": ["csv", "chunk", "detect"],
    "docx": ["docx"],
    "zip": ["docx", "detect"],
    "pdf": ["pdf"],
    "mixed": ["detect"],
}


def add(target, content):
    if not 0 < len(content) <= LARGEST:
        return 0
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)
    return 1


def parts_of(path):
    """The parts of a DOCX joined by NUL, or nothing when it is no readable archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            sizes = sum(archive.getinfo(n).file_size for n in names if n.startswith("word/"))
            if "word/document.xml" not in names or sizes > 1 << 20:
                return b""
            read = [archive.read(f"word/{p}") if f"word/{p}" in names else b"" for p in PARTS]
    except Exception:  # hostile archives are meant to be unreadable
        return b""
    # Styles of a word processor are long and all alike: their beginning is enough.
    read[1] = read[1] if len(read[1]) < 8_000 else b""
    return b"\0".join(read).rstrip(b"\0")


def seed(path, targets):
    count = 0
    content = path.read_bytes()[: LARGEST * 8]
    for target in targets:
        if target == "docx":
            count += add(target, parts_of(path)) + add(target, content)
        elif target in ("text", "markdown", "csv", "chunk"):
            count += add(target, content[: LARGEST // 4])
        else:
            count += add(target, content[:LARGEST] if target == "detect" else content)
    return count


def main():
    count = 0
    for path in sorted((ROOT / "golden" / "corpus").rglob("*")):
        targets = [t for t, ends in TARGETS.items() if path.suffix.lower() in ends]
        if path.is_file():
            count += seed(path, targets)
    for group, targets in HOSTILE.items():
        for path in sorted((ROOT / "target" / "tmp" / "hostile" / group).glob("*")):
            if path.stat().st_size <= LARGEST * 8:
                count += seed(path, targets)
    print(f"{count} seeds in {CORPUS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
