"""The site of the documents: whole in both languages, and readable without a network."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from devtools.site import LANGUAGES, build
from tests.support.documents import DOCUMENTS

_LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Maps the elements that make a browser load something to the attribute with its address."""


class _Addresses(HTMLParser):
    """Collects what a page loads, and where its links lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if address := told.get(_LOADS.get(tag, "")):
            self.loaded.append(address)
        if tag == "a" and "href" in told:
            self.linked.append(told["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error."""
    out = tmp_path_factory.mktemp("site") / "site"
    build(out)
    return out


def pages_of(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


@pytest.mark.costly
def test_no_page_or_style_loads_anything_foreign(site: Path) -> None:
    foreign = [
        (page.name, address)
        for page in pages_of(site)
        for address in _Addresses(page).loaded
        if urlsplit(address).netloc
    ]
    assert foreign == []
    for style in site.rglob("*.css"):
        found = re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text())
        assert found == [], style


def test_each_link_and_each_thing_that_is_loaded_is_there(site: Path) -> None:
    for page in pages_of(site):
        found = _Addresses(page)
        for address in found.loaded + found.linked:
            parts = urlsplit(address)
            if not parts.scheme and not parts.netloc and parts.path:
                assert (page.parent / unquote(parts.path)).exists(), (page, address)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_is_there_and_leads_to_its_twin(site: Path, language: str) -> None:
    other = next(it for it in LANGUAGES if it != language)
    for source in (DOCUMENTS / language).glob("*.md"):
        page = site / language / "docs" / language / f"{source.stem}.html"
        assert f"../../../{other}/docs/{other}/{page.name}" in _Addresses(page).linked


@pytest.mark.parametrize(("language", "word"), [("en", "calibr"), ("zh", "校准"), ("zh", "提示")])
def test_the_search_knows_words_of_the_language(site: Path, language: str, word: str) -> None:
    written = (site / language / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(written.removeprefix("Search.setIndex(").removesuffix(")"))
    assert word in index["terms"]


def test_no_space_stands_in_chinese_where_a_line_ends(site: Path) -> None:
    for page in (site / "zh" / "docs" / "zh").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"[一-鿿，。、；]\n[一-鿿].*", text) == [], page
