"""What the README shows is what happens."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from tests.support.paths import CHECKOUT
from tests.support.server import Server


def blocks(name: str, language: str) -> list[str]:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def pointed_at(code: str, server: Server) -> str:
    address = server.url.removeprefix("http://")
    for ours in ("127.0.0.1:7889", "localhost:7889"):
        code = code.replace(ours, address)
    return code.replace("127.0.0.1:7887", server.legacy_url.removeprefix("http://"))


PYTHON = [code for code in blocks("README.md", "python") if "127.0.0.1" in code]
SDK = blocks("clients/python/README.md", "python")
CURL = [code for code in blocks("README.md", "bash") if code.startswith("curl")]


@pytest.mark.parametrize("code", [*PYTHON, *SDK])
def test_each_python_request_is_answered(server: Server, code: str) -> None:
    command = [sys.executable, "-c", pointed_at(code, server)]
    done = subprocess.run(command, capture_output=True, timeout=120, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("index", range(len(CURL)))
def test_each_curl_request_is_answered(server: Server, index: int) -> None:
    words = shlex.split(pointed_at(CURL[index], server).replace("\\\n", " "))
    done = subprocess.run([*words, "--silent"], capture_output=True, timeout=120, check=True)
    assert set(json.loads(done.stdout)) == {"response"}


def test_it_shows_all_ways() -> None:
    assert len(PYTHON) == 4
    assert len(SDK) == 5
    assert len(CURL) == 1


def test_both_languages_show_the_same_code() -> None:
    for language in ("python", "text"):
        assert blocks("README.md", language) == blocks("README.zh.md", language)
    assert len(blocks("README.md", "bash")) == len(blocks("README.zh.md", "bash"))
