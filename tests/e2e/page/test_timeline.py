"""The timeline and the player: one position, by pointer and keyboard, in chart and table."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from devtools.server import Server
from tests.support.page.answers import LABELS, analyse_sample, answer_with, response, timeline
from tests.support.page.browser import Visitor
from tests.support.waiting import until


@pytest.fixture(scope="module")
def answered(browser: Browser, server: Server) -> Iterator[Page]:
    """A sample of 2.667 s with five windows; the picture at 0.5 s stands for the whole."""
    visitor = Visitor(browser, server.url)
    page = visitor.open()
    answer_with(page, response(timeline(), frame_time=0.5))
    analyse_sample(page)
    yield page
    visitor.close()


@pytest.fixture
def analysed(answered: Page) -> Page:
    """The same page for all tests, at the start of the clip."""
    answered.evaluate("document.querySelector('video').pause()")
    answered.get_by_role("button", name="Chart").click()
    answered.get_by_label("Speed").select_option("1")
    position(answered).press("Home")
    until(lambda: time_of(answered) == 0, seconds=5)
    return answered


def time_of(page: Page) -> float:
    """Return where the player is, in seconds."""
    return page.evaluate("document.querySelector('video').currentTime")


def is_paused(page: Page) -> bool:
    return page.evaluate("document.querySelector('video').paused")


def reaches(page: Page, time: float, within: float = 0.05) -> None:
    """Wait until the player is at a time."""
    until(lambda: abs(time_of(page) - time) < within, seconds=5)


def position(page: Page) -> Locator:
    return page.locator(".tl").get_by_role("slider", name="Position in the clip")


def left_of(locator: Locator) -> float:
    return locator.evaluate("(element) => element.getBoundingClientRect().x")


def drawn_at(page: Page) -> float:
    """Return the time at which the playhead is drawn, by the places of two ticks."""
    return page.evaluate(
        """() => {
          const x = (mark) => mark.getBoundingClientRect().x;
          const [zero, half] = document.querySelectorAll('.tl-tick');
          const line = document.querySelector('.tl-head line');
          return 0.5 * (x(line) - x(zero)) / (x(half) - x(zero));
        }"""
    )


def test_playing_moves_the_playhead(analysed: Page) -> None:
    bar = analysed.locator(".player")
    bar.get_by_role("button", name="Play", exact=True).click()
    until(lambda: time_of(analysed) > 1, seconds=5)
    until(lambda: drawn_at(analysed) > 1, seconds=5)
    bar.get_by_role("button", name="Pause", exact=True).click()
    expect(bar.get_by_role("button", name="Play", exact=True)).to_be_visible()
    until(lambda: abs(drawn_at(analysed) - time_of(analysed)) < 0.05, seconds=1)


@pytest.mark.parametrize("place", [".player", ".tl"])
def test_pause_pauses_even_if_the_clip_ends_just_before_it(analysed: Page, place: str) -> None:
    analysed.get_by_label("Speed").select_option("0.25")  # so it does not end by itself
    buttons = analysed.locator(place)
    buttons.get_by_role("button", name="Play", exact=True).click()
    pause = buttons.get_by_role("button", name="Pause", exact=True)
    # Nothing is drawn between the two, as nothing is between the clip's end and a quick click.
    stopped = pause.evaluate("""(button) => {
      const video = document.querySelector('video');
      video.pause();
      button.click();
      return video.currentTime;
    }""")
    expect(pause).to_be_hidden()
    assert abs(time_of(analysed) - stopped) < 0.05


@pytest.mark.parametrize("y", [10, 60, 150], ids=["window", "lane", "another lane"])
def test_a_click_into_the_chart_seeks_to_its_time(analysed: Page, y: int) -> None:
    chart, ticks = analysed.locator(".tl-chart"), analysed.locator(".tl-tick")
    between = (left_of(ticks.nth(2)) + left_of(ticks.nth(4))) / 2  # 1 s and 2 s
    chart.click(position={"x": between - left_of(chart), "y": y})
    reaches(analysed, 1.5)
    assert abs(drawn_at(analysed) - 1.5) < 0.05


def test_a_row_of_the_table_plays_from_its_start(analysed: Page) -> None:
    analysed.get_by_role("button", name="Table").click()
    analysed.get_by_label("Speed").select_option("0.25")
    analysed.get_by_role("button", name="Play from 1 s").click()
    reaches(analysed, 1)
    assert not is_paused(analysed)
    analysed.locator(".player").get_by_role("button", name="Pause", exact=True).click()
    expect(analysed.locator("tr[aria-current]")).to_have_attribute("data-row", "1")
    expect(analysed.locator("tr.tl-at")).to_have_count(2)  # from 0.5 s, and from 1 s


def test_the_table_has_the_numbers_of_the_chart(analysed: Page) -> None:
    windows = timeline()
    shares = []
    for _ in windows:
        shares.append(analysed.locator(".tl-share").all_text_contents())
        position(analysed).press("ArrowRight")
    analysed.get_by_role("button", name="Table").click()
    rows = analysed.locator(".tl-table tbody tr")
    expect(rows).to_have_count(len(windows))
    for index, row in enumerate(rows.all()):
        cells = row.locator("td").all_text_contents()[2 : 2 + len(LABELS)]
        assert [cell.replace("under ", "<").replace("over ", ">") for cell in cells] == shares[
            index
        ]


def test_the_position_is_told_in_words(analysed: Page) -> None:
    first = "0 s of 2.7 s, window 1 of 5, angry 54 %"
    expect(position(analysed)).to_have_attribute("aria-valuetext", first)
    position(analysed).press("ArrowRight")
    expect(position(analysed)).to_have_attribute("aria-valuetext", re.compile("window 2 of 5"))
    position(analysed).press("End")
    last = re.compile("^2.7 s of 2.7 s, window 5 of 5")
    expect(position(analysed)).to_have_attribute("aria-valuetext", last)


def test_the_chart_is_told_in_a_sentence(analysed: Page) -> None:
    sentence = (
        "2.7 s in 5 windows: angry to 0.8 s, worried to 1.3 s, neutral to 1.8 s, worried to the"
    )
    expect(analysed.get_by_role("img", name=re.compile(f"^{sentence}"))).to_be_visible()


def test_keys_lead_through_the_clip(analysed: Page) -> None:
    position(analysed).focus()
    for key, time in {
        "]": 0.75,  # where another label begins to lead
        "ArrowRight": 1.5,  # the middle of the third window
        "Shift+ArrowLeft": 1.4,
        "[": 1.25,
        "f": 0.502,  # the frame that was used
        "Home": 0.0,
    }.items():
        analysed.keyboard.press(key)
        reaches(analysed, time, within=0.005)
    analysed.keyboard.press(".")
    expect(analysed.get_by_label("Speed")).to_have_value("1.5")
    analysed.keyboard.press(" ")
    until(lambda: time_of(analysed) > 0.2, seconds=5)
    analysed.keyboard.press(" ")
    assert is_paused(analysed)


def test_a_window_is_played_again_and_again(analysed: Page) -> None:
    analysed.get_by_label("Speed").select_option("2")
    position(analysed).press("ArrowRight")  # the window from 0.5 to 1.5 s
    loop = analysed.get_by_role("button", name="Loop window")
    loop.click()
    until(lambda: time_of(analysed) > 1.2, seconds=5)
    until(lambda: time_of(analysed) < 0.9, seconds=5)
    assert not is_paused(analysed)
    loop.click()
    until(lambda: time_of(analysed) > 1.7, seconds=5)


def test_the_used_frame_is_marked_and_shown(analysed: Page) -> None:
    mark, tick = analysed.locator(".tl-frame path"), analysed.locator(".tl-tick").nth(1)
    assert abs(left_of(mark) + 6 - left_of(tick)) < 2  # at 0.5 s
    # The frame at 0 may be painted again before that of the button.
    shown = analysed.evaluate_handle("""() => ({ time: new Promise((resolve) => {
      const video = document.querySelector('video');
      const look = (_, frame) => frame.mediaTime > 0
        ? resolve(frame.mediaTime) : video.requestVideoFrameCallback(look);
      video.requestVideoFrameCallback(look);
    }) })""")
    analysed.get_by_role("button", name=re.compile("^Show")).click()
    assert abs(shown.evaluate("({ time }) => time") - 0.5) <= 1 / 12
    assert is_paused(analysed)
    expect(analysed.get_by_text("The model saw this frame.")).to_be_visible()
    position(analysed).press("Home")
    expect(analysed.get_by_text("The model saw this frame.")).to_be_hidden()


def test_the_small_picture_shows_the_used_frame(analysed: Page) -> None:
    """A blank one has a single colour."""
    colours = """() => {
      const canvas = document.querySelector('.frame-picture');
      if (!canvas.width) return 0;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }"""
    until(lambda: analysed.evaluate(colours) > 100, seconds=5)


def test_chart_and_table_have_no_barriers(analysed: Page, axe: Callable[[Page], list[str]]) -> None:
    assert axe(analysed) == []
    analysed.get_by_role("button", name="Table").click()
    analysed.get_by_text("Copy this request").click()
    assert axe(analysed) == []


def test_of_64_labels_seven_have_lanes_and_the_table_has_all(page: Page) -> None:
    labels = [f"label {index}" for index in range(64)]
    answer_with(page, response(timeline(labels)))
    analyse_sample(page)
    names = page.locator(".tl-chart g .tl-name").all_text_contents()
    assert [name.strip() for name in names][7:] == ["other (57)"]
    page.get_by_role("button", name="Table").click()
    for label in (labels[0], labels[63]):
        expect(page.get_by_role("columnheader", name=label, exact=True)).to_be_attached()


def test_a_part_of_a_long_clip_is_seen_closer(page: Page) -> None:
    answer_with(page, response(timeline(seconds=600, window=5, step=2.5)))
    analyse_sample(page)
    expect(position(page)).to_have_attribute("max", "600")
    page.get_by_role("button", name="Zoom in").click()
    expect(position(page)).to_have_attribute("max", "300")
    page.get_by_role("slider", name="Visible part").fill("450")
    expect(position(page)).to_have_attribute("min", "300")
    page.get_by_role("button", name="Whole clip").click()
    expect(position(page)).to_have_attribute("max", "600")


def test_windows_stay_when_the_answer_breaks_off(page: Page) -> None:
    answer_with(page, response(timeline()), breaks_off=True)
    page.get_by_role("button", name="Happy face").click()
    page.locator("#analyse").click()
    expect(page.locator(".tl-chart")).to_be_visible()
    expect(page.get_by_text("The answer is incomplete, and the files say so.")).to_be_visible()


def test_a_clip_on_the_server_has_a_timeline_without_a_preview(page: Page) -> None:
    answer_with(page, response(timeline()))
    page.get_by_role("button", name="On the server").click()
    page.get_by_label("Path").fill("clip0.mp4")
    page.get_by_role("button", name="Use this clip").click()
    expect(page.get_by_text("The clip is on the server: no preview here.")).to_be_visible()
    page.locator("#analyse").click()
    expect(page.locator(".tl-chart")).to_be_visible()
    position(page).press("ArrowRight")
    expect(position(page)).to_have_attribute("aria-valuetext", re.compile("window 2 of 5"))
    page.get_by_role("button", name="Table").click()
    page.get_by_role("button", name="Go to 1.67 s").click()
    expect(page.locator("tr.tl-at").last).to_have_attribute("data-row", "4")
