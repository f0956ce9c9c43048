"""Live mode in the page: pieces of two seconds, their lag, gaps and end."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.page.answers import response, timeline
from tests.support.page.browser import Visitor
from tests.support.page.camera import (
    agree,
    set_hidden,
    track_states,
    wait_for_pictures,
    watch_camera,
)
from tests.support.waiting import until

PIECE = 2000
"""Milliseconds of a piece; the page's clock is put forward by them."""


class Server:
    """Answers the page's pieces, or holds them back.

    Args:
        page: the page that asks.
    """

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        self.holds = False
        self.seen = 0
        self._page = page
        page.route("**/v1/emotion", self._on_route)

    def _on_route(self, route: Route) -> None:
        self.seen += 1
        if self.holds:
            self.held.append(route)
        else:
            answer(route)

    def wait_for(self, count: int) -> None:
        """Wait until so many pieces have come.

        Raises:
            AssertionError: they have not come within a minute.
        """
        deadline = time.monotonic() + 60
        while self.seen < count:
            assert time.monotonic() < deadline
            self._page.wait_for_timeout(10)


def answer(route: Route) -> None:
    found = response(timeline()).model_copy(update={"timeline": None})
    route.fulfill(body=found.model_dump_json(), content_type="application/json")


def begin(page: Page) -> None:
    agree(page, "Start the camera")
    expect(page.get_by_text("Sending pieces of 2 s to this server")).to_be_visible()


@pytest.fixture(scope="module")
def camera_tab(shared: Visitor) -> Page:
    context = shared.context()
    watch_camera(context)
    tab = context.new_page()
    tab.clock.install()
    return tab


@pytest.fixture
def live(shared: Visitor, camera_tab: Page) -> Iterator[Page]:
    """The view, in a page with a clock of its own."""
    with shared.visit(camera_tab, "/#/live") as page:
        yield page


@pytest.fixture
def server_of(live: Page) -> Server:
    return Server(live)


def pass_piece(page: Page, server: Server) -> None:
    """Let a piece be recorded and sent."""
    seen = server.seen
    wait_for_pictures(page)
    page.clock.fast_forward(PIECE)
    server.wait_for(seen + 1)


def test_windows_appear_with_their_lag_and_stopping_ends_the_camera(
    live: Page, server_of: Server
) -> None:
    begin(live)
    pass_piece(live, server_of)
    expect(live.get_by_text(re.compile(r"answered [\d.]+ s later"))).to_be_visible()
    expect(live.get_by_text("1 window", exact=True)).to_be_visible()
    pass_piece(live, server_of)
    expect(live.get_by_text("2 windows", exact=True)).to_be_visible()
    assert track_states(live) == {"live"}
    live.get_by_role("button", name="Stop").click()
    expect(live.get_by_text("Stopped. The camera is off.", exact=True)).to_be_visible()
    assert track_states(live) == {"ended"}
    with live.expect_download() as download:
        live.get_by_role("button", name="CSV").click()
    assert len(download.value.path().read_text("utf-8").splitlines()) == 3


def test_a_slow_server_gets_two_pieces_at_once_and_misses_others(
    live: Page, server_of: Server
) -> None:
    server_of.holds = True
    begin(live)
    pass_piece(live, server_of)
    pass_piece(live, server_of)
    for _ in range(2):
        wait_for_pictures(live)
        live.clock.fast_forward(PIECE)
    live.wait_for_timeout(150)
    assert server_of.seen == 2
    server_of.holds = False
    answer(server_of.held[0])
    expect(live.get_by_text(re.compile(r"^\d windows? · \d dropped"))).to_be_visible()


def test_a_hidden_tab_pauses_with_a_gap_and_goes_on(live: Page, server_of: Server) -> None:
    begin(live)
    pass_piece(live, server_of)
    expect(live.get_by_text("1 window", exact=True)).to_be_visible()
    set_hidden(live, is_hidden=True)
    assert not live.evaluate("streams[0].getTracks().some((track) => track.enabled)")
    live.clock.fast_forward(4 * PIECE)
    set_hidden(live, is_hidden=False)
    # The page's clock goes on by itself, too: on a busy machine the pause is longer.
    told = live.get_by_text(re.compile(r"^Paused while this tab was hidden \((\d+) s\)\.$"))
    seconds = int("".join(filter(str.isdigit, told.first.inner_text())))
    assert 8 <= seconds < 60
    expect(live.get_by_text(f"1 window · paused {seconds} s")).to_be_visible()
    assert live.evaluate("streams[0].getTracks().every((track) => track.enabled)")
    pass_piece(live, server_of)
    expect(live.get_by_text("2 windows")).to_be_visible()


def test_a_tab_that_is_hidden_for_five_minutes_lets_go_of_the_camera(
    live: Page, server_of: Server
) -> None:
    begin(live)
    set_hidden(live, is_hidden=True)
    live.clock.fast_forward(5 * 60_000)
    set_hidden(live, is_hidden=False)
    expect(live.get_by_text("Stopped, as this tab was hidden for 5 minutes.")).to_be_visible()
    assert track_states(live) == {"ended"}


def test_a_busy_server_makes_live_mode_wait(live: Page, server_of: Server) -> None:
    server_of.holds = True
    begin(live)
    pass_piece(live, server_of)
    error = {"message": "Busy.", "type": "server_error", "param": None, "code": "x"}
    server_of.held[0].fulfill(status=503, json={"error": error}, headers={"Retry-After": "3"})
    expect(live.get_by_text("The server is busy. Trying again in 3 s.")).to_be_visible()
    server_of.holds = False
    live.clock.fast_forward(3000)
    expect(live.get_by_text("Sending pieces of 2 s to this server")).to_be_visible()
    pass_piece(live, server_of)
    expect(live.get_by_text(re.compile(r"1 window · \d+ s without an answer"))).to_be_visible()


def test_another_view_ends_live_mode(live: Page, server_of: Server) -> None:
    begin(live)
    live.get_by_role("link", name="Help").click()
    until(lambda: track_states(live) == {"ended"}, seconds=5)


def test_a_camera_that_is_taken_away_ends_live_mode(live: Page, server_of: Server) -> None:
    begin(live)
    live.evaluate("streams[0].getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    expect(live.get_by_text("Stopped, as the camera or the microphone was taken")).to_be_visible()
    assert track_states(live) == {"ended"}


def test_a_second_tab_is_told_of_the_first(live: Page, server_of: Server) -> None:
    begin(live)
    second = live.context.new_page()
    second.goto("/#/live")
    agree(second, "Start the camera")
    expect(second.get_by_text("Live mode runs in another tab.")).to_be_visible()


def test_the_view_has_no_barriers_and_fits_a_phone(
    live: Page, server_of: Server, axe: Callable[[Page], list[str]]
) -> None:
    assert axe(live) == []
    live.set_viewport_size({"width": 360, "height": 640})
    begin(live)
    pass_piece(live, server_of)
    expect(live.get_by_text("1 window", exact=True)).to_be_visible()
    assert axe(live) == []
    assert live.evaluate("document.documentElement.scrollWidth") == 360
