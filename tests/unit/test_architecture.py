"""ARCHITECTURE.md names places that exist, leaves no room out and fits on a screen.

Every place is a link: `tests/unit/test_documents.py` follows the links of all pages.
"""

import re
from pathlib import Path

import pytest

from devtools.paths import CHECKOUT
from tests.support.documents import links_of

PAGE = CHECKOUT / "ARCHITECTURE.md"
HOUSES = ("multimodal_plugin/emotion_llama_vllm", "server/emotion_llama_server")
ROOMS = [
    room.parent for house in HOUSES for room in sorted((CHECKOUT / house).glob("*/__init__.py"))
]

QUESTIONS = {
    "Where is the default of a flag set?": "server/emotion_llama_server/settings.py",
    "Where is an API key checked?": "server/emotion_llama_server/gate/keys.py",
    "Where does an exception become a status?": "server/emotion_llama_server/errors.py",
    "Which routes of vLLM answer?": "server/emotion_llama_server/routes/exposure.py",
    "Where are the fields of an answer?": "clients/python/emotion_llama/schema.py",
    "Which files may a clip come from?": f"{HOUSES[0]}/media/read/reader.py",
    "Where is a frame picked?": f"{HOUSES[0]}/media/decode/picture",
    "What confines a decoder?": f"{HOUSES[0]}/media/workers/child.py",
    "Where is the text of the prompt?": f"{HOUSES[0]}/checkpoint/chat_template.jinja",
    "Where is the forward pass?": f"{HOUSES[0]}/model/emotion_llama.py",
}
"""Ten questions of a stranger, each with the place that answers it."""


def places() -> set[Path]:
    return {CHECKOUT / link for link in links_of(PAGE)}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(CHECKOUT)))
def test_each_room_is_on_the_map(room: Path) -> None:
    assert room in places()


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_page_answers_each_question_with_a_place_that_exists(question: str) -> None:
    place = CHECKOUT / QUESTIONS[question]
    assert place.exists()
    assert place in places()


def test_each_of_fifteen_changes_names_what_to_open() -> None:
    _, table = PAGE.read_text(encoding="utf-8").split("## To change X, open Y")
    rows = re.findall(r"^\| (?!to change|---)(.+?) \| (.+) \|$", table, re.MULTILINE)
    assert len(rows) == 15
    for change, place in rows:
        assert "](" in place, change


def test_the_page_fits_on_a_screen() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 70
