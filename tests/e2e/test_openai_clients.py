"""Clients of OpenAI's API by others, installed and run as docs/*/openai-clients.md shows."""

import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.documents import FILES, PAGES, Block, asking, blocks_of, fresh_environment
from tests.support.npm import npm, require_npm
from tests.support.paths import CHECKOUT
from tests.support.server import Server

CACHE = CHECKOUT / "build/clients"
CLIENTS = [block for page in PAGES for block in blocks_of(page) if block.install]


@pytest.mark.slow
@pytest.mark.parametrize("block", CLIENTS, ids=str)
def test_each_client_is_answered(server: Server, folder: Path, block: Block) -> None:
    home = installed(block.install or "")
    program, place = {"python": (home / "bin/python", folder), "js": ("node", home)}[block.language]
    file = place / FILES[block.language]
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


def installed(install: str) -> Path:
    """Return a folder in which this command of pip or npm was run, the first time it is asked for.

    `make clean` removes it.
    """
    folder = CACHE / re.sub(r"\W+", "-", install)
    is_done = folder / "installed"
    if not is_done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        program, *words = shlex.split(install)
        if program == "npm":
            require_npm()
            folder.mkdir(parents=True)
            npm(folder, *words, "--prefix", ".")
        else:
            venv.create(folder)
            pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python")]
            subprocess.run([*pip, *words], check=True, timeout=300)
        is_done.touch()
    return folder
