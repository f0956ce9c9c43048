"""The jobs of the server in the page: listed, cancelled, followed, and saved as tables."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.support.page.answers import response, timeline
from tests.support.page.browser import Visitor

OVER = {
    "id": "batch_1",
    "status": "completed",
    "output_file_id": "file-1",
    "error_file_id": "file-2",
    "request_counts": {"total": 2, "completed": 1, "failed": 1},
}
RUNNING = {
    "id": "batch_2",
    "status": "in_progress",
    "request_counts": {"total": 40, "completed": 10, "failed": 0},
}
FAILED = {
    "id": "batch_3",
    "status": "failed",
    "errors": {"data": [{"line": 3, "message": "The line is no JSON object."}]},
    "request_counts": {"total": 0, "completed": 0, "failed": 0},
}


def batch(**given: Any) -> dict[str, Any]:
    """Return a batch as the server tells it."""
    unset = dict.fromkeys(("output_file_id", "error_file_id", "errors"))
    return unset | {"endpoint": "/v1/emotion", "created_at": 1_800_000_000} | given


def result(name: str, status: int, body: Any) -> str:
    response = {"status_code": status, "request_id": "r", "body": body}
    return json.dumps({"custom_id": name, "response": response, "error": None}) + "\n"


class Jobs:
    """Answers the page's requests about files and batches.

    Args:
        page: the page that asks.
        batches: what the server has.
    """

    def __init__(self, page: Page, *batches: dict[str, Any]) -> None:
        self.batches = {given["id"]: batch(**given) for given in batches}
        self.asked: list[str] = []
        page.route("**/v1/batches**", self._on_batches)
        page.route("**/v1/files/*/content", self._on_content)

    def _on_batches(self, route: Route) -> None:
        path = route.request.url.partition("/v1/batches")[2]
        self.asked.append(f"{route.request.method} {path}")
        if path.startswith("?"):
            page = {"data": list(self.batches.values()), "has_more": False}
            return route.fulfill(json=page | {"last_id": None})
        _, name, *action = path.split("/")
        if action:
            self.batches[name]["status"] = "cancelling"
        return route.fulfill(json=self.batches[name])

    def _on_content(self, route: Route) -> None:
        if "file-1" in route.request.url:
            answer = response(timeline()).model_dump(mode="json")
            return route.fulfill(body=result("a.mp4", 200, answer))
        error = {"message": "damaged", "type": "x", "param": None, "code": "invalid_request"}
        return route.fulfill(body=result("b.mp4", 400, {"error": error}))


def show(page: Page) -> None:
    page.get_by_role("link", name="Many clips").click()
    page.get_by_role("link", name="Jobs of the server").click()
    expect(page.get_by_role("heading", name="Jobs of the server")).to_be_focused()


def test_jobs_are_listed_and_one_is_cancelled(page: Page, axe: Callable[[Page], list[str]]) -> None:
    jobs = Jobs(page, RUNNING, FAILED)
    show(page)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    running, failed = rows.first, rows.last
    expect(running).to_contain_text("in progress")
    expect(running).to_contain_text("10 of 40 done")
    expect(failed).to_contain_text("The line is no JSON object.")
    assert failed.get_by_role("button").count() == 0
    assert axe(page) == []
    running.get_by_role("button", name="Cancel").click()
    expect(running).to_contain_text("being cancelled")
    assert "POST /batch_2/cancel" in jobs.asked


def test_the_results_of_a_job_are_saved_as_those_of_analyze(page: Page) -> None:
    Jobs(page, OVER)
    show(page)
    row = page.locator("tbody tr")
    expect(row).to_contain_text("2 of 2 done · 1 failed")
    with page.expect_download() as table:
        row.get_by_role("button", name="CSV").click()
    assert table.value.suggested_filename == "batch_1.csv"
    rows = list(csv.DictReader(io.StringIO(table.value.path().read_text("utf-8-sig"))))
    assert [(one["video"], one["error"]) for one in rows] == [("a.mp4", ""), ("b.mp4", "damaged")]
    with page.expect_download() as lines:
        row.get_by_role("button", name="JSON Lines").click()
    first = json.loads(lines.value.path().read_text("utf-8").splitlines()[0])
    assert (first["video"], first["emotion"]) == ("a.mp4", rows[0]["emotion"])


def test_jobs_are_told_in_chinese_and_on_a_phone(visitor: Visitor) -> None:
    page = visitor.context(locale="zh-CN", viewport={"width": 360, "height": 740}).new_page()
    Jobs(page)
    page.goto("/#/jobs")
    expect(page.get_by_text("还没有任务。")).to_be_visible()
    Jobs(page, RUNNING)
    page.get_by_role("button", name="刷新").click()
    expect(page.locator("tbody tr")).to_contain_text("进行中")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_server_that_keeps_no_files_shows_no_jobs(page: Page) -> None:
    def without_files(route: Route) -> None:
        served = route.fetch().json()
        served["data"][0]["sources"]["files"] = False
        route.fulfill(json=served)

    page.route("**/v1/models", without_files)
    page.reload()
    page.get_by_role("link", name="Many clips").click()
    expect(page.get_by_role("heading", name="Many clips")).to_be_visible()
    assert page.get_by_role("link", name="Jobs of the server").count() == 0
