"""What can be saved of an answer: each form holds what the server itself would write."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from devtools.paths import CHECKOUT
from devtools.server import Server
from emotion_llama.schema import EmotionResponse
from emotion_llama_server.emotion.formats import as_csv, as_vtt
from tests.support.page.answers import NOTICE, analyse_sample, answer_with, response, timeline
from tests.support.page.browser import Visitor

RECORD_WORDS = """
globalThis.painted = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
  globalThis.painted.push(text);
  return fillText.call(this, text, ...more);
};
"""


@pytest.fixture(scope="module")
def analysed(browser: Browser, server: Server) -> Iterator[Page]:
    """A sample that the server has analysed."""
    visitor = Visitor(browser, server.url)
    context = visitor.context(accept_downloads=True)
    context.add_init_script(RECORD_WORDS)
    page = context.new_page()
    page.goto("/")
    analyse_sample(page)
    yield page
    visitor.close()


def saved(page: Page, form: str) -> tuple[str, bytes]:
    """Return the name and the content of the file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=form, exact=True).click()
    file = download.value
    return file.suggested_filename, Path(file.path()).read_bytes()


def answer_of(page: Page) -> EmotionResponse:
    return EmotionResponse.model_validate_json(saved(page, "JSON")[1])


def test_json_is_the_answer(analysed: Page, server: Server) -> None:
    name, content = saved(analysed, "JSON")
    answer = EmotionResponse.model_validate_json(content)
    assert name == "happy_face.emotion.json"
    assert answer.emotion == "happy"
    expect(analysed.locator(".headline")).to_contain_text("happy")
    clip = (CHECKOUT / "demo/clips/happy_face.mp4").read_bytes()
    form = {"request": (None, '{"task": "emotion"}'), "video": clip}
    again = httpx.post(f"{server.url}/v1/emotion", files=form, timeout=60).json()
    assert answer.probabilities == pytest.approx(again["probabilities"], abs=1e-4)


def test_csv_is_that_of_the_server_behind_a_byte_order_mark(analysed: Page) -> None:
    name, content = saved(analysed, "CSV")
    assert name == "happy_face.emotion.csv"
    assert content.decode() == "\ufeff" + as_csv(answer_of(analysed).timeline or [])


def test_webvtt_is_that_of_the_server_with_the_notice(analysed: Page) -> None:
    name, content = saved(analysed, "WebVTT")
    answer = answer_of(analysed)
    head, note, *cues = content.decode().split("\n\n")
    assert name == "happy_face.emotion.vtt"
    assert note == f"NOTE {answer.notice}"
    assert "\n\n".join([head, *cues]) == as_vtt(answer.timeline or [])


def test_srt_has_a_subtitle_for_each_window(analysed: Page) -> None:
    _, content = saved(analysed, "SRT")
    time = r"\d\d:\d\d:\d\d,\d{3}"
    cues = re.findall(rf"(\d+)\n{time} --> {time}\n(\S+) \d+%\n(?:\n|$)", content.decode())
    windows = answer_of(analysed).timeline or []
    assert cues == [(str(n), window.emotion) for n, window in enumerate(windows, start=1)]


def test_the_picture_shows_colours_and_carries_the_notice(analysed: Page) -> None:
    name, content = saved(analysed, "PNG")
    assert name == "happy_face.emotion.png"
    assert content.startswith(b"\x89PNG")
    assert len(content) > 20_000
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert width == 2400
    assert height > 600
    painted = " ".join(analysed.evaluate("globalThis.painted"))
    assert " ".join(answer_of(analysed).notice.split()) in " ".join(painted.split())


def test_what_is_incomplete_says_so(page: Page) -> None:
    answer_with(page, response(timeline()), breaks_off=True)
    page.get_by_role("button", name="Happy face").click()
    page.locator("#analyse").click()
    expect(page.get_by_text("The answer is incomplete, and the files say so.")).to_be_visible()
    name, content = saved(page, "JSON")
    assert name == "happy_face.emotion.incomplete.json"
    assert content.startswith(b'{\n  "complete": false')
    assert b"\n\nNOTE This timeline is incomplete.\n\n" in saved(page, "WebVTT")[1]


def test_without_a_timeline_only_json_can_be_saved(page: Page) -> None:
    answer = response(timeline()).model_copy(update={"timeline": None})
    answer_with(page, answer)
    page.get_by_label("Timeline").uncheck()
    analyse_sample(page)
    for form in ("CSV", "WebVTT", "SRT", "PNG"):
        expect(page.get_by_role("button", name=form, exact=True)).to_be_disabled()
    assert NOTICE.encode() in saved(page, "JSON")[1]
