"""`/` and `/page/`: open to everybody, under a strict policy, and never of two versions."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from devtools.paths import CHECKOUT
from emotion_llama_server.routes import page
from tests.support.apps.gate import Call
from tests.support.apps.vllm_app import VllmApp, vllm_app

POLICY = (
    "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types lit-html"
)
SAMPLE = "/page/samples/happy_face.mp4"
CLIP = (CHECKOUT / "demo/clips/happy_face.mp4").read_bytes()


class Links(HTMLParser):
    """Collects what a document loads, and refuses scripts and styles in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        fields = dict(attrs)
        assert not [name for name in fields if name.startswith("on") or name == "style"]
        if loaded := fields.get("src") or (fields.get("href") if tag == "link" else None):
            self.loaded.append(loaded)

    def handle_data(self, data: str) -> None:
        assert self._tag not in ("script", "style") or not data.strip()


@pytest.fixture
def app(clean_environment: pytest.MonkeyPatch) -> VllmApp:
    served = vllm_app(clean_environment, keys="alice:k")
    page.install(served.app, page.folder())
    return served


async def get(app: VllmApp, path: str, **headers: str) -> Call:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await Call(app, path, "GET", given).answer()


async def test_the_page_has_the_strict_policy_and_loads_from_its_own_folder(app: VllmApp) -> None:
    index = await get(app, "/")
    assert index.status == 200
    assert index.answered["content-type"] == "text/html; charset=utf-8"
    assert index.answered["content-security-policy"] == POLICY
    allowed = "camera=(self), microphone=(self), display-capture=(), geolocation=()"
    assert index.answered["permissions-policy"] == allowed
    loaded = Links(index.text).loaded
    assert [name for name in loaded if name.endswith("/app.js")]
    for name in loaded:
        assert name.startswith("page/")  # relative: under a proxy's path too
        assert (await get(app, f"/{name}")).status == 200


async def test_content_types_do_not_depend_on_the_machine(
    app: VllmApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimetypes.guess_type", lambda *_, **__: ("text/plain", None))
    for path, kind in {
        "/page/app.js": "text/javascript; charset=utf-8",
        "/page/css/base.css": "text/css; charset=utf-8",
        SAMPLE: "video/mp4",
    }.items():
        answer = await get(app, path)
        assert (answer.status, answer.answered["content-type"]) == (200, kind)
        assert answer.answered["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/page/app.js", SAMPLE])
async def test_a_browser_asks_each_time_and_gets_only_what_it_has_not(
    app: VllmApp, path: str
) -> None:
    first = await get(app, path)
    assert first.answered["cache-control"] == "no-cache"
    tag = first.answered["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await get(app, path, if_none_match=known)
        assert (again.status, again.answered["etag"]) == (304, tag)
        assert b"".join(message.get("body", b"") for message in again.sent[1:]) == b""
        for name in ("content-security-policy", "cache-control"):
            assert again.answered[name] == first.answered[name]
    assert (await get(app, path, if_none_match='"other"')).status == 200


async def test_a_browser_keeps_what_the_page_links_to(app: VllmApp) -> None:
    for name in Links((await get(app, "/")).text).loaded:
        kept = await get(app, f"/{name}")
        assert kept.answered["cache-control"] == "public, max-age=31536000, immutable"
        plain = await get(app, re.sub(r"^page/[0-9a-f]{32}", "/page", name))
        assert (plain.answered["cache-control"], plain.text) == ("no-cache", kept.text)


async def test_any_change_gives_the_files_other_addresses_and_the_old_ones_are_not_kept(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def linked() -> str:
        page.install(app.app, tmp_path)
        return f"/{Links((await get(app, '/')).text).loaded[0]}"

    (tmp_path / "index.html").write_text('<script src="page/app.js"></script>')
    (tmp_path / "app.js").write_text("import './core.js'")
    (tmp_path / "core.js").write_text("one")
    app = vllm_app(clean_environment)
    one = await linked()
    (tmp_path / "core.js").write_text("two")
    app = vllm_app(clean_environment)
    two = await linked()
    assert one != two
    assert "immutable" in (await get(app, two)).answered["cache-control"]
    old = await get(app, one)  # as a page asks that came from a replica of the version before
    assert (old.text, old.answered["cache-control"]) == ("import './core.js'", "no-cache")
    assert (await get(app, f"{one}x")).status == 404


async def test_what_changes_on_disk_is_served_from_the_next_start_on(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def served() -> Call:
        return await get(app, "/page/app.js")

    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "app.js").write_text("one")
    app = vllm_app(clean_environment)
    page.install(app.app, tmp_path)
    one = await served()
    (tmp_path / "app.js").write_text("two")
    assert (await served()).text == "one"
    app = vllm_app(clean_environment)
    page.install(app.app, tmp_path)
    two = await served()
    assert two.text == "two"
    assert one.answered["etag"] != two.answered["etag"]


async def test_a_part_of_a_sample_can_be_asked_for(app: VllmApp) -> None:
    def content(answer: Call) -> bytes:
        return b"".join(message.get("body", b"") for message in answer.sent[1:])

    whole = await get(app, SAMPLE)
    assert whole.answered["accept-ranges"] == "bytes"
    assert content(whole) == CLIP
    part = await get(app, SAMPLE, range="bytes=100-199")
    assert (part.status, content(part)) == (206, CLIP[100:200])
    assert part.answered["content-range"] == f"bytes 100-199/{len(CLIP)}"
    assert (await get(app, SAMPLE, range=f"bytes={len(CLIP)}-")).status == 416


@pytest.mark.parametrize(
    "name",
    [
        *("", "index.html", "nowhere.js", "types.d.ts", "package.json", "../index.html"),
        *("test/numbers.test.mjs", "node_modules/typescript/lib/tsc.js", "samples/labels.csv"),
        *("../v1/models", "%2e%2e/v1/models", "/etc/passwd", "vendor", "vendor/VENDORED.json"),
    ],
)
@pytest.mark.costly
async def test_no_other_file_is_served(app: VllmApp, name: str) -> None:
    assert (await get(app, f"/page/{name}")).status == 404


async def test_the_page_is_read_only(app: VllmApp) -> None:
    for path in ("/", "/page/app.js", "/page/nowhere.js"):
        refused = await Call(app, path, "POST").answer()
        assert (refused.status, refused.answered["allow"]) == (405, "GET, HEAD")
    head = await Call(app, "/page/app.js", "HEAD").answer()
    assert (head.status, head.text) == (200, "")


async def test_without_the_page_its_paths_are_unknown(
    clean_environment: pytest.MonkeyPatch,
) -> None:
    app = vllm_app(clean_environment, keys="alice:k")
    for path in ("/", "/page/app.js"):
        assert (await get(app, path)).status == 404
