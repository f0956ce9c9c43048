"""Configures Sphinx for the site in one language; `-t zh` chooses Chinese.

The pages are read where they are, in the checkout. What a site needs and a page on its own does
not, is added while they are read: the order of the pages, which is that of the index's tables, and
links to the other language, which is a site of its own.
"""

import re
import sys
from pathlib import Path
from posixpath import normpath

from pygments.lexers.shell import BatchLexer
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

from chinese_search import ChineseSearch

CHECKOUT = Path(__file__).parents[2]
IN_BOTH = ["CHANGELOG.md"]
PAGES = {
    "en": [*IN_BOTH, "SECURITY.md", "docs/en/*.md", "clients/*/README.md"],
    "zh": [*IN_BOTH, "SECURITY.zh.md", "docs/zh/*.md", "clients/*/README.zh.md"],
}

here, there = ("zh", "en") if tags.has("zh") else ("en", "zh")  # noqa: F821 Sphinx gives `tags`

project = "Emotion-LLaMA Server"
language = "zh_CN" if here == "zh" else "en"
root_doc = f"docs/{here}/index"
include_patterns = PAGES[here]
exclude_patterns = [".*", "build", "**/node_modules", "**/vendor", "tests"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a page may begin with `##` behind a generated part

html_theme = "furo"
html_title = project
html_search_language = here
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False

_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_WIDE = r"[\u3000-\u9fff\uff00-\uffef]"
_LINE_END = re.compile(rf"(?<={_WIDE})\n *(?={_WIDE})")
"""An end of a line between Chinese characters, where a browser would show a space."""
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def setup(app: Sphinx) -> None:
    app.add_search_language(ChineseSearch)
    app.add_lexer("cmd", BatchLexer)
    app.connect("source-read", read)


def read(app: Sphinx, page: str, source: list[str]) -> None:
    """Add to the text of a page what the site needs."""
    order = _order(source[0]) if page == root_doc else ""
    parts = _FENCE.split(source[0])
    for i in range(0, len(parts), 2):  # what is between the fences
        joined = _LINE_END.sub("", parts[i])
        parts[i] = _LINK.sub(lambda found: _link(page, found), joined)
    source[0] = "".join(parts) + order


def _order(index: str) -> str:
    """Return the order of the site's pages: a group for each section of the index."""
    headings = list(_HEADING.finditer(index))
    ends = [*headings[1:], None]
    groups = []
    for heading, following in zip(headings, ends, strict=True):
        section = index[heading.end() : following.start() if following else None]
        pages = [target.removesuffix(".md") for _, target, _ in _LINK.findall(section)]
        listed = "\n".join(dict.fromkeys(pages))
        groups.append(f"\n```{{toctree}}\n:hidden:\n:caption: {heading[1]}\n\n{listed}\n```\n")
    return "".join(groups)


def _link(page: str, found: re.Match[str]) -> str:
    """Return a link as it has to be on the site."""
    words, target, _ = found.groups()
    path = normpath(f"{page}/../{target}")
    if any(Path(path).match(pattern) for pattern in PAGES[there] if pattern not in IN_BOTH):
        up = "../" * (page.count("/") + 1)
        return f'<a href="{up}{there}/{path.removesuffix(".md")}.html">{words}</a>'
    if (CHECKOUT / path).is_dir():  # a site has no folders to look into
        return words if words.strip("`").rstrip("/") == path else f"{words} (`{path}/`)"
    return found[0]
