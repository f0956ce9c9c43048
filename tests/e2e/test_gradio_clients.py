"""Gradio's own clients, installed from their registries, against the routes that are theirs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from devtools.paths import CHECKOUT
from tests.support.apps.gradio import KEYS, MISSING, QUESTION, GradioApp, said

CLIP = CHECKOUT / "demo/clips/happy_face.mp4"

PYTHON = """
import json, sys
from gradio_client import Client, handle_file

address, key, clip, question = sys.argv[1:]
client = Client(address, headers={"authorization": f"Bearer {key}"}, verbose=False)
told = [
    client.predict("happy_face.mp4", question),
    client.predict(video_path=handle_file(clip), question=question, api_name="/predict"),
    *(job.result() for job in [client.submit(f"{n}.mp4", question) for n in range(8)]),
]
try:
    client.predict("missing.mp4", question)
except ValueError as error:
    told.append(str(error))
client.view_api()
print(json.dumps(told))
"""
OLD_PYTHON = """
import json, sys
from gradio_client import Client

address, key, clip, question = sys.argv[1:]
client = Client(address, hf_token=key, verbose=False)
told = [client.predict("happy_face.mp4", question, api_name="/predict")]
try:
    client.predict("missing.mp4", question)
except ValueError as error:
    told.append(str(error))
print(json.dumps(told))
"""
JAVASCRIPT = """
import { Client, handle_file } from "@gradio/client";

const [address, key, clip, question] = process.argv.slice(2);
const client = await Client.connect(address, { headers: { authorization: `Bearer ${key}` } });
const told = [];
for (const named of ["happy_face.mp4", handle_file(clip)]) {
  told.push((await client.predict("/predict", [named, question])).data[0]);
}
await client.predict("/predict", { video_path: "missing.mp4", question }).catch((error) => {
  told.push(error.message);
});
console.log(JSON.stringify(told));
process.exit(0);
"""


def installed(command: Sequence[Any], folder: Path) -> None:
    """Run an installation; fail with its own words."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command} needs a network: {done.stdout}{done.stderr}"


def python(requirement: str, folder: Path) -> Path:
    """Install a client in an environment of its own; return its interpreter."""
    installed([sys.executable, "-m", "venv", "--without-pip", "venv"], folder)
    interpreter = folder / "venv/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet"]
    installed([*pip, requirement], folder)
    return interpreter


@pytest.fixture(scope="module")
def current_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter that has today's client."""
    return python("gradio_client>=2", tmp_path_factory.mktemp("current"))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has today's JavaScript client."""
    if shutil.which("npm") is None:
        reason = "npm is not installed: the JavaScript client needs Node 20 or later."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder, quiet = tmp_path_factory.mktemp("node"), ("--silent", "--no-fund", "--no-audit")
    installed(["npm", "install", *quiet, "@gradio/client@2"], folder)
    return folder


def said_by(*command: Any) -> list[str]:
    """Run a program in the checkout; return the lines that it prints."""
    environment = os.environ | {"HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment, cwd=CHECKOUT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def asked(*command: Any) -> list[str]:
    """Run one of the programs above; return what it was told."""
    house = GradioApp()
    with house.served() as address:
        told = json.loads(said_by(*command, address, KEYS["alice"], CLIP, QUESTION)[-1])
    assert house.door.inside == 0
    return told


def check_answers_and_error(told: list[str]) -> None:
    *answers, error = told
    named = [said(f"{n}.mp4") for n in range(8)]
    assert answers == [said("happy_face.mp4"), said(CLIP.read_bytes()), *named]
    assert MISSING in error


def test_todays_python_client_asks_uploads_and_is_told_what_is_wrong(current_python: Path) -> None:
    check_answers_and_error(asked(current_python, "-c", PYTHON))


@pytest.mark.slow
def test_the_python_client_of_the_originals_time_does_so_too(tmp_path: Path) -> None:
    check_answers_and_error(asked(python("gradio_client==1.3.0", tmp_path), "-c", PYTHON))


@pytest.mark.slow
def test_the_client_of_gradio_3_asks_the_original_route(tmp_path: Path) -> None:
    answer, error = asked(python("gradio_client==0.2.10", tmp_path), "-c", OLD_PYTHON)
    assert answer == said("happy_face.mp4")
    assert "Video file not found" in error


@pytest.mark.slow
def test_the_javascript_client_asks_uploads_and_is_told_what_is_wrong(node: Path) -> None:
    (node / "ask.mjs").write_text(JAVASCRIPT)
    told = asked("node", node / "ask.mjs")
    assert told == [said("happy_face.mp4"), said(CLIP.read_bytes()), MISSING]


@pytest.mark.parametrize(
    "page", ["docs/en/gradio.md", pytest.param("docs/zh/gradio.md", marks=pytest.mark.slow)]
)
def test_what_the_page_shows_works(page: str, current_python: Path, node: Path) -> None:
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    with GradioApp(keys={}).served() as address:
        text = text.replace("http://127.0.0.1:7889", address)
        (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        (script,) = re.findall(r"```js\n(.*?)```", text, re.DOTALL)
        (curl,) = re.findall(r"```bash\n(EVENT_ID.*?)```", text, re.DOTALL)
        (node / "page.mjs").write_text(script, encoding="utf-8")
        *_, named, uploaded = said_by(current_python, "-c", code)
        (from_node,) = said_by("node", node / "page.mjs")
        event, data, _ = said_by("bash", "-c", curl)
    (asked,) = set(re.findall(r"question = .(\[reason\].*?).;?\n", text))
    assert named == said("happy_face.mp4", asked)
    assert uploaded == from_node == said(CLIP.read_bytes(), asked)
    assert event == "event: complete"
    assert json.loads(data.removeprefix("data: "))[0].startswith("happy_face.mp4 in the style demo")
