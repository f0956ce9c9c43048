"""What the page says and offers when a request fails."""

import json
from itertools import count

from playwright.sync_api import Page, Route, expect

from emotion_llama.schema import ErrorDetail, ErrorResponse, ExplanationDelta
from emotion_llama_server.emotion.formats import server_sent
from tests.support.page.answers import NOTICE, answer_with, response, take_sample, timeline

ANSWER = response(timeline())


def error(message: str, code: str, param: str | None = None) -> ErrorResponse:
    return ErrorResponse(error=ErrorDetail(message=message, type="error", param=param, code=code))


def refuse(page: Page, status: int, body: ErrorResponse, **headers: str) -> None:
    """Have all questions about clips refused."""

    def fulfil(route: Route) -> None:
        kind = {"Content-Type": "application/json"}
        route.fulfill(status=status, body=body.model_dump_json(), headers=kind | headers)

    page.route("**/v1/emotion", fulfil)


def busy_once(page: Page, seconds: int) -> None:
    """Have the first question refused by a server that is busy, and the others answered."""
    answer_with(page, ANSWER)
    numbers = count()

    def fulfil(route: Route) -> None:
        if next(numbers):
            route.fallback()
        else:
            body = error("Busy.", "server_unavailable").model_dump_json()
            route.fulfill(status=503, body=body, headers={"Retry-After": str(seconds)})

    page.route("**/v1/emotion", fulfil)


def ask(page: Page) -> None:
    take_sample(page)
    page.locator("#analyse").click()


def test_a_busy_server_is_asked_again_after_a_countdown(page: Page) -> None:
    busy_once(page, 2)
    ask(page)
    for seconds in (2, 1):
        expect(page.locator(".progress")).to_contain_text(f"Trying again in {seconds} s.")
    expect(page.locator(".headline")).to_be_visible()


def test_a_countdown_can_be_cut_short_and_given_up(page: Page) -> None:
    busy_once(page, 60)
    ask(page)
    page.get_by_role("button", name="Now").click()
    expect(page.locator(".headline")).to_be_visible()
    refuse(page, 429, error("Slow down.", "rate_limit_exceeded"), **{"Retry-After": "60"})
    page.locator("#analyse").click()
    expect(page.locator(".progress")).to_contain_text("Too many requests. Going on in 60 s.")
    page.locator(".progress").get_by_role("button", name="Cancel").click()
    expect(page.locator(".progress")).to_have_count(0)
    expect(page.locator("#analyse")).to_be_focused()


def test_what_came_before_an_error_stays_and_is_marked(page: Page) -> None:
    broken = error("The server stops.", "internal_error")
    parts = [*timeline()[:2], ExplanationDelta(delta="The face"), broken]
    body = "".join(server_sent(part) for part in parts)
    page.route(
        "**/v1/emotion", lambda route: route.fulfill(body=body, content_type="text/event-stream")
    )
    ask(page)
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    expect(page.locator(".explanation")).to_have_text("The face")
    expect(page.get_by_text("Incomplete.")).to_be_visible()
    expect(page.locator(".tl")).to_be_visible()


def test_an_answer_that_breaks_off_can_be_asked_for_again(page: Page) -> None:
    answer_with(page, ANSWER, breaks_off=True)
    ask(page)
    expect(page.get_by_role("alert")).to_contain_text("The answer broke off. It is incomplete.")
    answer_with(page, ANSWER)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_field_that_is_to_blame_is_focused(page: Page) -> None:
    for param in ("labels", "timeline.step", "frame", "transcript", "task"):
        refuse(page, 400, error(f"{param} is no good.", "invalid_request", param))
        ask(page)
        expect(page.get_by_role("alert")).to_have_text(f"{param} is no good.")
        expect(page.locator(f'[data-param="{param}"]')).to_be_focused()


def test_a_failure_of_the_server_has_the_id_of_the_request(page: Page) -> None:
    refuse(page, 500, error("Oh.", "internal_error"), **{"X-Request-Id": "emo-42"})
    ask(page)
    expect(page.get_by_role("alert")).to_contain_text("The server failed. Request emo-42.")
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_a_server_that_is_gone_and_comes_back_is_noticed(page: Page) -> None:
    for path in ("v1/models", "v1/emotion", "readyz"):
        page.route(f"**/{path}", lambda route: route.abort())
    ask(page)
    banner = page.get_by_role("banner").get_by_role("alert")
    expect(banner).to_contain_text("The server cannot be reached. Is it running?")
    for path in ("v1/models", "v1/emotion", "readyz"):
        page.unroute(f"**/{path}")
    banner.get_by_role("button", name="Try again").click()
    expect(banner).to_have_count(0)


def test_a_file_that_is_too_large_is_not_sent(page: Page) -> None:
    limits = {
        "clip_bytes": 1000,
        "audio_seconds": 120,
        "timeline_seconds": 3600,
        "timeline_windows": 4000,
        "request_seconds": 300,
    }
    model = {"id": "demo", "object": "model", "created": 0, "owned_by": "", "limits": limits}
    model |= {"max_model_len": 2048, "description": NOTICE}
    listed = json.dumps({"object": "list", "data": [model]})
    page.route("**/v1/models", lambda route: route.fulfill(body=listed))
    page.reload()
    page.locator(".server-ready").wait_for(state="attached")
    clip = {"name": "a.mp4", "mimeType": "video/mp4", "buffer": bytes(2_100_000)}
    page.locator("#file").set_input_files(clip)
    words = "2.1 MB is more than this server takes (0.0 MB)."
    expect(page.get_by_role("alert")).to_have_text(words)


def test_more_windows_than_the_server_takes_are_not_asked_for(page: Page) -> None:
    take_sample(page)
    page.get_by_text("More options").click()
    page.get_by_label("Step, s").fill("0.0002")
    page.get_by_label("Step, s").blur()
    expect(page.get_by_role("alert")).to_contain_text("are more than 4000")
    expect(page.locator("#analyse")).to_have_attribute("aria-disabled", "true")
