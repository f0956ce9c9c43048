"""What the documents show is what happens: each block runs as a file, or in a fresh shell.

A block that needs more than this machine has says so in its first line ("# Needs a GPU"). The
clients of others have a test of their own, test_clients_of_others.py.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from devtools.server import START_SECONDS, Server, free_port
from tests.support.documents import (
    FILES,
    PAGES,
    Block,
    asking,
    blocks_of,
    fresh_environment,
    listening,
)

BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def distinct(blocks: list[Block]) -> list[Block]:
    """Return one of each block that both languages show, but for the comments."""
    first: dict[str, Block] = {}
    for block in blocks:
        first.setdefault(re.sub(r" *#.*", "", block.code), block)
    return list(first.values())


RUN = distinct([b for b in BLOCKS if b.language in FILES and not b.needs and not b.install])


def is_slow(block: Block) -> bool:
    return block.takes_long or (block.is_chinese and block.output is None)


def asked(*languages: str) -> list[Any]:
    """Return the blocks that ask a server, as parameters.

    What takes long is for `test-all`, as are Chinese pages, whose code differs from the English
    pages' in a question or a language, unless they show the output.
    """
    return [
        pytest.param(
            block,
            id=str(block),
            marks=pytest.mark.slow if is_slow(block) else (),
        )
        for block in RUN
        if block.language in languages and not block.serves
    ]


@pytest.mark.parametrize("block", asked("bash", "python"))
def test_each_block_runs_as_it_is_typed(server: Server, folder: Path, block: Block) -> None:
    program = {"bash": "bash", "python": ".venv/bin/python"}[block.language]
    file = folder / FILES[block.language]
    file.write_text(asking(block.code, server), encoding="utf-8")
    told = check_that_it_answers([program, file.name], folder)
    if block.output is not None:
        assert without_durations(told) == without_durations(block.output)


def without_durations(output: str) -> str:
    return re.sub(r"(duration['\"]: ?)[\d.]+", r"\1", output.strip())


@pytest.mark.parametrize("block", asked("js"))
def test_each_block_of_javascript_runs(
    server: Server, folder: Path, sdk: Path, block: Block
) -> None:
    file = sdk / FILES["js"]
    file.write_text(asking(block.code, server), encoding="utf-8")
    check_that_it_answers(["node", str(file)], folder)


@pytest.mark.skipif(shutil.which("java") is None, reason="There is no Java on this machine.")
@pytest.mark.parametrize("block", asked("java"))
def test_each_block_of_java_runs(server: Server, folder: Path, block: Block) -> None:
    file = folder / FILES["java"]
    file.write_text(asking(block.code, server), encoding="utf-8")
    check_that_it_answers(["java", file.name], folder)


def check_that_it_answers(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        timeout=300,
        cwd=folder,
        env=fresh_environment(),
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '{"error":' not in done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("block", [block for block in RUN if block.serves], ids=str)
def test_each_server_starts(folder: Path, tmp_path: Path, block: Block) -> None:
    port, log = free_port(), tmp_path / "log"
    (folder / "start.sh").write_text(listening(block.code, port, free_port()), encoding="utf-8")
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-e", "start.sh"],
            stdout=out,
            stderr=out,
            cwd=folder,
            env=fresh_environment(),
            start_new_session=True,
        )
    try:
        wait_for(port, process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server listens, which it does once it has answered a first request."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    pytest.fail(log.read_text(errors="replace")[-4000:])
