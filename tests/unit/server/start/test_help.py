"""`emotion-llama serve --help` and `--version`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start.help import GROUPS, help_text
from emotion_llama_vllm.settings import MediaSettings

COMMAND = str(Path(sys.executable).with_name("emotion-llama"))


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    return help_text()


def test_each_of_our_settings_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    fields = ServerSettings.model_fields | MediaSettings.model_fields
    assert sorted(grouped) == sorted(fields.keys() - {"api_keys"})


def test_it_is_about_a_screen(text: str) -> None:
    assert len(text.splitlines()) <= 90
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    "line",
    [
        r"--port N .*\[7889\]",
        r"--legacy-port N .*\[7887\]",
        r"--media-root DIR ",
        r"--api-key-file FILE ",
        r"--trusted-proxy NETWORK ",
        r"--max-media-mb N +MiB .*\[64\]",
        r"--request-timeout N +seconds .*\[300\]",
        r"--log-format text\|json .*\[text\]",
        r"--allow-text-only \[BOOL\] +answer .*\[false\]",
        r"--media-trust-env \[BOOL\] +fetch .*\[false\]",
        r"--decode-workers N .*\[half of the cores, 2 to 8\]",
        r"--help-vllm",
    ],
)
def test_it_tells_units_and_true_defaults(text: str, line: str) -> None:
    assert re.search(line, text)


def test_no_default_is_told_where_there_is_none(text: str) -> None:
    assert "None" not in text
    assert "()" not in text


WATCHED = """
import sys
from emotion_llama_server.cli import main
try:
    main()
finally:
    print({"torch", "vllm"} & sys.modules.keys())
"""


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["serve", "--help"], ["convert", "--help"]]
)
@pytest.mark.costly
def test_help_and_version_import_no_engine(words: list[str]) -> None:
    command = [sys.executable, "-c", WATCHED, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.costly
def test_the_version_names_the_engines_too() -> None:
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"emotion-llama \d+\.\d+\.\d+ with vllm\S* 0\.32\.\d+\S*\n", done.stdout)


@pytest.mark.costly
def test_a_shell_completes_the_commands() -> None:
    asked = {"_EMOTION_LLAMA_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    asked["COMP_WORDS"] = "emotion-llama s"
    done = subprocess.run([COMMAND], env=os.environ | asked, capture_output=True, text=True)
    assert done.stdout.split() == ["serve"]


@pytest.mark.costly
def test_the_commands_are_told_in_whole_lines() -> None:
    asked = os.environ | {"COLUMNS": "80"}
    done = subprocess.run(
        [COMMAND, "--help"], env=asked, capture_output=True, text=True, check=True
    )
    assert "..." not in done.stdout.partition("Commands:")[2]
    assert len(done.stdout.splitlines()) < 24
