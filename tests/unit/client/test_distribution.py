"""The client's own distribution: what it needs, and what it does without."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from devtools.paths import CHECKOUT
from emotion_llama import __version__

_CLIENT_ALONE = """
import sys
for name in ("emotion_llama_server", "emotion_llama_vllm", "vllm", "torch", "numpy", "av"):
    sys.modules[name] = None  # so that importing it fails
from emotion_llama.cli import main
main()
"""


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _CLIENT_ALONE, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.costly
def test_its_commands_work_without_the_server() -> None:
    helped = run("--help")
    assert helped.returncode == 0, helped.stderr
    for command in ("analyze", "evaluate", "bench", "mcp"):
        assert command in helped.stdout
        assert run(command, "--help").returncode == 0
    assert "serve" not in helped.stdout.split()


@pytest.mark.parametrize("words", [("serve", "--port", "8000"), ("doctor", "--help")])
@pytest.mark.costly
def test_the_servers_commands_are_refused_with_the_cure(words: tuple[str, ...]) -> None:
    refused = run(*words)
    assert refused.returncode == 2
    [line] = refused.stderr.splitlines()
    assert line.startswith(f"emotion-llama {words[0]}: The server is not installed here")


def test_the_servers_distribution_needs_the_same_for_its_client() -> None:
    client, server = (
        project(folder)["project"] for folder in (CHECKOUT / "clients" / "python", CHECKOUT)
    )
    assert client["dependencies"] == server["dependencies"]
    for extra, wanted in client["optional-dependencies"].items():
        assert server["optional-dependencies"][extra] == wanted
    assert client["requires-python"] == ">=3.10"


def test_all_packages_have_one_version() -> None:
    folder = CHECKOUT / "clients" / "js"
    for name in ("package.json", "package-lock.json"):
        assert json.loads((folder / name).read_text(encoding="utf-8"))["version"] == __version__
    for folder in (CHECKOUT / "clients" / "python", CHECKOUT):
        version = folder / project(folder)["tool"]["hatch"]["version"]["path"]
        assert version.samefile(CHECKOUT / "clients/python/emotion_llama/__init__.py")


def test_benchmarks_are_not_shipped() -> None:
    wheel = project(CHECKOUT)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert not [path for path in wheel["only-include"] if path.startswith("benchmarks")]


def test_the_page_is_shipped_where_the_server_looks_for_it() -> None:
    wheel = project(CHECKOUT)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "clients/page" in wheel["only-include"]
    assert wheel["sources"]["clients/page"] == "emotion_llama_server/page"
    assert wheel["exclude"] == [
        "clients/page/test",
        "clients/page/*.json",
        "clients/page/**/*.d.ts",
    ]
    finder = "server/emotion_llama_server/routes/page.py"
    assert '_PACKAGE / "page"' in (CHECKOUT / finder).read_text(encoding="utf-8")
