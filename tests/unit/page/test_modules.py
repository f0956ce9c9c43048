"""The page's modules: small, few, strict, and with the right copies of what they use."""

import json
import re
from pathlib import Path

import pytest

from devtools import page_vendor
from devtools.paths import CHECKOUT
from emotion_llama_server.routes import page
from tests.support.npm import npm, require_npm

PAGE = CHECKOUT / "clients/page"
CODE = [path for path in page.files_in(PAGE) if path.suffix not in (".svg", ".jpg")]
OURS = [path for path in CODE if "vendor" not in path.parts]
MODULES = [path for path in OURS if path.suffix == ".js"]
COMMENT = re.compile(r"^\s*/\*.*?\*/\n?|^\s*//.*\n", re.DOTALL | re.MULTILINE)


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(PAGE).as_posix() for path in paths]


def test_a_view_fits_on_three_screens() -> None:
    views = [path for path in MODULES if path.parent.name == "views"]
    long = [path for path in views if len(path.read_text("utf-8").splitlines()) > 150]
    assert names(long) == []


def test_our_code_stays_under_250_kilobytes() -> None:
    """Without comments and without the words of both languages, as browsers get it unpacked."""
    code = [path.read_text("utf-8") for path in OURS if "strings" not in path.parts]
    assert sum(len(COMMENT.sub("", text).encode()) for text in code) <= 250_000


def test_each_module_says_what_its_subject_is() -> None:
    silent = [path for path in MODULES if not path.read_text("utf-8").startswith("/**")]
    assert names(silent) == []


FORBIDDEN = {
    "markup in a string": r"\.(inner|outer)HTML\b|insertAdjacentHTML|unsafeHTML|document\.write",
    "code in a string": r"\beval\(|new Function\(",
    "a style attribute": r"""\bstyle=|styleMap|setAttribute\(\s*['"]style|cssText""",
    "an inline handler": r"""<[^>]*\son[a-z]+=["']""",
    "another origin": r"""(src|href|from|fetch\()\s*=?\s*["'`](https?:)?//""",
    "a worker": r"new (Shared)?Worker\(",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_policy_would_stop_none_of_it(what: str) -> None:
    found = [path for path in OURS if re.search(FORBIDDEN[what], path.read_text("utf-8"))]
    assert names(found) == []


def test_the_copies_are_those_of_the_record_and_of_the_clients_sources() -> None:
    """Run `make page-vendor` after a change of the client."""
    assert json.loads(page_vendor.RECORD.read_text(encoding="utf-8")) == page_vendor.record()


def test_the_licence_lies_beside_the_copy() -> None:
    licence = (PAGE / "vendor/lit-html/LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("BSD 3-Clause License")
    assert "lit-html" in (CHECKOUT / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.costly
def test_its_own_tests_pass() -> None:
    require_npm()
    npm(PAGE, "test")
