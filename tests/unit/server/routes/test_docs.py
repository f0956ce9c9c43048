"""`/docs`: open to everybody, without the internet, with nothing inline that runs."""

import re
from html.parser import HTMLParser

import pytest

from devtools.paths import CHECKOUT
from emotion_llama_server import paths
from tests.support.apps.gate import Call
from tests.support.apps.vllm_app import VllmApp, vllm_app
from tests.support.documents import links_of


class Links(HTMLParser):
    """Collects what a page loads, and the scripts that stand in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline = ""
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        fields = dict(attrs)
        assert not [name for name in fields if name.startswith("on")]
        loaded = fields.get("src") or (fields.get("href") if tag == "link" else None)
        if loaded and not loaded.startswith("data:"):
            self.loaded.append(loaded)

    def handle_data(self, data: str) -> None:
        if self._tag in ("script", "style"):
            self.inline += data.strip()


@pytest.fixture
def app(clean_environment: pytest.MonkeyPatch) -> VllmApp:
    return vllm_app(clean_environment, keys="alice:k")


async def test_the_page_loads_nothing_from_elsewhere_and_needs_no_key(app: VllmApp) -> None:
    page = await Call(app, "/docs", "GET").answer()
    assert page.status == 200
    assert page.answered["content-type"] == "text/html; charset=utf-8"
    links = Links(page.text)
    assert links.inline == ""
    for name in links.loaded:
        assert not re.match(r"[a-z]+:|/", name)  # under a proxy's path too
        file = await Call(app, f"/{name}", "GET").answer()
        assert file.status == 200
        kinds = {"css": "text/css", "js": "text/javascript"}
        assert file.answered["content-type"].startswith(kinds[name.rpartition(".")[2]])


async def test_the_policy_of_the_page_is_strict(app: VllmApp) -> None:
    page = await Call(app, "/docs", "GET").answer()
    policy = {
        part.split()[0]: part.split(maxsplit=1)[1]
        for part in page.answered["content-security-policy"].split(";")
    }
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == "'self'"


async def test_agents_read_what_is_here_in_plain_text(app: VllmApp) -> None:
    page = await Call(app, "/llms.txt", "GET").answer()
    assert page.answered["content-type"] == "text/plain; charset=utf-8"
    assert page.text == (CHECKOUT / "llms.txt").read_text(encoding="utf-8")
    for link in links_of(CHECKOUT / "llms.txt"):
        if link.startswith("/"):
            assert (await Call(app, link, "GET").answer()).status == 200
        else:
            assert (CHECKOUT / link).exists(), link
    for route in re.findall("`(?:GET|POST) (/[^`]+)`", page.text):
        assert route in paths.DOCUMENTED


async def test_the_document_is_open_and_nothing_else_is(app: VllmApp) -> None:
    assert (await Call(app, "/openapi.json", "GET").answer()).status == 200
    for path in ("/docs", "/openapi.json", "/docs/start.js"):
        assert (await Call(app, path, "POST").answer()).status == 405
    for path in ("/v1/models", "/docs/other.js", "/redoc", "/docs/oauth2-redirect"):
        assert (await Call(app, path, "GET").answer()).status == 401


async def test_without_a_document_there_is_no_page_about_it(
    clean_environment: pytest.MonkeyPatch,
) -> None:
    app = vllm_app(clean_environment, "--disable-fastapi-docs")
    for path in ("/docs", "/docs/start.js", "/openapi.json"):
        assert (await Call(app, path, "GET").answer()).status == 404
