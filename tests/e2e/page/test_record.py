"""Recording in the page: consent, camera and microphone, and what can be wrong with them."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.page.browser import Visitor
from tests.support.page.camera import (
    Missing,
    agree,
    open_recording,
    set_hidden,
    take_away,
    track_states,
    watch_camera,
)
from tests.support.waiting import until

PROBLEMS: dict[Missing, str] = {
    "NotAllowedError": "The camera was refused. Allow it in the address bar, then try again.",
    "NotFoundError": "No camera and no microphone found.",
    "NotReadableError": "Another program is using the camera.",
}
GREY = "No camera found. A grey picture is sent; only the voice counts."


@pytest.fixture(scope="module")
def camera_tab(shared: Visitor) -> Page:
    context = shared.context()
    watch_camera(context)
    return context.new_page()


@pytest.fixture
def page(shared: Visitor, camera_tab: Page) -> Iterator[Page]:
    """The page, whose camera and microphone a test can take away."""
    with shared.visit(camera_tab) as opened:
        yield opened


def record(page: Page, seconds: float = 0.8) -> None:
    page.locator("#record-start").click()
    expect(page.get_by_text("Recording 0:0")).to_be_visible()
    page.wait_for_timeout(seconds * 1000)
    page.locator("#record-stop").click()
    expect(page.locator(".clip-name")).to_contain_text("recording")


def analyse(page: Page) -> None:
    page.locator("#analyse").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=60_000)


def test_a_recording_becomes_the_clip_and_is_analysed(page: Page) -> None:
    open_recording(page)
    assert track_states(page) == {"live"}
    record(page)
    assert track_states(page) == {"ended"}
    expect(page.locator("#analyse")).to_be_focused()
    expect(page.locator(".clip")).to_have_text(re.compile(r"/ 0:0\d\.\d"))
    analyse(page)
    expect(page.get_by_text("This model knows drawn faces only.")).to_be_visible()


def test_the_camera_starts_only_after_agreement(page: Page) -> None:
    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name="Use camera and microphone").click()
    assert page.evaluate("streams.length") == 0
    expect(page.get_by_text("Nothing leaves this browser until you press Analyse.")).to_be_visible()


def test_a_camera_that_cannot_be_had_is_told(page: Page) -> None:
    page.get_by_role("button", name="Record").click()
    page.get_by_label("Everyone in the picture has agreed.").check()
    for error, words in PROBLEMS.items():
        take_away(page, video=error, audio=error)
        page.get_by_role("button", name="Use camera and microphone").click()
        expect(page.get_by_role("alert").get_by_text(words)).to_be_visible()


def test_an_insecure_page_is_told(page: Page) -> None:
    page.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.get_by_role("button", name="Record").click()
    words = "Browsers give the camera only to https pages or to localhost."
    expect(page.get_by_text(words)).to_be_visible()


def test_a_microphone_alone_is_recorded_with_a_grey_picture(page: Page) -> None:
    take_away(page, video="NotFoundError")
    open_recording(page)
    expect(page.get_by_text(GREY)).to_be_visible()
    record(page)
    assert track_states(page) == {"ended"}
    until(lambda: page.evaluate("document.querySelector('video').readyState") >= 2, seconds=5)
    red, green, blue = page.evaluate(
        """() => {
          const context = new OffscreenCanvas(1, 1).getContext('2d');
          context.drawImage(document.querySelector('video'), 0, 0, 1, 1);
          return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    assert max(abs(shade - 128) for shade in (red, green, blue)) < 12


def test_a_camera_alone_has_no_sound(page: Page) -> None:
    take_away(page, audio="NotFoundError")
    open_recording(page)
    expect(page.get_by_text("No microphone found. The clip has no sound.")).to_be_visible()


def test_a_hidden_tab_ends_the_recording_and_keeps_it(page: Page) -> None:
    open_recording(page)
    page.locator("#record-start").click()
    page.wait_for_timeout(500)
    set_hidden(page, is_hidden=True)
    expect(page.locator(".clip-name")).to_contain_text("recording")
    assert track_states(page) == {"ended"}


def test_closing_lets_go_of_the_camera(page: Page) -> None:
    open_recording(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    until(lambda: track_states(page) == {"ended"}, seconds=5)
    expect(page.get_by_role("button", name="Record")).to_be_focused()


def test_another_device_can_be_chosen(page: Page) -> None:
    open_recording(page)
    page.get_by_label("Camera", exact=True).select_option("None (a grey picture)")
    expect(page.get_by_text("Without a camera: a grey picture is sent")).to_be_visible()
    page.keyboard.press("Escape")
    until(lambda: track_states(page) == {"ended"}, seconds=5)


def test_the_dialog_has_no_barriers(page: Page, axe: Callable[[Page], list[str]]) -> None:
    page.get_by_role("button", name="Record").click()
    assert axe(page) == []
    agree(page, "Use camera and microphone")
    expect(page.locator("#record-start")).to_be_enabled()
    assert axe(page) == []
