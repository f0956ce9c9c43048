"""Clips of other kinds in the player: late first frames, pictures, and what no browser plays."""

from pathlib import Path

import av
from PIL import Image
from playwright.sync_api import Page, expect

from devtools.media import Recipe, write_clip
from tests.support.page.answers import answer_with, response, take_sample, timeline
from tests.support.waiting import until


def write_late(source: Path, target: Path, delay: float) -> None:
    """Write a clip whose picture begins later than its sound."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        streams = {s.index: made.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.dts is None or packet.pts is None:
                continue
            if packet.stream.type == "video":
                assert packet.time_base
                packet.pts += round(delay / packet.time_base)
                packet.dts += round(delay / packet.time_base)
            packet.stream = streams[packet.stream.index]
            made.mux(packet)


def test_times_count_from_the_first_frame(page: Page, tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", Recipe(seconds=2))
    write_late(tmp_path / "clip.mp4", tmp_path / "late.mp4", 0.5)
    answer_with(page, response(timeline(seconds=2)))
    page.locator("#file").set_input_files(tmp_path / "late.mp4")
    expect(page.locator(".player-time")).to_have_text("0:00.0 / 0:02.0")
    page.locator("#analyse").click()
    page.get_by_role("button", name="Used frame").click()
    shown = "document.querySelector('video').currentTime"
    until(lambda: abs(page.evaluate(shown) - 0.502) < 0.005, seconds=5)
    expect(page.locator(".tl-range")).to_have_value("0.002")


def test_a_picture_is_shown_and_has_no_timeline(page: Page, tmp_path: Path) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.post_data or ""))
    answer_with(page, response(timeline()).model_copy(update={"timeline": None}))
    pixel = """() => document.querySelector('.player-picture')?.getContext('2d')
      .getImageData(1, 1, 1, 1).data[0]"""
    for red in (100, 200):  # the second picture replaces the first
        Image.new("RGB", (8, 8), (red, 0, 0)).save(tmp_path / "picture.png")
        page.locator("#file").set_input_files(tmp_path / "picture.png")
        until(lambda red=red: page.evaluate(pixel) == red, seconds=5)
    page.locator("#analyse").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    expect(page.locator(".tl")).to_have_count(0)
    assert not [body for body in requests if "timeline" in body]


def test_what_is_being_typed_stays_while_the_clip_plays(page: Page) -> None:
    take_sample(page)
    page.get_by_text("More options").click()
    typed = {"Labels": "glad, gloomy", "Step, s": "0.5"}
    for name, text in typed.items():
        field = page.get_by_label(name, exact=True)
        field.press_sequentially(text)
        page.evaluate("document.querySelector('video').play()")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.evaluate("document.querySelector('video').pause()")
        expect(page.get_by_role("button", name="Play")).to_be_visible()
        expect(field).to_have_value(text)


def test_a_clip_that_the_browser_cannot_play_can_be_analysed(page: Page, tmp_path: Path) -> None:
    write_clip(tmp_path / "old.avi", Recipe("avi", "mpeg4", "libmp3lame"))
    answer_with(page, response(timeline()))
    page.locator("#file").set_input_files(tmp_path / "old.avi")
    expect(page.get_by_text("This browser cannot play the clip.")).to_be_visible()
    page.locator("#analyse").click()
    expect(page.locator(".tl-chart")).to_be_visible()
