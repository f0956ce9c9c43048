"""What the page may load, in a browser that obeys its policy, and what a new version replaces."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server.routes import page as page_route
from tests.support.apps.light_server import light_server
from tests.support.apps.vllm_app import vllm_app
from tests.support.page.browser import Visitor


class Upgradable:
    """Serves the app of the newest start, and keeps the status of each file."""

    def __init__(self) -> None:
        self.app: ASGIApp
        self.statuses: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses[scope["path"]] = message["status"]
            await send(message)

        await self.app(scope, receive, noting)


@pytest.fixture
def start(clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Upgradable], None]:
    """Start the server anew with the files that are in the folder."""

    def started(server: Upgradable) -> None:
        app = vllm_app(clean_environment).app
        page_route.install(app, tmp_path / "page")
        server.app = app

    ignored = shutil.ignore_patterns("node_modules", "test")
    shutil.copytree(page_route.folder(), tmp_path / "page", ignore=ignored)
    return started


@pytest.fixture
def server_of_files(start: Callable[[Upgradable], None]) -> Iterator[tuple[Upgradable, str]]:
    server = Upgradable()
    start(server)
    with light_server(server) as port:
        yield server, f"http://127.0.0.1:{port}"


def test_a_reload_asks_for_files_only_after_an_upgrade_and_takes_the_new_ones(
    browser: Browser,
    server_of_files: tuple[Upgradable, str],
    start: Callable[[Upgradable], None],
    tmp_path: Path,
) -> None:
    server, url = server_of_files
    visitor = Visitor(browser, url)
    page = visitor.open()
    expect(page.get_by_role("link", name="Many clips")).to_be_visible()
    server.statuses.clear()
    page.reload()
    expect(page.get_by_role("link", name="Many clips")).to_be_visible()
    assert server.statuses["/"] == 304
    assert not [path for path in server.statuses if path.endswith((".js", ".css"))]

    words = tmp_path / "page/strings/en/core.js"
    text = words.read_text(encoding="utf-8")
    words.write_text(text.replace("'Many clips'", "'Heaps of clips'"), encoding="utf-8")
    start(server)
    server.statuses.clear()
    page.reload()
    expect(page.get_by_role("link", name="Heaps of clips")).to_be_visible()
    taken = {path: status for path, status in server.statuses.items() if path.endswith(".js")}
    assert len({path.split("/")[2] for path in taken}) == 1  # of one version
    assert set(taken.values()) == {200}
    visitor.close()


def test_what_the_policy_stops_is_noticed(page: Page, shared: Visitor) -> None:
    """Without it, the other tests would show nothing."""
    colour = page.evaluate(
        """async () => {
          const told = new Promise((resolve) => {
            let violations = 0;
            document.addEventListener('securitypolicyviolation', () => {
              violations += 1;
              if (violations === 3) resolve();
            });
          });
          const element = document.createElement('p');
          element.setAttribute('style', 'color: red');
          document.body.append(element);
          try { element.innerHTML = '<b>'; } catch {}
          try { await fetch('http://127.0.0.1:9/'); } catch {}
          await told;
          return element.style.color;
        }"""
    )
    assert colour == ""
    for directive in ("style-src-attr inline", "require-trusted-types-for", "connect-src http"):
        assert [offence for offence in shared.offences if f"violated: {directive}" in offence]
    shared.offences.clear()


def test_the_page_asks_nobody_but_its_server(visitor: Visitor) -> None:
    asked: list[str] = []
    context = visitor.context()
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    for route in ("", "#/live", "#/many", "#/jobs", "#/settings", "#/help"):
        page.goto(f"/{route}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert all(
        re.match(rf"{re.escape(visitor.url)}/(page/|v1/(models|batches)|$)", url) for url in asked
    )
