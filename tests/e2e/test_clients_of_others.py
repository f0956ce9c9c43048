"""Clients by others, of OpenAI's API and of Gradio, installed and run as the documents show."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from devtools.server import Server
from tests.support.cached_venv import cached_venv
from tests.support.documents import FILES, PAGES, Block, asking, blocks_of, fresh_environment
from tests.support.npm import npm, require_npm

CLIENTS = [block for page in PAGES for block in blocks_of(page) if block.install]


@pytest.mark.slow
@pytest.mark.parametrize("block", CLIENTS, ids=str)
def test_each_client_is_answered(server: Server, folder: Path, block: Block) -> None:
    _, _, *packages = shlex.split(block.install or "")
    if block.language == "js":
        require_npm()
        npm(folder, "install", *packages)
        program = "node"
    else:
        program = cached_venv(*packages) / "python"
    file = folder / FILES[block.language]
    file.write_text(asking(block.code, server), encoding="utf-8")
    done = subprocess.run(
        [program, file],
        capture_output=True,
        timeout=120,
        cwd=folder,
        env=fresh_environment(),
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.search("happy|高兴", done.stdout)
