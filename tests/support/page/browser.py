"""Opens the page in Debian's Chromium, and notices whatever a strict page must not do.

Playwright's own build of Chromium cannot play H.264, which the samples have.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    sync_playwright,
)

from devtools.paths import CHECKOUT
from tests.support.npm import npm, require_npm

_QUIET = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--autoplay-policy=no-user-gesture-required"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=5"),
)
_WIDE: ViewportSize = {"width": 1280, "height": 800}
_SILENT = "/page/icon.svg"
"""A file of the page's origin, which reaches what the page stored and stores nothing."""
_TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`The policy was violated: ${event.violatedDirective} ${event.blockedURI}`));
"""
_REFUSAL = "Failed to load resource"
"""How Chromium's console begins a line about any answer of 4xx or 5xx, refusals of ours too."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium, or skip the test if there is none; fail if everything must be tested.

    Its build without windows takes an eighth less of the processor.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        reason = "Chromium is not installed: `apt-get install chromium`."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_QUIET, *sandbox])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Opens pages of one server, and keeps what they must not do.

    Args:
        browser: the browser; each page gets a context of its own.
        url: the server's address, the only origin that a page may ask.
    """

    browser: Browser
    url: str
    offences: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def context(self, **options: Any) -> BrowserContext:
        """Return a new context whose pages are watched.

        Args:
            options: those of `Browser.new_context`, as `locale` and `viewport`.
        """
        given = {
            "base_url": self.url,
            "locale": "en-GB",
            "viewport": _WIDE,
            "reduced_motion": "reduce",  # nothing is judged while it fades
        }
        context = self.browser.new_context(**given | options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.offences.append(f"{error.error}"))
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        self.contexts.append(context)
        return context

    def open(self, path: str = "/", **options: Any) -> Page:
        """Open the page in a new context."""
        page = self.context(**options).new_page()
        page.goto(path)
        return page

    @contextmanager
    def visit(self, tab: Page, path: str = "/") -> Iterator[Page]:
        """Open the page in a tab that tests share, and leave it as it was before a first visit.

        The tab has the page's modules in its memory, so that this costs a third of a new context.

        Args:
            tab: what a context of this visitor opened.
            path: what is opened.

        Raises:
            AssertionError: the page did what it must not do.
        """
        tab.goto(path)
        yield tab
        for other in tab.context.pages:
            if other != tab:
                other.close()
        tab.unroute_all(behavior="ignoreErrors")  # which keep the browser from its memory
        tab.goto(_SILENT)
        tab.evaluate("localStorage.clear(); sessionStorage.clear()")
        tab.context.clear_permissions()
        tab.set_viewport_size(_WIDE)
        tab.emulate_media(color_scheme="light")
        self.check()

    def check(self) -> None:
        """Forget what the pages did.

        Raises:
            AssertionError: one of them did what it must not do.
        """
        offences, self.offences = self.offences, []
        assert offences == [], offences

    def close(self) -> None:
        """Close all pages.

        Raises:
            AssertionError: one of them did what it must not do.
        """
        for context in self.contexts:
            context.close()
        self.check()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_REFUSAL):
            self.offences.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "blob:", "data:")):
            self.offences.append(f"The page asked {request.url}.")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.url.startswith(f"{self.url}/page/"):
            self.offences.append(f"{response.url} has status {response.status}.")


def axe_source(folder: Path) -> str:
    """Return the source of axe-core in the version that the page's lock file names.

    Args:
        folder: a folder in which it may be installed.
    """
    installed = CHECKOUT / "clients/page/node_modules/axe-core/axe.min.js"
    if not installed.is_file():
        require_npm()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(CHECKOUT / "clients/page" / name, folder)
        npm(folder, "ci", "--omit=optional", "--prefer-offline", "--no-audit", "--no-fund")
        installed = folder / "node_modules/axe-core/axe.min.js"
    return installed.read_text(encoding="utf-8")


_VIOLATIONS = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}
"""


def barriers(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds wrong with a page as it stands.

    Args:
        page: the page.
        axe: the source of axe-core, which the page's policy would not let a script tag load.
    """
    page.evaluate(axe)
    return page.evaluate(_VIOLATIONS)
