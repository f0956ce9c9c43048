"""All views in both languages and themes, on small screens and for those who do not see."""

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support.page.answers import answer_with, response, timeline
from tests.support.page.browser import Visitor

ROUTES = ("", "live", "many", "settings", "help")
ANSWER = response(timeline())
SMALL = {"width": 360, "height": 640}


def to(page: Page, route: str) -> None:
    page.goto(f"/#/{route}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def analyse(page: Page) -> None:
    """Choose a sample, whatever the language, and wait for its answer."""
    answer_with(page, ANSWER)
    page.locator(".sample").first.click()
    expect(page.locator("#analyse")).to_be_focused()
    page.locator("#analyse").click()
    expect(page.locator(".evidence")).to_be_visible()


def fail(page: Page) -> None:
    page.route("**/v1/emotion", lambda route: route.fulfill(status=500, body="{}"))
    page.locator("#analyse").click()
    expect(page.locator("#try-again")).to_be_visible()


LATIN = re.compile(r"[A-Za-z]{4,}")
ALLOWED = {
    *("Emotion", "LLaMA", "English", "WebVTT", "JSON", "Lines", "JPEG", "WebM"),
    *("Barrett", "Ctrl", "Enter", "Shift", "PgUp", "PgDn", "Home", "Space", "Python", "JavaScript"),
    *("curl", "https", "localhost", "example", "interviews", "clip"),
}
"""Names that are the same in Chinese, and examples of addresses and paths."""

_TEXTS = """
() => [...document.querySelectorAll('body *')]
  .filter((element) => !element.closest('noscript, [lang=en], svg, code, .clip-name, .bar-name'))
  .filter((element) => !element.closest('.explanation, q, .tl, .server'))
  .flatMap((element) => [
    ...[...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }) => data),
    element.ariaLabel, element.title, element.placeholder,
  ])
  .filter(Boolean)
"""


def english(page: Page) -> set[str]:
    """Return a page's English words that are neither labels nor the model's or the server's."""
    names = {*ANSWER.probabilities, ANSWER.model}
    words = {word for text in page.evaluate(_TEXTS) for word in LATIN.findall(text)}
    return words - ALLOWED - names


@pytest.fixture(scope="module")
def chinese_tab(shared: Visitor) -> Page:
    return shared.context(locale="zh-CN").new_page()


@pytest.fixture
def chinese(shared: Visitor, chinese_tab: Page) -> Iterator[Page]:
    """The page as at the first visit of somebody who reads Chinese."""
    with shared.visit(chinese_tab) as page:
        yield page


def test_in_chinese_nothing_is_left_in_english(chinese: Page) -> None:
    page = chinese
    for route in ROUTES[1:]:
        to(page, route)
        assert english(page) == set(), route
    to(page, "")
    for summary in page.locator("main summary").all():
        summary.click()
    analyse(page)
    assert english(page) == set()
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_the_language_is_kept_and_the_model_is_asked_in_it(page: Page) -> None:
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#analyse")).to_contain_text("分析")
    page.reload()
    expect(page.locator("#analyse")).to_contain_text("分析")
    answer_with(page, ANSWER)
    page.locator(".sample").first.click()
    with page.expect_request("**/v1/emotion") as request:
        page.locator("#analyse").click()
    assert b'"language":"zh"' in (request.value.post_data_buffer or b"")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#analyse")).to_contain_text("Analyse")


def test_the_theme_is_kept(page: Page) -> None:
    ground = page.locator("html")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    expect(ground).to_have_css("background-color", light)
    page.get_by_label("Theme").select_option("dark")
    expect(ground).not_to_have_css("background-color", light)
    page.reload()
    expect(ground).not_to_have_css("background-color", light)


def test_things_move_only_for_those_who_do_not_mind(page: Page) -> None:
    fill = page.locator(".bar-fill").first
    analyse(page)
    expect(fill).to_have_css("transition-duration", "0s")
    page.emulate_media(reduced_motion="no-preference")
    expect(fill).to_have_css("transition-duration", "0.2s")
    page.emulate_media(reduced_motion="reduce")


def test_on_paper_there_is_the_answer_and_nothing_to_press(page: Page) -> None:
    analyse(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=2, name="The model leans")).to_be_visible()
    expect(page.locator(".answer-notice")).to_be_visible()
    assert page.get_by_role("button").filter(visible=True).all_inner_texts() == []
    page.emulate_media(media="screen")


_TOO_SMALL = """
() => [...document.querySelectorAll('button, select, summary, input:not([type=file]), a.button')]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .map((element) => element.closest('label') ?? element)
  .map((element) => ({ element, box: element.getBoundingClientRect() }))
  .filter(({ box }) => box.width > 1 && (box.height < 43.5 || box.width < 43.5))
  .map(({ element, box }) => `${element.outerHTML.slice(0, 90)} ${box.width}×${box.height}`)
"""


def width(page: Page) -> int:
    """Return the width of what is on the page, with what is out of sight."""
    return page.evaluate("document.documentElement.scrollWidth")


def test_on_a_phone_nothing_scrolls_sideways_and_all_can_be_tapped(visitor: Visitor) -> None:
    page = visitor.open(viewport=SMALL, has_touch=True)
    for route in ROUTES:
        to(page, route)
        if not route:
            page.get_by_text("More options").click()
            analyse(page)
        assert width(page) == 360, route
        assert page.evaluate(_TOO_SMALL) == [], route


def test_text_of_twice_the_size_fits(page: Page) -> None:
    analyse(page)
    for route in ROUTES:
        to(page, route)
        page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
        assert width(page) == 1280, route


@pytest.mark.parametrize(("opened", "theme"), [("page", "light"), ("chinese", "dark")])
def test_axe_finds_no_barrier(
    request: pytest.FixtureRequest,
    axe: Callable[[Page], list[str]],
    opened: str,
    theme: Literal["light", "dark"],
) -> None:
    page: Page = request.getfixturevalue(opened)
    page.emulate_media(color_scheme=theme)
    for route in ROUTES[1:]:
        to(page, route)
        assert axe(page) == [], route
    to(page, "")
    assert axe(page) == []
    for summary in page.locator("main summary").all():
        summary.click()
    page.route("**/v1/emotion", lambda route: None)
    page.locator(".sample").first.click()
    page.locator("#analyse").click()
    expect(page.locator(".progress")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    analyse(page)
    assert axe(page) == []
    fail(page)
    assert axe(page) == []


def test_a_change_of_view_moves_the_focus_to_its_heading(page: Page) -> None:
    page.get_by_role("link", name="Help", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page).to_have_title("Help · Emotion-LLaMA")


def test_settings_and_what_is_kept_can_be_deleted(page: Page) -> None:
    to(page, "settings")
    page.get_by_label("Temperature").fill("0.5")
    page.get_by_label("Temperature").blur()
    page.reload()
    expect(page.get_by_label("Temperature")).to_have_value("0.5")
    page.get_by_role("button", name="Delete everything kept here").click()
    expect(page.get_by_label("Temperature")).to_have_value("0")
    assert (
        page.evaluate("Object.keys(localStorage).filter((name) => !name.includes('colours'))") == []
    )
