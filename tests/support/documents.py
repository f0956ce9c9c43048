"""Reads the code blocks of the documents, and prepares a folder in which a reader runs them."""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from devtools.paths import CHECKOUT
from devtools.server import Server

PAGES = sorted(
    page
    for form in ("*.md", "docs/*/*.md", "clients/*/*.md", "examples/*.md")
    for page in CHECKOUT.glob(form)
)

ENGLISH_ONLY = {"AGENTS", "ARCHITECTURE", "CHANGELOG", "CONTRIBUTING"}
"""Pages for people who change the code, which is in English itself."""

FILES = {"bash": "block.sh", "python": "block.py", "js": "block.mjs", "java": "Ask.java"}
"""Maps each language that a reader runs to the file name of a block."""

DOCUMENTS = CHECKOUT / "docs"

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[^\w\- ]")
_FENCE = re.compile(r"^```(.*)\n((?:(?!```).*\n)*)```$", re.MULTILINE)
_OUTPUT = re.compile(r"\n\n```text\n((?:(?!```).*\n)*)```$", re.MULTILINE)
_COMMENT = re.compile(r"(?:#|//|REM) (.*)\n")
_NEEDS = ("Needs ", "需要")
_INSTALL = re.compile(r"(?:pip|npm) install .+")
_ASKS = re.compile(r"(emotion-llama (?:analyze|evaluate|bench|batch \w+)) ")
_SERVES = re.compile(r"(emotion-llama serve(?! --help)|make serve(?: ARGS=')?)")
_TAKES_LONG = re.compile(
    r"\bLLM\(|LocalEmotionLLaMA\(|\bbench |vllm\.benchmarks|llama doctor|npm ci|pip install"
    r"|-m pytest"
)


@dataclass(frozen=True)
class Block:
    """Represents a fenced code block of a page."""

    page: str
    line: int
    language: str
    code: str
    output: str | None = None
    """What it prints: a block of text that stands right below it."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def needs(self) -> str | None:
        """Return the requirement beyond this machine in the block's first line, or None."""
        return self._first_comment if self._first_comment.startswith(_NEEDS) else None

    @property
    def install(self) -> str | None:
        """Return the command in the first line that installs another project's client."""
        found = _INSTALL.fullmatch(self._first_comment)
        return found and found[0]

    @property
    def serves(self) -> bool:
        """Return whether the block starts a server."""
        return self.language == "bash" and bool(_SERVES.search(self.code))

    @property
    def is_chinese(self) -> bool:
        """Return whether the page is the Chinese one of two."""
        return self.page.startswith("docs/zh/") or self.page.endswith(".zh.md")

    @property
    def takes_long(self) -> bool:
        """Return whether the block loads an engine, or measures, builds or tests something."""
        return bool(_TAKES_LONG.search(self.code))

    @property
    def _first_comment(self) -> str:
        found = _COMMENT.match(self.code)
        return found[1] if found else ""


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page from top to bottom."""
    text = page.read_text(encoding="utf-8")
    name = str(page.relative_to(CHECKOUT))
    return [
        Block(
            page=name,
            line=text.count("\n", 0, found.start()) + 1,
            language=found[1],
            code=found[2],
            output=(below := _OUTPUT.match(text, found.end())) and below[1],
        )
        for found in _FENCE.finditer(text)
    ]


def links_of(page: Path) -> list[str]:
    """Return the paths that a page links to, as they are written, without those of the web."""
    return [path for path, _ in _links(page) if path]


def anchors_that_lead_nowhere(page: Path) -> list[str]:
    """Return the links to a heading of a page that has no such heading."""
    return [
        f"{path}#{anchor}"
        for path, anchor in _links(page)
        if anchor and anchor not in anchors_of(page.parent / path if path else page)
    ]


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found: dict[str, int] = {}
    for heading in _HEADING.findall(text):
        anchor = _MARKUP.sub(r"\1", heading).strip().lower().replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    again = {f"{anchor}-{n}" for anchor, last in found.items() for n in range(1, last + 1)}
    return found.keys() | again


def _links(page: Path) -> list[tuple[str, str]]:
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def in_chinese(page: Path) -> Path:
    """Return the Chinese page that says the same as a page; itself, if there is no other."""
    if page.parent.name in ("en", "zh"):
        return page.parent.parent / "zh" / page.name
    alone = page.stem.endswith(".zh") or page.stem in ENGLISH_ONLY
    return page if alone else page.with_suffix(".zh.md")


def make_folder(folder: Path) -> Path:
    """Make a folder that looks like a reader's checkout, and return it.

    Files that the blocks write stay in it: the clients, which are built in place, are a copy.
    """
    folder.mkdir()
    for entry in CHECKOUT.iterdir():
        if entry.name == "clients":
            built = shutil.ignore_patterns("node_modules", "dist")
            shutil.copytree(entry, folder / entry.name, ignore=built)
        elif entry.name == ".venv" or not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    return folder


def asking(code: str, server: Server) -> str:
    """Return code that sends its requests to this server instead of the reader's server."""
    address = server.url.removeprefix("http://")
    for ours in ("127.0.0.1:7889", "localhost:7889"):
        code = code.replace(ours, address)
    code = code.replace("127.0.0.1:7887", server.legacy_url.removeprefix("http://"))
    return _ASKS.sub(rf"\1 --server {server.url} ", code)


def listening(code: str, port: int, legacy_port: int) -> str:
    """Return code whose server listens on these ports instead of the documented ones."""
    flags = f"--port {port} --legacy-port {legacy_port}"

    def with_flags(found: re.Match[str]) -> str:
        start = found[0]
        if start == "make serve":
            return f"{start} ARGS='{flags}'"
        return f"{start}{flags} " if start.endswith("'") else f"{start} {flags}"

    return _SERVES.sub(with_flags, code)


def fresh_environment() -> dict[str, str]:
    """Return the environment of a new shell, without a virtual environment or this project."""
    ours = ("EMOTION_LLAMA_", "VLLM_", "VIRTUAL_ENV", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    here = str(Path(sys.executable).parent)
    folders = os.environ["PATH"].split(os.pathsep)
    return kept | {"PATH": os.pathsep.join(folder for folder in folders if folder != here)}
