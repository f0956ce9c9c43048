"""An answer that comes in parts, and a clip that takes its time to be sent."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from emotion_llama.schema import EmotionEvent, ExplanationDelta
from tests.support.page.answers import response, timeline
from tests.support.page.browser import Visitor
from tests.support.page.server import PacedAnswers, paced_answers
from tests.support.waiting import until

ANSWER = response(timeline())
EMOTION = EmotionEvent.model_validate(ANSWER.model_dump(include=set(EmotionEvent.model_fields)))
MEGABYTES = 12


@pytest.fixture(scope="module")
def served(browser: Browser) -> Iterator[tuple[PacedAnswers, Visitor, Page]]:
    with paced_answers() as (answers, url):
        visitor = Visitor(browser, url)
        # With less motion the words come sentence by sentence.
        yield answers, visitor, visitor.context(reduced_motion="no-preference").new_page()
        visitor.close()


@pytest.fixture
def paced(
    served: tuple[PacedAnswers, Visitor, Page],
) -> Iterator[tuple[PacedAnswers, Page]]:
    answers, visitor, tab = served
    answers.begin()
    with visitor.visit(tab) as page:
        yield answers, page
        answers.end()


def test_what_has_come_is_shown_before_the_rest(paced: tuple[PacedAnswers, Page]) -> None:
    answers, page = paced
    page.get_by_role("button", name="Happy face").click()
    page.locator("#analyse").click()
    bars = page.locator(".bar")
    expect(page.get_by_text("The server is reading the clip")).to_be_visible()
    expect(bars).to_have_count(0)
    answers.send(EMOTION)
    expect(bars).to_have_count(6)
    wrote = page.locator(".explanation")
    answers.send(ExplanationDelta(delta="The face "))
    expect(wrote).to_have_text("The face")
    expect(page.locator("[aria-busy=true]")).to_have_count(1)
    answers.send(ExplanationDelta(delta="smiles."), *reversed(ANSWER.timeline or []))
    expect(wrote).to_have_text("The face smiles.")
    page.get_by_role("button", name="Table").click()
    rows = page.locator(".tl tbody tr")
    expect(rows).to_have_count(len(ANSWER.timeline or []))
    starts = [float(re.sub(r"[^\d.]", "", text)) for text in rows.locator("th").all_inner_texts()]
    assert starts == sorted(starts)
    expect(page.get_by_text("Answering …")).to_be_visible()
    answers.send(ANSWER)
    answers.end()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    expect(wrote).to_have_text(ANSWER.explanation or "")
    expect(page.get_by_role("status")).to_contain_text("Done.")


@contextmanager
def slow_upload(page: Page, tmp_path: Path) -> Iterator[None]:
    """Begin to send a clip of so many megabytes over a line that is slow until the block ends."""
    clip = tmp_path / "long.mp4"
    clip.write_bytes(bytes(MEGABYTES * 1_000_000))
    page.locator("#file").set_input_files(clip)
    line = page.context.new_cdp_session(page)
    line.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": MEGABYTES * 500_000,
        },
    )
    page.locator("#analyse").click()
    yield
    line.detach()


def test_an_upload_shows_growing_megabytes(
    paced: tuple[PacedAnswers, Page], tmp_path: Path
) -> None:
    answers, page = paced
    told = page.locator(".progress p")
    seen: list[float] = []

    def is_sent() -> bool:
        text = told.inner_text()
        if found := re.match(r"Sending ([\d.]+) of 12\.0 MB", text):
            seen.append(float(found[1]))
        return text.startswith("Sent.")

    with slow_upload(page, tmp_path):
        until(is_sent, seconds=15, pause=0.05)
    assert len(set(seen)) >= 3
    assert seen == sorted(seen)
    until(lambda: answers.received != [], seconds=5)


def test_an_upload_can_be_cancelled(paced: tuple[PacedAnswers, Page], tmp_path: Path) -> None:
    answers, page = paced
    page.get_by_text("More options").click()
    page.get_by_label("Transcript").fill("I know.")
    with slow_upload(page, tmp_path):
        page.locator(".progress", has_text="Sending").wait_for()
        page.locator(".progress").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("Cancelled.")
    until(lambda: answers.gone, seconds=5)
    assert answers.received == []
    expect(page.get_by_label("Transcript")).to_have_value("I know.")
    expect(page.locator("#analyse")).to_be_focused()
    expect(page.locator("#analyse")).to_have_attribute("aria-disabled", "false")
