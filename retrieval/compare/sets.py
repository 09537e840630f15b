#!/usr/bin/env python3
"""Writes public question sets in BEIR's format, to compare searches on texts that nobody here wrote.

    python3 retrieval/compare/sets.py OUT                     # the external sets, from Debian packages
    python3 retrieval/compare/sets.py OUT --golden golden --plumbline target/debug/plumbline   # and golden-dev, golden-test

Debian 12. The packages are downloaded with `apt-get download` and unpacked below OUT/.packages: nothing is installed.
The texts belong to others and are not committed. A folder holds corpus.jsonl {_id, title, text}, queries.jsonl
{_id, text} and qrels.tsv. An answer that is longer than a passage becomes several, all of them right.
"""

import argparse
import glob
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

# Words of a passage: about what one chunk holds. None of the systems compared then has to choose where to cut.
MOST_WORDS = 180
MOST_CHARS = 1600

PERL = ["perl-doc"]
FAQ = [
    "debian-faq", "python3.11-doc", "python-django-doc", "python-sqlalchemy-doc", "git-doc", "fetchmail", "r-doc-html",
    "zsh-doc", "ffmpeg-doc", "sqlite3-doc",
]
FAQ_FR_PT = ["debian-faq-fr", "debian-faq-pt"]
MANUALS = [
    "manpages", "manpages-dev", "git-man", "util-linux", "systemd", "procps", "psmisc", "openssh-client", "postfix",
    "iproute2", "passwd", "cron", "findutils", "tar", "rsync", "e2fsprogs", "binutils", "postgresql-client-15",
]


def fail(message):
    """Ends the script with one line that says what to do."""
    sys.exit(f"sets.py: {message}")


def unpacked(packages, root):
    """Downloads Debian packages and unpacks them into `root`, each once."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            fail(f"{tool} is missing: the sets are made of Debian packages and need Debian 12 (or its container)")
    debs = root / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    for package in packages:
        marker = debs / f"{package}.done"
        if marker.exists():
            continue
        result = subprocess.run(["apt-get", "download", package], cwd=debs, capture_output=True, text=True)
        found = sorted(debs.glob(f"{package}_*.deb"))
        if result.returncode or not found:
            fail(f"apt-get download {package} failed; run apt-get update first\n{result.stderr}")
        subprocess.run(["dpkg-deb", "-x", found[-1], root], check=True)
        marker.write_text(found[-1].name + "\n")
    return root


def said(text):
    """White space as one blank."""
    return " ".join(text.split())


def pieces(block):
    """A block that is longer than a passage, cut at line ends, sentence ends and at last between words."""
    for separator in ("\n", r"(?<=[.!?:;]) ", " "):
        if fits(block):
            return [block]
        parts = re.split(separator, block)
        if len(parts) > 1:
            joiner = "\n" if separator == "\n" else " "
            return [piece for group in packed(parts, joiner) for piece in pieces(group)] if separator != " " else packed(parts, " ")
    return [block]


def fits(text):
    return len(text.split()) <= MOST_WORDS and len(text) <= MOST_CHARS


def packed(parts, joiner):
    """Parts put together, in order, as long as they fit into a passage."""
    groups, current = [], ""
    for part in parts:
        joined = current + joiner + part if current else part
        if current and not fits(joined):
            groups.append(current)
            current = part
        else:
            current = joined
    return groups + [current] if current else groups


def passages(text):
    """A text as passages of at most MOST_WORDS words, at paragraph ends where possible."""
    blocks = [piece for block in re.split(r"\n\s*\n", text) if block.strip() for piece in pieces(block.strip("\n"))]
    return packed(blocks, "\n\n")


class Set:
    """A question set while it is being made."""

    def __init__(self, name):
        self.name, self.corpus, self.queries, self.qrels, self.seen = name, [], [], [], set()

    def add(self, title, text):
        """Adds an answer; returns the ids of its passages, none where the same text is there already."""
        ids = []
        for passage in passages(text):
            key = said(passage).lower()
            if len(key.split()) < 6 or key in self.seen:
                continue  # "See above.": nothing could find that
            self.seen.add(key)
            ids.append(f"p{len(self.corpus):05}")
            self.corpus.append({"_id": ids[-1], "title": title, "text": passage})
        return ids

    def ask(self, question, ids):
        """Adds a question whose answer is any of the passages."""
        question = said(question)
        if ids and question.lower() not in {query["text"].lower() for query in self.queries}:
            number = f"q{len(self.queries):04}"
            self.queries.append({"_id": number, "text": question})
            self.qrels += [(number, passage) for passage in ids]

    def write(self, out):
        folder = out / self.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in (("corpus.jsonl", self.corpus), ("queries.jsonl", self.queries)):
            with open(folder / name, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        with open(folder / "qrels.tsv", "w", encoding="utf-8") as file:
            file.write("query-id\tcorpus-id\tscore\n")
            file.writelines(f"{query}\t{passage}\t1\n" for query, passage in self.qrels)
        print(f"{self.name}: {len(self.queries)} questions, {len(self.corpus)} passages, {len(self.qrels)} judgements")


# --- Frequently asked questions -----------------------------------------------------------------------------------


def perlfaq(root):
    """perlfaq1 to perlfaq9: one `=head2` per question."""
    made = Set("perlfaq")
    for file in sorted(glob.glob(f"{root}/usr/share/perl/*/pod/perlfaq[1-9].pod")):
        pod = Path(file).read_text(encoding="utf-8")
        title = said(re.search(r"=head1 NAME\s+\S+ - (.*)", pod).group(1))
        for entry in re.split(r"^=head(?=\d )", pod, flags=re.M)[1:]:
            head, _, body = entry.partition("\n")
            if not head.startswith("2 "):
                continue
            text = re.sub(r"^=(?:over|back|cut|begin|end|for|pod).*\n", "", body, flags=re.M)
            text = re.sub(r"^=item ", "", text, flags=re.M)
            made.ask(plain_pod(head[2:]), made.add(title, plain_pod(text)))
    return made


def plain_pod(text):
    """Perl's markup as the text that a reader sees."""
    text = re.sub(r"\bX<[^<>]*>", "", text)
    text = re.sub(r"\b[A-Z]<<+ (.*?) >>+", r"\1", text, flags=re.S)
    for _ in range(3):
        text = re.sub(r"\bL<(?:([^<>|]*)\|)?([^<>]*)>", lambda m: m.group(1) or m.group(2), text)
        text = re.sub(r"\bE<lt>", "<", re.sub(r"\bE<gt>", ">", text))
        text = re.sub(r"\b[BCFISZ]<([^<>]*)>", r"\1", text)
    return text.strip()


class Page(HTMLParser):
    """A page as [heading, text below it] in order; `heads` are the tags that begin an entry."""

    BLOCKS = {"p", "pre", "li", "div", "table", "tr", "ul", "ol", "dl", "dd", "dt", "blockquote", "section"}
    SKIPPED = {"script", "style", "nav", "title"}
    # what surrounds the text of a page: Sphinx, DocBook, Texinfo
    FURNITURE = {"headerlink", "pull-right", "related", "sphinxsidebar", "navheader", "navfooter", "nav", "header", "footer", "toc", "contents"}

    def __init__(self, heads):
        super().__init__(convert_charrefs=True)
        self.heads, self.entries = heads, [["", ""]]
        # `skipped` is the tag that is left out and how many of its kind are open inside it
        self.inside, self.skipped, self.pre = None, None, 0

    def handle_starttag(self, tag, attrs):
        if self.skipped:
            self.skipped = (self.skipped[0], self.skipped[1] + (tag == self.skipped[0]))
        elif tag in self.SKIPPED or self.FURNITURE & set((dict(attrs).get("class") or "").split()):
            self.skipped = (tag, 1)
        elif tag in self.heads:
            self.inside = tag
            self.entries.append(["", ""])
        elif tag in self.BLOCKS or tag == "br":
            self.put("\n" if tag in ("tr", "br") else "\n\n")
            self.pre += tag == "pre"

    def handle_endtag(self, tag):
        if self.skipped:
            left = self.skipped[1] - (tag == self.skipped[0])
            self.skipped = (self.skipped[0], left) if left else None
        elif tag == self.inside:
            self.inside = None
        elif tag in self.BLOCKS:
            self.put("\n" if tag == "tr" else "\n\n")
            self.pre = max(0, self.pre - (tag == "pre"))
        elif tag in ("td", "th"):
            self.put(" ")

    def handle_data(self, data):
        if not self.skipped:
            self.put(data if self.pre else re.sub(r"\s+", " ", data))

    def put(self, text):
        self.entries[-1][0 if self.inside else 1] += text


def page(file, heads, is_head=lambda heading: True):
    """The entries of an HTML file; where a tag serves for more than headings, `is_head` tells them."""
    data = Path(file).read_bytes()
    encoding = re.search(rb"charset=[\"']?([\w-]+)", data[:2000])
    parser = Page(heads)
    parser.feed(data.decode(encoding.group(1).decode() if encoding else "utf-8", errors="replace"))
    entries = []
    for heading, text in parser.entries:
        if entries and not is_head(said(heading)):
            entries[-1][1] += heading + text
        else:
            entries.append([said(heading), text])
    for heading, text in entries:
        lines = [re.sub(r"^ (?! )", "", line.rstrip()) for line in text.split("\n")]
        lines = [line for line in lines if not re.fullmatch(r"(?:Table of Contents|(?:Next|Previous) Chapter|\[\d+\])", line)]
        yield heading, re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def question_of(heading):
    """A heading without its number: `1.2. What…`, `G1: What…`, `(3) How…`."""
    return re.sub(r"^(?:Chapter )?(?:[A-Z]?\d+(?:\.\d+)*[.:]?|\(\d+\))\s+", "", heading)


def faq(made, title, files, heads=("h1", "h2", "h3", "h4"), is_question=lambda text: text.endswith("?"), **kinds):
    """Adds every entry whose heading is a question; what stands between the questions is added as passages too."""
    for file in files:
        if os.path.basename(file).startswith("index"):
            continue
        for heading, text in page(file, heads, **kinds):
            if not heading:
                continue  # what stands before the first heading leads to other pages
            question = question_of(heading)
            ids = made.add(title, text)
            if is_question(question):
                made.ask(question, ids)


def faqs(root):
    """The FAQs of ten programs in one corpus: a question has to find its program as well as its answer."""
    made, doc = Set("faqs"), f"{root}/usr/share/doc"

    def files(pattern):
        found = sorted(glob.glob(f"{doc}/{pattern}"))
        return found or fail(f"no file {doc}/{pattern}: another version of the package?")

    faq(made, "Debian FAQ", files("debian/FAQ/*.en.html"), heads=("h2", "h3"))
    faq(made, "Python FAQ", files("python3.11/html/faq/*.html"))
    faq(made, "Django FAQ", files("python-django-doc/html/faq/*.html"))
    faq(made, "SQLAlchemy FAQ", files("python-sqlalchemy-doc/html/faq/*.html"), is_question=asked)
    faq(made, "Git FAQ", files("git-doc/gitfaq.html"), heads=("h2", "dt"))
    faq(made, "Fetchmail FAQ", files("fetchmail/fetchmail-FAQ.html"), is_question=asked)
    faq(made, "R FAQ", files("r-doc-html/manual/R-FAQ.html"))
    faq(made, "Zsh FAQ", files("zsh-common/html/FAQ0*.html"))
    faq(made, "FFmpeg FAQ", files("ffmpeg/manual/faq.html"), is_question=asked)
    faq(made, "SQLite FAQ", files("sqlite3/faq.html"), heads=("b",), is_head=numbered, is_question=asked)
    return made


def numbered(heading):
    """Whether bold text is the heading of a question."""
    return question_of(heading) != heading


def asked(heading):
    """Whether a heading of a FAQ is what a user would write: a question, or a problem told in some words."""
    return heading.endswith("?") or len(heading.split()) >= 6


def faq_fr_pt(root):
    """The Debian FAQ in French and in Portuguese, which the English model hardly reads."""
    made = Set("faq-fr-pt")
    for language in ("fr", "pt"):
        files = sorted(glob.glob(f"{root}/usr/share/doc/debian/FAQ/{language}/*.{language}.html"))
        faq(made, "FAQ Debian", files, heads=("h2", "h3"), is_question=lambda text: text.rstrip().endswith("?"))
    return made


# --- Manuals and applications --------------------------------------------------------------------------------------


def manuals(root, most=400):
    """Man pages: their line of NAME asks, a passage of their DESCRIPTION answers."""
    if not shutil.which("man"):
        fail("man is missing: apt-get install man-db")
    made, count = Set("manuals"), 0
    files = [file for file in glob.glob(f"{root}/usr/share/man/man[1-8]/*.gz") if not os.path.islink(file)]
    # by hash, so that no package comes first; the same pages on every machine
    for file in sorted(files, key=lambda file: hashlib.sha256(os.path.basename(file).encode()).digest()):
        if count == most:
            break
        if gzip.open(file).read(300).lstrip().startswith(b".so"):
            continue
        rendered = subprocess.run(
            ["man", "--no-hyphenation", "--no-justification", "-l", file], capture_output=True, text=True,
            env={**os.environ, "MANWIDTH": "110", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}, errors="replace",
        ).stdout
        sections = dict(re.findall(r"^([A-Z][A-Z ]+)\n((?:[ \t]+.*\n|\n)*)", rendered, flags=re.M))
        name, described = said(sections.get("NAME", "")), sections.get("DESCRIPTION", "")
        _, dash, what = name.partition(" - ")
        if not dash or not 4 <= len(what.split()) <= 25 or len(described.split()) < 60:
            continue
        title = re.sub(r"\.(\w+)\.gz$", r"(\1)", os.path.basename(file))
        text = "\n\n".join(said(block) for block in passages(re.sub(r"^ {7}", "", described, flags=re.M))[:6])
        made.ask(what, made.add(title, text))
        count += 1
    return made


def apps(most=1500, asked_of=500):
    """Applications of Debian as its software centre shows them: the summary asks, the description answers."""
    try:
        import yaml
    except ImportError:
        fail("PyYAML is missing: pip install pyyaml")
    lists = glob.glob("/var/lib/apt/lists/*_main_dep11_Components-*.yml.gz")
    if not lists:
        fail("no DEP-11 list below /var/lib/apt/lists: apt-get install appstream && apt-get update")
    found = {}
    for entry in yaml.load_all(gzip.open(sorted(lists)[0]), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        described = plain_html((entry.get("Description") or {}).get("C", ""))
        summary = said((entry.get("Summary") or {}).get("C", ""))
        if len(described.split()) >= 25 and len(summary.split()) >= 3:
            found.setdefault(entry["Name"]["C"], (summary, described))
    made = Set("apps")
    names = sorted(found, key=lambda name: hashlib.sha256(name.encode()).digest())[:most]
    summaries = [found[name][0].lower() for name in names]
    for name in names:
        summary, described = found[name]
        ids = made.add(name, described)
        unique = summaries.count(summary.lower()) == 1
        if len(made.queries) < asked_of and unique and len(summary.split()) >= 4:
            made.ask(summary, ids)
    return made


def plain_html(text):
    """The text of a fragment of HTML."""
    parser = Page(heads=("h1",))
    parser.feed(text)
    return re.sub(r"\n\s*\n", "\n\n", "\n".join(said(line) for line in parser.entries[-1][1].split("\n"))).strip()


# --- The golden set ------------------------------------------------------------------------------------------------


def golden(folder, binary):
    """The golden set's documents as passages; its answerable questions without history, dev and test apart."""
    if not os.access(binary, os.X_OK):
        fail(f"{binary} is no program: cargo build -p plumbline-server, or name one with --plumbline")
    corpus, where = [], {}
    for file in sorted(path for path in (folder / "corpus").rglob("*") if path.is_file()):
        result = subprocess.run([binary, "extract", file, "--json"], capture_output=True, text=True)
        if result.returncode:
            print(f"golden: {file.name} is not read: {said(result.stdout + result.stderr)[:120]}", file=sys.stderr)
            continue
        extraction = json.loads(result.stdout)
        key = file.relative_to(folder / "corpus").as_posix()
        text = extraction["text"].encode()
        for start, end in grouped(extraction["blocks"], text):
            number = f"p{len(corpus):05}"
            corpus.append({"_id": number, "title": extraction.get("title") or "", "text": text[start:end].decode()})
            where.setdefault(key, []).append((start, end, number))
    sets = {"dev": Set("golden-dev"), "test": Set("golden-test")}
    for made in sets.values():
        made.corpus = corpus
    for cases in sorted((folder / "cases").glob("*.jsonl")):
        for case in map(json.loads, cases.read_text(encoding="utf-8").splitlines()):
            if case["kind"] == "answerable" and not case["history"]:
                # the rule of eval/src/golden/split.rs
                dev = hashlib.sha256(case["id"].encode()).digest()[0] < 0x66
                sets["dev" if dev else "test"].ask(case["question"], sorted(evidence(case, where)))
    return list(sets.values())


def grouped(blocks, text):
    """Byte ranges of neighbouring blocks, about 150 words each."""
    ranges = []
    for block in blocks:
        start, end = block["range"]["start"], block["range"]["end"]
        words = len(text[start:end].split())
        if ranges and ranges[-1][2] + words <= 150:
            ranges[-1] = (ranges[-1][0], end, ranges[-1][2] + words)
        else:
            ranges.append((start, end, words))
    return [(start, end) for start, end, _ in ranges if text[start:end].strip()]


def evidence(case, where):
    """Passages that hold at least half of a quote."""
    for quote in case["evidence"]:
        start, end = quote["start"], quote["end"]
        for first, last, number in where.get(quote["doc"], []):
            if 2 * (min(last, end) - max(first, start)) >= end - start:
                yield number


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the sets")
    parser.add_argument("--golden", type=Path, help="a golden set, to write golden-dev and golden-test too")
    parser.add_argument("--plumbline", type=Path, default=Path("target/debug/plumbline"), help="the binary that extracts")
    parser.add_argument("--only", help="comma-separated names of sets")
    args = parser.parse_args()
    root = args.out / ".packages"
    makers = {
        "perlfaq": lambda: [perlfaq(unpacked(PERL, root))],
        "faqs": lambda: [faqs(unpacked(FAQ, root))],
        "faq-fr-pt": lambda: [faq_fr_pt(unpacked(FAQ_FR_PT, root))],
        "manuals": lambda: [manuals(unpacked(MANUALS, root / "manuals"))],
        "apps": lambda: [apps()],
    }
    if args.golden:
        makers["golden"] = lambda: golden(args.golden, args.plumbline.resolve())
    chosen = args.only.split(",") if args.only else list(makers)
    for name in chosen:
        if name not in makers:
            fail(f"no set {name}; there are {', '.join(makers)}")
        for made in makers[name]():
            made.write(args.out)


if __name__ == "__main__":
    main()
