"""The documents hold programs, data and output, the same in both languages, and live links.

tests/e2e/test_documents.py and tests/e2e/test_clients_of_others.py run the programs.
"""

import json
from pathlib import Path

import pytest
import yaml

from tests.support.documents import FILES, PAGES, blocks_of, in_chinese, links_of

DATA = {"json": json.loads, "yaml": yaml.safe_load}
OUTPUT = "text"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_block_is_a_program_data_or_output(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in {*FILES, *DATA, OUTPUT}, block
        if block.language in DATA:
            DATA[block.language](block.code)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_link_leads_to_a_file_or_a_folder(page: Path) -> None:
    assert [link for link in links_of(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if in_chinese(page) != page], ids=str)
def test_both_languages_show_the_same_blocks(page: Path) -> None:
    english, chinese = (
        [(block.language, block.code.count("\n")) for block in blocks_of(shown)]
        for shown in (page, in_chinese(page))
    )
    assert english == chinese
