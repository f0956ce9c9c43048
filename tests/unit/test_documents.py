"""The documents hold programs, data and output, the same in both languages, and live links.

tests/e2e/test_documents.py and tests/e2e/test_clients_of_others.py run the programs.
"""

import json
import re
from pathlib import Path

import pytest
import typer
import yaml

from benchmarks.harness.report import RESULTS
from devtools import reference
from devtools.paths import CHECKOUT
from emotion_llama.error_codes import ERROR_CODES
from emotion_llama.schema import EmotionResponse
from emotion_llama_server.cli import app
from tests.support.documents import (
    DOCUMENTS,
    ENGLISH_ONLY,
    FILES,
    PAGES,
    anchors_that_lead_nowhere,
    blocks_of,
    in_chinese,
    links_of,
)

DATA = {"json": json.loads, "yaml": yaml.safe_load}
OUTPUT = "text"
WINDOWS = "cmd"
LANGUAGES = ("en", "zh")
WAYS = ("a", "b", "server_one_by_one", "server", "server_4_questions")
"""The rows of the first page's table of speeds, by their names in the results."""


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_block_is_a_program_data_or_output(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in {*FILES, *DATA, OUTPUT, WINDOWS}, block
        if block.language in DATA:
            DATA[block.language](block.code)
        assert block.language != WINDOWS or block.needs, block


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_link_leads_to_a_file_or_a_folder(page: Path) -> None:
    assert [link for link in links_of(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_link_to_a_heading_finds_it(page: Path) -> None:
    assert anchors_that_lead_nowhere(page) == []


def test_each_page_has_its_twin() -> None:
    english, chinese = ({page.name for page in DOCUMENTS.glob(f"{it}/*.md")} for it in LANGUAGES)
    assert english == chinese
    others = {page for page in PAGES if DOCUMENTS not in page.parents}
    assert all(in_chinese(page) in others for page in others)
    assert all((CHECKOUT / f"{name}.md").is_file() for name in ENGLISH_ONLY)


@pytest.mark.parametrize("page", [page for page in PAGES if in_chinese(page) != page], ids=str)
def test_both_languages_show_the_same_blocks(page: Path) -> None:
    english, chinese = (
        [(block.language, block.code.count("\n")) for block in blocks_of(shown)]
        for shown in (page, in_chinese(page))
    )
    assert english == chinese


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_index_has_all_pages(language: str) -> None:
    folder = DOCUMENTS / language
    assert {page.name for page in folder.glob("*.md")} <= {
        *links_of(folder / "index.md"),
        "index.md",
    }


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_first_page_is_short(page: str) -> None:
    assert len((CHECKOUT / page).read_text(encoding="utf-8").splitlines()) < 150


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_speeds_of_the_first_page_are_the_measured_ones(page: str) -> None:
    found = json.loads((RESULTS / "gpu.json").read_text(encoding="utf-8"))["seconds_per_request"]
    measured = [found[way] for way in WAYS]
    told = re.findall(
        r"\| ([\d.]+) \| ([\d.]+) × \|$",
        (CHECKOUT / page).read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert [float(seconds) for seconds, _ in told] == pytest.approx(measured, rel=0.01)
    speeds = [measured[0] / seconds for seconds in measured]
    assert [float(speed) for _, speed in told] == pytest.approx(speeds, rel=0.02)


@pytest.mark.parametrize("page", reference.PAGES, ids=str)
def test_each_part_is_as_the_sources_have_it(page: Path) -> None:
    """`.venv/bin/python -m devtools.reference` mends it."""
    text = page.read_text(encoding="utf-8")
    assert reference.renewed(text, page.parent.name) == text


def test_a_default_that_has_changed_is_noticed_and_mended() -> None:
    text = (DOCUMENTS / "en" / "configuration.md").read_text(encoding="utf-8")
    old = text.replace(
        "| 300 | `EMOTION_LLAMA_REQUEST_TIMEOUT`", "| 200 | `EMOTION_LLAMA_REQUEST_TIMEOUT`"
    )
    assert old != text
    assert reference.renewed(old, "en") == text


def names_of(commands: typer.Typer) -> set[str]:
    found = commands.registered_commands
    return {command.name or command.callback.__name__ for command in found}  # type: ignore[union-attr]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_command_and_each_group_of_flags_has_its_part(language: str) -> None:
    commands = names_of(app)
    for group in app.registered_groups:
        parts = group.typer_instance
        assert parts is not None
        commands |= {f"{parts.info.name} {name}" for name in names_of(parts)}
    told = (DOCUMENTS / language / "cli.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- help: (\w+(?: \w+)?) -->", told)) == commands
    told = (DOCUMENTS / language / "configuration.md").read_text(encoding="utf-8")
    groups = {group for group, names in reference.GROUPS.items() if names}
    assert set(re.findall(r"<!-- flags: (\w+) -->", told)) == groups


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_error_code_is_told_with_its_status_and_a_cure(language: str) -> None:
    text = (DOCUMENTS / language / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)
    assert dict(rows) == {code: str(known.status) for code, known in ERROR_CODES.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_of_the_api_that_is_shown_is_a_whole_one(language: str) -> None:
    blocks = blocks_of(DOCUMENTS / language / "emotion-api.md")
    (shown,) = [json.loads(block.code) for block in blocks if block.language == "json"]
    answer = EmotionResponse.model_validate(shown)
    assert answer.model_dump(mode="json").keys() == shown.keys()
    assert answer.evidence.model_dump(mode="json").keys() == shown["evidence"].keys()


@pytest.mark.parametrize("page", [page for page in PAGES if page.name == "legacy.md"], ids=str)
def test_windows_sends_what_linux_sends(page: Path) -> None:
    """A shell of Windows knows no single quotes, and doubles a backslash before a quote."""
    blocks = blocks_of(page)
    windows = [i for i, block in enumerate(blocks) if block.language == WINDOWS]
    assert windows
    for i in windows:
        linux = next(b for b in reversed(blocks[:i]) if b.language == "bash")
        (sent,) = re.findall(r'-d "(.*)"$', blocks[i].code.strip(), re.MULTILINE)
        (meant,) = re.findall(r"-d '(.*)'$", linux.code.strip(), re.MULTILINE)
        assert json.loads(sent.replace('\\"', '"')) == json.loads(meant)
        assert re.findall(r'"(http[^"]+)"', blocks[i].code) == re.findall(
            r'"(http[^"]+)"', linux.code
        )
