"""One server owns the folder of `--data-dir`, which nobody else can read."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_llama_server.data.folder import DataFolder, DataFolderError, check_data_folder
from emotion_llama_server.data.schema import MIGRATIONS

_OWN = "import sys; from pathlib import Path; "
_OWN += "from emotion_llama_server.data.folder import DataFolder; DataFolder(Path(sys.argv[1])); "


def test_nobody_else_can_read_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data"
    previous = os.umask(0)
    try:
        folder = DataFolder(path)
    finally:
        os.umask(previous)
    try:
        modes = {place: place.stat().st_mode & 0o777 for place in [path, *path.iterdir()]}
    finally:
        folder.close()
    assert {place.name for place in modes} >= {"data", "lock", "objects", "state.sqlite3"}
    for place, mode in modes.items():
        assert mode == (0o700 if place.is_dir() else 0o600), place


@pytest.mark.costly
def test_a_second_server_is_refused_as_long_as_the_first_one_lives(tmp_path: Path) -> None:
    program = _OWN + "print('owned', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"owned\n"
        with pytest.raises(DataFolderError, match=r"^--data-dir: another server uses .+\.$"):
            DataFolder(tmp_path)
        first.kill()
    DataFolder(tmp_path).close()


def test_what_a_killed_server_was_receiving_is_deleted(tmp_path: Path) -> None:
    DataFolder(tmp_path).close()
    (tmp_path / "uploads" / "half").write_bytes(b"x")
    DataFolder(tmp_path).close()
    assert not list((tmp_path / "uploads").iterdir())


def test_tables_of_a_later_release_are_refused_and_left_alone(tmp_path: Path) -> None:
    DataFolder(tmp_path).close()
    _set_version(tmp_path, len(MIGRATIONS) + 1)
    with pytest.raises(DataFolderError, match=r"--data-dir: .+a later release has written them"):
        DataFolder(tmp_path)
    _set_version(tmp_path, len(MIGRATIONS))
    DataFolder(tmp_path).close()


def _set_version(folder: Path, version: int) -> None:
    connection = sqlite3.connect(folder / "state.sqlite3")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def test_a_damaged_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"This is no database." * 100)
    with pytest.raises(DataFolderError, match=r"cannot be used \(file is not a database\)\.$"):
        DataFolder(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderError, match="cannot be used"):
        DataFolder(tmp_path / "file")


def test_a_folder_whose_files_requests_may_name_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "clips" / "data"
    with pytest.raises(DataFolderError, match="choose a folder outside"):
        check_data_folder(inside, [tmp_path / "clips"])
    assert not inside.exists()
    check_data_folder(tmp_path / "data", [tmp_path / "clips"])
