"""A request that is copied from the page runs as it is, and carries no key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from devtools.paths import CHECKOUT
from devtools.server import Server
from tests.support.npm import require_npm
from tests.support.page.answers import answer_with, response, take_sample, timeline

CLIP = CHECKOUT / "demo/clips/happy_face.mp4"
KEY = "a-key-of-alice"
QUESTION = """[reason] It's "my" question; why? 为什么"""


def run(*command: str, folder: Path, program: str) -> str:
    """Return the last line that a program writes."""
    environment = {**os.environ, "EMOTION_LLAMA_API_KEY": KEY}
    done = subprocess.run(
        [*command, program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def by_curl(program: str, folder: Path) -> str:
    answer = json.loads(run("sh", "-c", folder=folder, program=program))
    return f"{answer['emotion']} {answer['confidence']}"


def by_python(program: str, folder: Path) -> str:
    return run(sys.executable, "-c", folder=folder, program=program)


def by_javascript(program: str, folder: Path) -> str:
    require_npm()
    return run("node", "--input-type=module", "--eval", folder=folder, program=program)


WAYS = {"curl": by_curl, "Python": by_python, "JavaScript": by_javascript}


def copied(page: Page) -> dict[str, str]:
    """Copy a request in each form, as a reader does."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("Copy this request").click()
    programs = {}
    for form in WAYS:
        page.get_by_role("button", name=form, exact=True).click()
        expect(page.get_by_role("button", name=form, exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_role("status")).to_have_text("Copied.")
        programs[form] = page.evaluate("navigator.clipboard.readText()")
    return programs


@pytest.fixture
def keyed(page: Page) -> Page:
    """A page that has a key, as a server without keys does not mind."""
    page.evaluate(f"sessionStorage.setItem('emotion-llama.key', '{KEY}')")
    page.reload()
    return page


def test_a_request_about_a_sample_runs_anywhere(keyed: Page, tmp_path: Path) -> None:
    keyed.get_by_role("button", name="Happy face").click()
    for form, program in copied(keyed).items():
        assert KEY not in program
        label, confidence = WAYS[form](program, tmp_path).split()
        assert label == "happy"  # as the page itself is told
        assert 0 < float(confidence) <= 1


def test_a_request_about_a_file_uploads_it(page: Page, tmp_path: Path) -> None:
    name = """it's "mine", a;b.mp4"""
    page.locator("#file").set_input_files(
        {"name": name, "mimeType": "video/mp4", "buffer": CLIP.read_bytes()}
    )
    page.locator("#task").select_option("own")
    page.locator("#question").fill(QUESTION)
    (tmp_path / name).write_bytes(CLIP.read_bytes())
    for form, program in copied(page).items():
        assert "Authorization" not in program
        assert WAYS[form](program, tmp_path).split()[0] == "happy"


def test_a_request_about_a_clip_on_the_server_names_it(
    page: Page, server: Server, tmp_path: Path
) -> None:
    page.get_by_role("button", name="On the server").click()
    page.get_by_label("Path").fill("clip0.mp4")
    page.get_by_role("button", name="Use this clip").click()
    programs = copied(page).items()
    labels = {WAYS[form](program, tmp_path).split()[0] for form, program in programs}
    assert len(labels) == 1


def test_the_strongest_expression_and_what_is_heard_can_be_asked_for(page: Page) -> None:
    answer_with(page, response(timeline()))
    take_sample(page)
    page.get_by_text("More options").click()
    page.get_by_label("Let the server write it from the sound").check()
    page.locator("#frame").select_option(label="The strongest expression")
    with page.expect_request("**/v1/emotion") as request:
        page.locator("#analyse").click()
    body = request.value.post_data_buffer or b""
    assert b'"frame":"peak"' in body
    assert b'"transcribe":true' in body


def test_only_a_server_that_can_hear_is_asked_to(page: Page) -> None:
    models = page.request.get("/v1/models").json()
    assert models["data"][0]["transcribes"]
    models["data"][0]["transcribes"] = False
    page.route("**/v1/models", lambda route: route.fulfill(json=models))
    page.reload()
    take_sample(page)
    page.get_by_text("More options").click()
    expect(page.locator("#transcript")).to_be_visible()
    expect(page.locator("[data-param=transcribe]")).to_have_count(0)
