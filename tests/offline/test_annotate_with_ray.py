"""The recipe for a Ray cluster: every clip gets one row, whatever ends in between."""

import json
import os
import signal
import subprocess
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from devtools.media import Recipe, write_clip
from devtools.paths import CHECKOUT
from tests.support.cached_venv import cached_venv

CLIPS = 100
_SECONDS = 400
_MARK = "EMOTION_LLAMA_TEST_OF_RAY"


_LIST = """
import json, sys
sys.path.insert(0, sys.argv[1])
from annotate_with_ray import absolute, list_clips
print(json.dumps([list_clips(absolute(place)).to_pylist() for place in sys.argv[2:]]))
"""


def python() -> str:
    """Return the Python of an environment with Ray on top of this one."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    packages = project["optional-dependencies"]["ray"]
    return str(cached_venv(*packages, on_top=True) / "python")


def paths() -> str:
    folders = [CHECKOUT / "multimodal_plugin", CHECKOUT / "clients/python"]
    return os.pathsep.join(map(str, folders))


class Run:
    """Starts the recipe with two actors, and watches what it writes."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.clips, self.out, self._log = folder / "clips", folder / "out", folder / "log"
        recipe = str(CHECKOUT / "examples/annotate_with_ray.py")
        self._command = [python(), recipe, str(self.clips), str(self.out)]
        self._command += ["--actors", "2", "--cpus", "0", "--batch", "2", "--task", "emotion"]
        self._environment = environment | {
            "HOME": str(folder),
            "PYTHONPATH": paths(),
            "RAY_USAGE_STATS_ENABLED": "0",
            _MARK: uuid.uuid4().hex,
        }

    def start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment, cwd=self.out.parent
            )

    def files(self) -> set[Path]:
        return set(self.out.glob("answers/*.parquet"))

    def processes(self) -> Iterator[psutil.Process]:
        """Yield the processes of the cluster, and of the driver."""
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self._environment[_MARK]:
                    yield process
            except psutil.Error:
                continue

    def actors(self) -> list[psutil.Process]:
        return [one for one in self.processes() if "MapWorker" in " ".join(one.cmdline())]

    def wait(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not what():
            assert time.monotonic() < deadline, self._log.read_text(errors="replace")[-6000:]
            time.sleep(0.1)

    def rows(self) -> list[dict[str, Any]]:
        return [row for file in sorted(self.files()) for row in pq.read_table(file).to_pylist()]


@pytest.fixture
def run(tmp_path: Path, user_environment: dict[str, str]) -> Iterator[Run]:
    made = Run(tmp_path, user_environment)
    made.clips.mkdir()
    for index in range(CLIPS):
        recipe = Recipe(seed=index, hertz=200 + 10 * index, seconds=0.5)
        write_clip(made.clips / f"clip{index:03}.mp4", recipe)
    (made.clips / "bad.mp4").write_text("This is no video.")
    (made.clips / "notes.txt").write_text("This is no clip.")
    yield made
    for process in list(made.processes()):
        process.kill()


@pytest.mark.slow
def test_each_clip_has_one_row_after_a_killed_actor_and_a_killed_driver(run: Run) -> None:
    first = run.start()
    run.wait(lambda: len(run.files()) >= 2)
    run.actors()[0].kill()
    run.wait(lambda: len(run.files()) >= 10)
    first.send_signal(signal.SIGKILL)
    first.wait()
    run.wait(lambda: not list(run.processes()))
    done = run.files()
    assert len(done) < CLIPS // 2, "The driver was killed too late."

    second = run.start()
    run.wait(lambda: second.poll() is not None)
    assert second.returncode == 0
    assert len(run.files() & done) >= 9, "The second run did the work of the first one again."
    rows = {Path(row["clip"]).name: row for row in run.rows()}
    assert len(run.rows()) == len(rows) == CLIPS + 1
    bad = rows.pop("bad.mp4")
    assert bad["emotion"] is None
    assert "no video" in bad["error"]
    for row in rows.values():
        assert row["error"] is None
        assert row["probabilities"][row["emotion"]] == row["confidence"]


@pytest.mark.slow
def test_clips_come_from_a_folder_or_a_list_each_of_them_once(
    tmp_path: Path, user_environment: dict[str, str]
) -> None:
    names = ("a.mp4", "below/b #1.MOV", "notes.txt", ".hidden/c.mp4", "._a.mp4")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "list.csv").write_text(
        'clip,transcript,take\na.mp4,"Hello, ""you""\nthere.",1\ns3://bucket/b.mp4,007,2\na.mp4,,3\n'
    )
    pq.write_table(pa.table({"take": [1], "clip": ["/c.mp4"]}), tmp_path / "list.parquet")
    places = [tmp_path, tmp_path / "list.csv", tmp_path / "list.parquet"]
    told = subprocess.run(
        [python(), "-c", _LIST, str(CHECKOUT / "examples"), *map(str, places)],
        env=user_environment | {"PYTHONPATH": paths()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    folder, table, columns = json.loads(told.stdout.splitlines()[-1])
    assert folder == [{"clip": str(tmp_path / name)} for name in names[:2]]
    assert table == [
        {"clip": str(tmp_path / "a.mp4"), "transcript": 'Hello, "you"\nthere.', "take": 1},
        {"clip": "s3://bucket/b.mp4", "transcript": "007", "take": 2},
    ]
    assert columns == [{"take": 1, "clip": "/c.mp4"}]
