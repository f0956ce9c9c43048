"""The set-up on machines whose Python is missing or of no use."""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from devtools.paths import CHECKOUT

SCRIPT = CHECKOUT / "deploy" / "bootstrap.py"


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pythons_of_no_use_are_told_with_how_to_get_one(
    bootstrap: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = {"python3.12": (3, 12), "/usr/bin/python3": (3, 9)}
    monkeypatch.setattr(bootstrap, "CANDIDATES", ("/usr/bin/python3", "python3.12", "python3.11"))
    monkeypatch.setattr(
        bootstrap,
        "version_of",
        lambda python, needs="sys": there.get(python) if needs == "sys" else None,
    )
    with pytest.raises(SystemExit) as ended:
        bootstrap.find_python()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "/usr/bin/python3 is 3.9, python3.12 is 3.12 without its venv module" in told
    assert "apt-get install python3.12 python3.12-venv" in told


def test_an_environment_on_another_disk_is_used_through_its_link(
    bootstrap: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (tmp_path / ".venv").symlink_to(there)
    updated = []
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap.sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(bootstrap.sys, "argv", ["bootstrap.py"])
    monkeypatch.setattr(bootstrap, "update", lambda *given: updated.append(given))
    monkeypatch.setattr(bootstrap, "make_venv", lambda: pytest.fail("It has one."))
    bootstrap.main()
    assert updated == [(False, None)]


def test_make_says_that_there_is_no_python(tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    command = [make, "-C", str(CHECKOUT), "setup", f"PYTHON={tmp_path / 'python3'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Install Python 3.11 to 3.13" in done.stderr


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 2)])
def test_make_says_that_javascript_is_not_checked_and_fails_in_ci(
    tmp_path: Path, ci: str, code: int
) -> None:
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run(
        [make, "-C", str(CHECKOUT), "check-js", f"CI={ci}"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "npm is not installed" in done.stderr
