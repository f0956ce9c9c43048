"""Clips that the server reads itself: by a path, or by a URL."""

from pathlib import Path

from playwright.sync_api import Page, expect

from emotion_llama_vllm import demo_files
from tests.support.page.answers import answer_with, response, timeline

SAMPLE = demo_files.clips() / "happy_face.mp4"


def name_clip(page: Page, button: str, label: str, name: str) -> None:
    page.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(label).fill(name)
    dialog.get_by_role("button", name="Use this clip").click()
    expect(page.locator(".clip-name")).to_have_text(name)


def test_a_path_is_answered_as_the_file(page: Page, media_root: Path) -> None:
    headlines: list[str] = []
    for take in (
        lambda: name_clip(page, "On the server", "Path", "clip0.mp4"),
        lambda: page.locator("#file").set_input_files(media_root / "clip0.mp4"),
    ):
        take()
        page.locator("#analyse").click()
        expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=60_000)
        headlines.append(page.locator(".headline").inner_text())
    assert headlines[0] == headlines[1]


def test_a_clip_on_the_server_has_no_preview_but_a_timeline(page: Page) -> None:
    answer_with(page, response(timeline()))
    name_clip(page, "On the server", "Path", "happy_face.mp4")
    expect(page.get_by_text("The clip is on the server: no preview here.")).to_be_visible()
    page.locator("#analyse").click()
    position = page.locator(".tl").get_by_role("slider", name="Position in the clip")
    before = position.get_attribute("aria-valuetext")
    position.press("ArrowRight")
    expect(position).not_to_have_attribute("aria-valuetext", before or "")
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Play a copy of mine").click()
    chooser.value.set_files(SAMPLE)
    expect(page.locator("main video").first).to_be_visible()
    expect(page.locator(".headline")).to_be_visible()


def test_the_server_says_why_it_takes_no_url(page: Page) -> None:
    name_clip(page, "From a URL", "Address", "https://not-allowed.example/clip.mp4")
    page.locator("#analyse").click()
    alert = page.get_by_role("alert")
    expect(alert).to_be_visible(timeout=60_000)
    expect(alert.locator("[lang=en]")).to_be_visible()
    expect(page.locator("[data-param=video]").first).to_be_focused()
