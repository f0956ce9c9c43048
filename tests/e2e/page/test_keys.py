"""A server with keys: the page asks for one, and keeps it no longer than it may."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from emotion_llama_server.routes import page as page_route
from tests.support.apps.light_server import light_server
from tests.support.apps.vllm_app import MODEL, vllm_app
from tests.support.page.browser import Visitor

KEY = "a-key-of-alice"


@pytest.fixture(scope="module")
def guarded(browser: Browser) -> Iterator[Visitor]:
    """What opens pages of a server with keys, which needs no engine to check them."""
    with pytest.MonkeyPatch.context() as environment:
        app = vllm_app(environment, keys=f"alice:{KEY}").app
    page_route.install(app, page_route.folder())
    with light_server(app) as port:
        opened = Visitor(browser, f"http://127.0.0.1:{port}")
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def guarded_tab(guarded: Visitor) -> Page:
    return guarded.context().new_page()


@pytest.fixture
def page(guarded: Visitor, guarded_tab: Page) -> Iterator[Page]:
    """The page of the server with keys, as at a first visit."""
    with guarded.visit(guarded_tab) as opened:
        yield opened


def give(page: Page, key: str, *, keep: bool = False) -> None:
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_label("Keep on this device").set_checked(keep)
    page.get_by_role("button", name="Use this key").click()


def stored(page: Page) -> list[str]:
    """What both storages hold of the key."""
    values: list[str] = page.evaluate(
        "[...Object.values(sessionStorage), ...Object.values(localStorage)]"
    )
    return [value for value in values if KEY in value]


def another_tab(page: Page) -> Page:
    tab = page.context.new_page()
    tab.goto("/")
    return tab


def test_a_key_is_asked_for_and_a_wrong_one_is_told(page: Page) -> None:
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("This server asks for an API key.")
    give(page, "a-wrong-key")
    expect(alert).to_have_text("The server does not know this key.")
    give(page, KEY)
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    expect(alert).to_have_count(0)


def test_a_key_is_gone_with_the_tab_unless_it_is_kept(page: Page) -> None:
    give(page, KEY)
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    page.reload()
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    assert len(stored(page)) == 1
    second = another_tab(page)
    expect(second.get_by_role("alert")).to_have_text("This server asks for an API key.")
    give(second, KEY, keep=True)
    expect(second.get_by_role("banner")).to_contain_text(MODEL)
    expect(another_tab(page).get_by_role("banner")).to_contain_text(MODEL)


def test_a_key_that_is_forgotten_is_gone_from_all_tabs(page: Page) -> None:
    give(page, KEY, keep=True)
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    second = another_tab(page)
    expect(second.get_by_role("banner")).to_contain_text(MODEL)
    second.goto("/#/settings")
    second.get_by_role("button", name="Forget").click()
    expect(page.get_by_role("alert")).to_have_text("This server asks for an API key.")
    assert stored(page) == stored(second) == []


def test_a_key_is_in_no_address(page: Page) -> None:
    addresses: list[str] = []
    page.context.on("request", lambda request: addresses.append(request.url))
    give(page, KEY, keep=True)
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    page.reload()
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    page.goto("/#/settings")
    assert not [address for address in [*addresses, page.url] if KEY in address]
