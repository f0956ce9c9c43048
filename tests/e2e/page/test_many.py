"""Many clips in the page: a queue of four at once, a table, and what is saved of it."""

import csv
import io
import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.support.page.answers import response, timeline
from tests.support.page.browser import Visitor

CLIPS = 40
BROKEN = ("clip7.mp4", "clip31.mp4")
COUNT_URLS = """
window.alive = new Set();
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (blob) => {
  const url = createObjectURL.call(URL, blob);
  alive.add(url);
  return url;
};
URL.revokeObjectURL = (url) => {
  alive.delete(url);
  revokeObjectURL.call(URL, url);
};
"""


class Requests:
    """The page's requests for analyses, which wait until they are answered.

    Args:
        page: the page that asks.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.waiting: list[Route] = []
        self.seen = self.most = self._under_way = 0
        page.route("**/v1/emotion", self._on_route)

    def _on_route(self, route: Route) -> None:
        self.waiting.append(route)
        self.seen += 1
        self._under_way += 1
        self.most = max(self.most, self._under_way)

    def wait_for(self, count: int) -> None:
        """Wait until so many are unanswered."""
        while len(self.waiting) < count:
            self.page.wait_for_timeout(10)

    def answer(self) -> None:
        """Answer those that wait: broken clips with an error, all others with a label."""
        waiting, self.waiting = self.waiting, []
        for route in waiting:
            self._under_way -= 1
            sent = route.request.post_data_buffer or b""
            if any(f'filename="{name}"'.encode() in sent for name in BROKEN):
                refuse(route, 400, "The sound of this clip is damaged.")
            else:
                found = response(timeline()).model_copy(update={"timeline": None})
                route.fulfill(body=found.model_dump_json(), content_type="application/json")


def refuse(route: Route, status: int, message: str, **headers: str) -> None:
    error = {"message": message, "type": "invalid_request_error", "param": "video", "code": "x"}
    route.fulfill(status=status, json={"error": error}, headers=headers)


def clips(count: int) -> list[FilePayload]:
    return [
        {"name": f"clip{index + 1}.mp4", "mimeType": "video/mp4", "buffer": b"clip"}
        for index in range(count)
    ]


@pytest.fixture(scope="module")
def counting_tab(shared: Visitor) -> Page:
    tab = shared.context().new_page()
    tab.add_init_script(COUNT_URLS)
    return tab


@pytest.fixture
def many(shared: Visitor, counting_tab: Page) -> Iterator[Page]:
    """The view of many clips, in a page that counts its object URLs."""
    with shared.visit(counting_tab, "/#/many") as page:
        yield page


@pytest.fixture
def requests(many: Page) -> Requests:
    return Requests(many)


def names(page: Page) -> Locator:
    """Return the cells with the clips' names, in the order of the table."""
    return page.locator("tbody th")


def saved(page: Page, form: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=form, exact=True).click()
    return download.value.path().read_text(encoding="utf-8")


def test_all_clips_end_four_at_once_and_are_sorted_saved_and_opened(
    many: Page, requests: Requests
) -> None:
    many.set_input_files("#files", clips(CLIPS))
    while requests.seen < CLIPS:
        requests.wait_for(1)
        requests.answer()
    requests.answer()
    expect(many.locator(".many-counts")).to_have_text(f"{CLIPS - 2} of {CLIPS} done · 2 failed")
    assert requests.most <= 4

    many.get_by_role("button", name="State").click()
    expect(names(many).first).to_have_text(BROKEN[0])
    expect(names(many).nth(1)).to_have_text(BROKEN[1])
    many.get_by_role("button", name="Name").click()
    expect(names(many)).to_have_text([clip["name"] for clip in clips(CLIPS)])
    many.get_by_role("button", name="Name").click()
    expect(names(many).first).to_have_text(f"clip{CLIPS}.mp4")
    expect(many.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "descending"
    )

    table = list(csv.DictReader(io.StringIO(saved(many, "CSV").removeprefix("\ufeff"))))
    assert len(table) == CLIPS
    assert sum(bool(row["error"]) for row in table) == 2
    lines = [json.loads(line) for line in saved(many, "JSON Lines").splitlines()]
    assert len(lines) == CLIPS

    many.evaluate("alive.clear()")  # downloads keep theirs for a minute
    for name in ("clip1.mp4", "clip2.mp4"):
        many.get_by_role("link", name="Many clips").click()
        many.get_by_role("button", name=f"Open {name}").click()
        expect(many.locator(".clip-name")).to_have_text(name)
        expect(many.get_by_role("heading", name="Evidence")).to_be_visible()
        assert many.evaluate("alive.size") == 1


def test_a_failed_clip_is_tried_again(many: Page, requests: Requests) -> None:
    many.set_input_files("#files", clips(1))
    requests.wait_for(1)
    refuse(requests.waiting.pop(), 400, "The sound of this clip is damaged.")
    expect(many.get_by_role("row", name="clip1.mp4")).to_contain_text("The sound of this clip")
    many.get_by_role("button", name="Retry failed").click()
    requests.wait_for(1)
    requests.answer()
    expect(many.locator(".many-counts")).to_have_text("1 of 1 done")


def test_a_paused_batch_sends_nothing_more_until_it_goes_on(many: Page, requests: Requests) -> None:
    many.set_input_files("#files", clips(6))
    requests.wait_for(4)
    many.get_by_role("button", name="Pause").click()
    requests.answer()
    expect(many.locator(".many-counts")).to_have_text("4 of 6 done")
    assert requests.seen == 4
    many.get_by_role("button", name="Go on").click()
    requests.wait_for(2)
    requests.answer()
    expect(many.locator(".many-counts")).to_have_text("6 of 6 done")


def test_a_refusal_for_too_many_requests_pauses_the_batch_as_a_whole(
    many: Page, requests: Requests
) -> None:
    many.set_input_files("#files", clips(6))
    requests.wait_for(4)
    waiting, requests.waiting = requests.waiting, []
    for route in waiting:
        refuse(route, 429, "Too many requests.", **{"Retry-After": "2"})
    expect(many.get_by_text("Too many requests. Going on in 2 s.")).to_be_visible()
    expect(many.get_by_text("Too many requests. Going on in 1 s.")).to_be_visible()
    assert requests.seen == 4
    requests.wait_for(4)
    requests.answer()
    requests.wait_for(2)
    requests.answer()
    expect(many.locator(".many-counts")).to_have_text("6 of 6 done")


def test_what_is_no_clip_is_left_out_and_a_clip_is_added_once(
    many: Page, requests: Requests
) -> None:
    text: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"}
    many.set_input_files("#files", [*clips(1), text])
    expect(many.get_by_text("1 file was left out: it is no clip.")).to_be_visible()
    expect(names(many)).to_have_text(["clip1.mp4"])
    many.get_by_role("button", name="Remove clip1.mp4").click()
    expect(many.get_by_text("No clips yet.")).to_be_visible()


def test_dropped_files_are_added(many: Page, requests: Requests) -> None:
    many.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(['a'], 'a.mp4'));
          dataTransfer.items.add(new File(['b'], 'b.mkv'));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
        }"""
    )
    expect(names(many)).to_have_text(["a.mp4", "b.mkv"])


def test_the_view_has_no_barriers_and_fits_a_phone(
    many: Page, requests: Requests, axe: Callable[[Page], list[str]]
) -> None:
    assert axe(many) == []
    many.set_input_files("#files", clips(7))
    requests.wait_for(4)
    assert axe(many) == []
    requests.answer()
    requests.wait_for(3)
    requests.answer()
    expect(many.get_by_role("row", name="clip7.mp4")).to_contain_text("failed")
    many.set_viewport_size({"width": 360, "height": 640})
    assert axe(many) == []
    assert many.evaluate("document.documentElement.scrollWidth") == 360
