"""A server with keys: the page asks for one, and keeps it no longer than it may."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from emotion_llama_server.routes import page as page_route
from tests.support.browser import Visitor
from tests.support.light_server import light_server
from tests.support.vllm_app import MODEL, vllm_app

KEY = "a-key-of-alice"


@pytest.fixture
def guarded(browser: Browser, clean_environment: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """What opens pages of a server with keys, which needs no engine to check them."""
    app = vllm_app(clean_environment, keys=f"alice:{KEY}").app
    page_route.install(app, page_route.folder())
    with light_server(app) as port:
        opened = Visitor(browser, f"http://127.0.0.1:{port}")
        yield opened
        opened.close()


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


def opened(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/")
    return page


def test_a_key_is_asked_for_and_a_wrong_one_is_told(guarded: Visitor) -> None:
    page = guarded.open()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("This server asks for an API key.")
    give(page, "a-wrong-key")
    expect(alert).to_have_text("The server does not know this key.")
    give(page, KEY)
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    expect(alert).to_have_count(0)


def test_a_key_is_gone_with_the_tab_unless_it_is_kept(guarded: Visitor) -> None:
    context = guarded.context()
    first = opened(context)
    give(first, KEY)
    expect(first.get_by_role("banner")).to_contain_text(MODEL)
    first.reload()
    expect(first.get_by_role("banner")).to_contain_text(MODEL)
    assert len(stored(first)) == 1
    second = opened(context)
    expect(second.get_by_role("alert")).to_have_text("This server asks for an API key.")
    give(second, KEY, keep=True)
    expect(second.get_by_role("banner")).to_contain_text(MODEL)
    expect(opened(context).get_by_role("banner")).to_contain_text(MODEL)


def test_a_key_that_is_forgotten_is_gone_from_all_tabs(guarded: Visitor) -> None:
    context = guarded.context()
    first = opened(context)
    give(first, KEY, keep=True)
    expect(first.get_by_role("banner")).to_contain_text(MODEL)
    second = opened(context)
    expect(second.get_by_role("banner")).to_contain_text(MODEL)
    second.goto("/#/settings")
    second.get_by_role("button", name="Forget").click()
    expect(first.get_by_role("alert")).to_have_text("This server asks for an API key.")
    assert stored(first) == stored(second) == []


def test_a_key_is_in_no_address(guarded: Visitor) -> None:
    context = guarded.context()
    addresses: list[str] = []
    context.on("request", lambda request: addresses.append(request.url))
    page = opened(context)
    give(page, KEY, keep=True)
    expect(page.get_by_role("banner")).to_contain_text(MODEL)
    page.goto("/#/settings")
    assert not [address for address in [*addresses, page.url] if KEY in address]
