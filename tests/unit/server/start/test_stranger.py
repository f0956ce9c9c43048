"""What a user without a home, a name or a place to write to can run: `nobody`, or OpenShift's."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools.paths import CHECKOUT
from tests.support.stranger import USER, as_stranger, can_be_anybody

CLIP = str(CHECKOUT / "demo" / "clips" / "happy_face.mp4")

_DECODE = """
import asyncio, sys
from functools import partial
from emotion_llama_vllm.media.workers import child  # all that a decode worker loads
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings
assert not {"numba", "librosa", "torch", "vllm"} & set(sys.modules)
clip = decode(open(sys.argv[1], "rb").read(), settings=MediaSettings())
print(clip.frame.shape, clip.waveform.shape)
"""

_WORKERS = """
import asyncio, sys
from functools import partial
from pathlib import Path
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.media.workers.pool import Workers
from emotion_llama_vllm.settings import MediaSettings

async def main():
    settings = MediaSettings(decode_workers=1)
    workers = Workers(settings, 64)
    try:
        reader = MediaReader([Path(sys.argv[1]).parent], [], settings)
        with await reader.open(sys.argv[1]) as file:
            clip = await workers.run(partial(decode, size=64, settings=settings), file)
        print(clip.frame.shape, clip.waveform.shape)
    finally:
        workers.stop()

if __name__ == "__main__":
    asyncio.run(main())
"""

_PLACES = """
import getpass, os, tempfile
from emotion_llama_vllm.hooks.vllm_environment import set_environment
set_environment()
home = os.environ["HOME"]
open(os.path.join(home, "x"), "w").write("x")
assert os.stat(home).st_mode & 0o777 == 0o700
print(tempfile.gettempdir(), os.path.isdir(os.path.expanduser("~")), getpass.getuser())
"""


def run(code: str, *arguments: str, tmp: str = "size=512m") -> str:
    command, environment = as_stranger([sys.executable, "-c", code, *arguments], tmp=tmp)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.mark.parametrize("tmp", ["size=512m", "ro"])
@pytest.mark.costly
def test_a_stranger_decodes_a_clip(tmp: str) -> None:
    assert run(_DECODE, CLIP, tmp=tmp) == "(224, 224, 3) (43008,)"


@pytest.mark.costly
def test_a_stranger_decodes_in_workers() -> None:
    assert run(_WORKERS, CLIP) == "(64, 64, 3) (43008,)"


@pytest.mark.parametrize("tmp", ["size=512m", "full", "ro"])
def test_a_stranger_is_given_a_home_a_name_and_a_place_for_temporary_files(tmp: str) -> None:
    folder, has_home, name = run(_PLACES, tmp=tmp).split()
    assert has_home == "True"
    if can_be_anybody():
        assert name == f"user-{USER}"
        assert folder == ("/tmp" if tmp == "size=512m" else "/dev/shm")


def test_a_home_that_can_be_written_to_is_kept(tmp_path: Path) -> None:
    code = "import os; from emotion_llama_vllm.hooks import vllm_environment as e"
    code += "; e.set_environment()"
    code += "; print(os.environ['HOME'], 'HF_HOME' in os.environ)"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(tmp_path), "False"]


def test_models_in_a_home_that_can_only_be_read_are_found(tmp_path: Path) -> None:
    models = tmp_path / ".cache" / "huggingface"
    models.mkdir(parents=True)
    code = (
        "import os; from emotion_llama_vllm.hooks import vllm_environment; "
        "os.access = lambda *_: False; vllm_environment.set_environment(); "
        "print(os.environ['HF_HOME'], os.path.isdir(os.environ['HOME']))"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(models), "True"]
