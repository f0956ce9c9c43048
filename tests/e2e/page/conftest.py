"""Chromium for the tests of the page, and the page of the shared demo server in it.

A test fails if its page writes an error to the console, violates the policy, misses a file of its
own or asks another origin.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from devtools.server import Server
from tests.support.page.browser import Visitor, axe_source, barriers, chromium


# Not for the session: while Playwright runs, other tests of this thread cannot run an event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    """What opens further pages of the demo server, with other options."""
    opened = Visitor(browser, server.url)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def shared(browser: Browser, server: Server) -> Iterator[Visitor]:
    """What opens the tabs that tests share."""
    opened = Visitor(browser, server.url)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def tab(shared: Visitor) -> Page:
    return shared.context().new_page()


@pytest.fixture
def page(shared: Visitor, tab: Page) -> Iterator[Page]:
    """The page of the demo server, 1280 × 800, in English, as at a first visit."""
    with shared.visit(tab) as opened:
        yield opened


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Page], list[str]]:
    """What axe-core finds wrong with a page as it stands, in one line for each rule."""
    source = axe_source(tmp_path_factory.mktemp("axe"))
    return lambda page: barriers(page, source)
