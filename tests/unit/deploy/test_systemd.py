"""The unit of deploy/systemd, examined by systemd's own tool; no systemd runs here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from devtools.paths import CHECKOUT
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start.arguments import SHUTDOWN_SECONDS

UNIT = CHECKOUT / "deploy/systemd/emotion-llama.service"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """Return a copy of the unit that starts a program which is there."""
    copy = tmp_path / UNIT.name
    text, starts = re.subn(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text())
    assert starts == 1
    copy.write_text(text)
    return copy


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="There is no systemd here.")
@pytest.mark.parametrize(
    "question", [["verify"], ["security", "--offline=true", "--threshold=20"]], ids=" ".join
)
def test_systemd_finds_nothing_to_correct(unit: Path, question: list[str]) -> None:
    command = ["systemd-analyze", *question, str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr


def test_the_unit_waits_for_the_end_and_keeps_wrong_settings_down() -> None:
    text = UNIT.read_text()
    stop = re.search(r"(?m)^TimeoutStopSec=(\d+)$", text)
    assert stop is not None
    assert int(stop[1]) > SHUTDOWN_SECONDS + 15
    assert "RestartPreventExitStatus=2\n" in text


def test_the_folder_that_the_unit_proposes_for_files_and_batches_is_writable() -> None:
    text = UNIT.read_text()
    state = re.search(r"(?m)^StateDirectory=(\S+)$", text)
    assert state is not None
    assert f"EMOTION_LLAMA_DATA_DIR=/var/lib/{state[1]}/" in text


def test_the_unit_names_variables_of_the_server() -> None:
    named = re.findall(r"EMOTION_LLAMA_(\w+)", UNIT.read_text())
    assert named
    assert {name.lower() for name in named} <= set(ServerSettings.model_fields)
