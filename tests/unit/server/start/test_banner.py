"""What the terminal shows when the server is ready."""

import shlex
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI

from emotion_llama_server.services import Services, install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start import banner
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.settings import MediaSettings
from tests.support.apps.services import services
from tests.unit.server.start.test_checks import make_certificate


@pytest.fixture
def app() -> FastAPI:
    """Routes as the server has them, of both kinds."""
    app = FastAPI()

    async def analyse() -> None:
        """Say which emotion a clip shows."""

    async def health() -> None:
        """Health check."""

    app.add_api_route("/health", health)
    app.add_api_route("/process_video", analyse, methods=["POST"])
    app.add_api_route("/v1/emotion", analyse, methods=["POST"])
    app.add_api_route("/v1/models/{model:path}", analyse)
    app.mount("/metrics", FastAPI())
    install(app, served())
    return app


def served(**given: Any) -> Services:
    models = SimpleNamespace(model_name=lambda: "served-name")
    return services(models=models, card=Card(description="A notice."), **given)


@pytest.fixture
def roots(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Set the media root."""

    def use(root: Path) -> None:
        monkeypatch.setattr(banner, "media_settings", lambda: MediaSettings(media_root=(root,)))

    monkeypatch.setattr(banner, "media_settings", MediaSettings)
    return use


def flags(**given: Any) -> Namespace:
    plain = {"host": "127.0.0.1", "port": 7889}
    return Namespace(**plain | {"ssl_certfile": None, "ssl_keyfile": None} | given)


def command(text: str) -> list[str]:
    """The words of the command that it ends with, as a shell reads them."""
    return shlex.split(text[text.index("curl ") :].replace("\\\n", " "))


def test_it_says_what_there_is_and_how_to_stop(app: FastAPI, roots: Callable[[Path], None]) -> None:
    roots(demo_files.clips())
    text = banner.banner(flags(), app)
    for words in ("served-name", "A notice.", "/docs", str(demo_files.clips()), "Ctrl+C", "none"):
        assert words in text


def test_each_route_has_a_line_and_the_analysis_the_first(app: FastAPI) -> None:
    names = [name.split() for name, words in banner.routes(app) if words]
    assert names[0] == ["POST", "/v1/emotion"]
    assert sorted(names[1:]) == [
        ["GET", "/health"],
        ["GET", "/metrics"],
        ["GET", "/v1/models/{model}"],
        ["POST", "/process_video"],
    ]


def test_the_command_names_a_clip_that_is_there(
    app: FastAPI, roots: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "it's mine.mp4").touch()
    roots(tmp_path)
    words = command(banner.banner(flags(), app))
    assert words[:2] == ["curl", "http://127.0.0.1:7889/v1/emotion"]
    assert '{"video": "it\'s mine.mp4"}' in words


def test_without_a_clip_in_the_roots_the_command_uploads_one(
    app: FastAPI, roots: Callable[[Path], None], tmp_path: Path
) -> None:
    roots(tmp_path)
    (sent,) = (word for word in command(banner.banner(flags(), app)) if "video=" in word)
    assert Path(sent.removeprefix("video=@")).is_file()


def test_without_a_media_root_it_tells_how_to_set_one(
    app: FastAPI, roots: Callable[[Path], None]
) -> None:
    text = banner.banner(flags(), app)
    assert "uploads only; start with --media-root DIR to let requests name files in DIR" in text


def test_what_is_kept_is_told_with_its_place_and_its_time(
    app: FastAPI, roots: Callable[[Path], None], tmp_path: Path
) -> None:
    assert "kept" not in banner.banner(flags(), app)
    settings = ServerSettings(data_dir=tmp_path, keep_days=7)
    install(app, served(settings=settings, storage=object()))
    text = banner.banner(flags(), app)
    assert f"uploads and results of batches are kept in {tmp_path}, for up to 7 days" in text


def test_with_keys_the_command_sends_one(app: FastAPI, roots: Callable[[Path], None]) -> None:
    install(app, served(keys="alice:secret"))
    text = banner.banner(flags(), app)
    assert '-H "Authorization: Bearer $EMOTION_LLAMA_API_KEY"' in text
    assert "alice" in text
    assert "secret" not in text


def test_with_a_provider_the_command_sends_a_token(
    app: FastAPI, roots: Callable[[Path], None]
) -> None:
    settings = ServerSettings(oidc_issuer="https://login.example", oidc_audience="a")
    install(app, served(settings=settings))
    text = banner.banner(flags(), app)
    assert "needed: access tokens of https://login.example" in text
    assert '-H "Authorization: Bearer $EMOTION_LLAMA_API_KEY"' in text


@pytest.mark.parametrize(("mode", "which"), [("asked", "clips of `tr"), ("auto", "each clip goes")])
def test_where_the_sound_goes_is_told(
    app: FastAPI, roots: Callable[[Path], None], mode: Any, which: str
) -> None:
    assert "transcripts" not in banner.banner(flags(), app)
    url = "https://api.example/v1"
    settings = ServerSettings(transcriber_url=url, transcribe=mode)
    install(app, served(settings=settings))
    (row,) = [row for row in banner.banner(flags(), app).splitlines() if "transcripts" in row]
    assert which in row
    assert row.endswith(f" goes to {url}")


def test_over_tls_the_command_trusts_the_servers_certificate_as_far_as_it_goes(
    app: FastAPI, roots: Callable[[Path], None], tmp_path: Path
) -> None:
    certificate, key = make_certificate(
        tmp_path, "-nodes", "-addext", "subjectAltName=IP:127.0.0.1"
    )
    secured = {"ssl_certfile": certificate, "ssl_keyfile": key}
    words = command(banner.banner(flags(**secured), app))
    assert words[1] == "https://127.0.0.1:7889/v1/emotion"
    assert words[2:4] == ["--cacert", certificate]
    elsewhere = command(banner.banner(flags(host="localhost", **secured), app))
    assert elsewhere[1:3] == ["https://localhost:7889/v1/emotion", "--insecure"]


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("fe80::1", "[fe80::1]"),
    ],
)
def test_it_names_an_address_that_can_be_asked(host: str, named: str) -> None:
    assert banner.url_host(host) == named
