"""What a transcription service gets, and what becomes of everything that one may answer."""

import asyncio
import gzip
import json
import socket
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.transcripts import service as module
from emotion_llama_server.transcripts.errors import TranscriptionError
from emotion_llama_server.transcripts.heard import Heard, Segment
from emotion_llama_server.transcripts.service import (
    MAX_BYTES,
    Service,
    TranscriberSettingsError,
)
from emotion_llama_server.transcripts.sound import as_wav
from emotion_llama_vllm.settings import MediaSettings
from tests.support.services.transcription import KEY, Asked, FakeService, RawService, reply, said

URL = "http://service.test/v1/audio/translations"
TONE = np.sin(np.arange(16_000, dtype=np.float32) / 9)
WAV = as_wav(TONE)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0)


async def hear(service: Service, *, with_times: bool = False) -> Heard:
    return await service.hear(WAV, seconds=1, with_times=with_times)


async def failure(service: Service) -> TranscriptionError:
    with pytest.raises(TranscriptionError) as caught:
        await hear(service)
    assert caught.value.status == 502
    return caught.value


async def test_it_gets_the_sound_the_model_the_form_and_the_key() -> None:
    fake = FakeService()
    heard = await hear(Service(URL, "whisper-1", KEY, transport=fake))
    assert heard == Heard("Hello there!", None)
    (asked,) = fake.asked
    assert asked.path == "/v1/audio/translations"
    assert asked.fields == {"model": "whisper-1", "response_format": "json"}
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    np.testing.assert_allclose(asked.samples, TONE, atol=1 / 32767)


async def test_times_are_asked_for_where_they_are_needed() -> None:
    fake = FakeService(lambda _: said("Oh no! Really?", (0, 0.5, "Oh no!"), (0.5, 1, "Really?")))
    heard = await hear(Service(URL, "m", transport=fake), with_times=True)
    assert heard.segments == (Segment(0, 0.5, "Oh no!"), Segment(0.5, 1, "Really?"))
    assert fake.asked[0].fields["response_format"] == "verbose_json"
    assert "authorization" not in fake.asked[0].headers


async def test_segments_are_put_in_order_and_kept_inside_the_sound() -> None:
    told = ((0.4, 9, "c"), (-1, 0.2, "a"), (0.1, 0.3, "b"), (0.5, 0.6, "  "), (30, 60, "d"))
    heard = await hear(Service(URL, "m", transport=FakeService(lambda _: said("", *told))))
    assert heard.segments == (
        *(Segment(0, 0.2, "a"), Segment(0.2, 0.3, "b"), Segment(0.4, 1, "c")),
        Segment(1, 1, "d"),
    )


async def test_a_transcript_becomes_one_line_of_printable_characters() -> None:
    fake = FakeService(lambda _: said(" Oh\n no!\t\x00\x1b[31m\u2028 \u202e妈妈 "))
    assert (await hear(Service(URL, "m", transport=fake))).text == "Oh no! [31m 妈妈"


@pytest.mark.parametrize(
    ("status", "attempts"),
    [(500, 2), (503, 2), (429, 2), (400, 1), (401, 1), (404, 1), (302, 1), (204, 1)],
)
async def test_another_status_fails_and_one_that_may_pass_is_tried_again(
    status: int, attempts: int
) -> None:
    to_others = {"Location": "http://other.test/v1/audio/translations"}
    fake = FakeService(lambda _: httpx2.Response(status, text="no", headers=to_others))
    error = await failure(Service(URL, "m", KEY, transport=fake))
    assert error.cause == "status"
    assert len(fake.asked) == attempts
    assert str(status) in str(error)
    assert "service.test" not in str(error)
    assert KEY not in error.reason


async def test_a_service_that_is_well_again_is_heard() -> None:
    replies = [httpx2.Response(503), said("At last.")]
    fake = FakeService(lambda _: replies.pop(0))
    assert (await hear(Service(URL, "m", transport=fake))).text == "At last."


UNREADABLE: dict[str, bytes] = {
    "a web page": reply(b"<html>Hello</html>", "Content-Type: text/html"),
    "no JSON": reply(b'{"text": '),
    "nothing": reply(b""),
    "a list": reply(b'["text"]'),
    "a number for words": reply({"text": 7}),
    "no words": reply({"segments": []}),
    "null": reply({"text": None}),
    "segments of a wrong type": reply({"text": "a", "segments": {"0": "a"}}),
    "a segment without times": reply({"text": "a", "segments": [{"text": "a"}]}),
    "an endless time": reply(b'{"text":"a","segments":[{"start":0,"end":1e999,"text":"a"}]}'),
    "no number as time": reply(b'{"text":"a","segments":[{"start":NaN,"end":1,"text":"a"}]}'),
    "half a character": reply(b'{"text": "\\ud800"}'),
    "another encoding": reply("{'text': 'é'}".encode("latin-1")),
    "compressed": reply(gzip.compress(b'{"text": "a"}'), "Content-Encoding: gzip"),
    "shorter than it is": reply({"text": "Hello"}, length=9),
    "a huge body": reply({"text": "a" * MAX_BYTES}),
    "a deep body": reply(b"[" * 100_000),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_an_answer_of_another_form_fails_at_once(name: str) -> None:
    async with RawService(UNREADABLE[name]) as raw:
        error = await failure(Service(f"{raw.url}/audio/translations", "m"))
    assert error.cause == "answer"
    assert "no transcript in OpenAI's form" in str(error)
    assert raw.requests == 1


BROKEN: dict[str, bytes] = {
    "nothing at all": b"",
    "no HTTP": b"hello\r\n\r\n",
    "cut off": reply({"text": "Hello"}, length=1000),
    "a head without an end": b"HTTP/1.1 200 OK\r\n",
    "a huge head": b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 200_000,
    "two lengths": reply({"text": "a"}, "Content-Length: 3"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_connection_is_tried_once_more(name: str) -> None:
    async with RawService(BROKEN[name]) as raw:
        error = await failure(Service(f"{raw.url}/audio/translations", "m"))
    assert error.cause == "connection"
    assert raw.requests == 2


async def test_a_closed_port_is_a_failure() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # it does not listen
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1/audio/translations"
        assert (await failure(Service(url, "m"))).cause == "connection"


async def test_the_environments_proxy_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RawService(reply({"text": "from the proxy"})) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setattr(socket, "getaddrinfo", _no_such_host)
        settings = ServerSettings(transcriber_url="http://service.invalid/v1")
        used = Service.of(settings, MediaSettings())
        assert used is not None
        assert used.proxy is None
        assert (await failure(used)).cause == "connection"
        assert proxy.requests == 0


def _no_such_host(*_: object, **__: object) -> None:
    raise socket.gaierror


def test_the_operator_may_let_the_proxy_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    settings = ServerSettings(transcriber_url="http://service.test/v1")
    used = Service.of(settings, MediaSettings(media_trust_env=True))
    assert used is not None
    assert used.proxy is not None
    assert used.proxy.url.host == "proxy.test"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h:8000/v1", "/v1/audio/translations"),
        ("https://h/v1/", "/v1/audio/translations"),
        ("http://h/v1/audio/translations", "/v1/audio/translations"),
        ("http://h/v1/audio/transcriptions", "/v1/audio/transcriptions"),
        ("http://h/v1/audio/transcriptions/", "/v1/audio/transcriptions"),
    ],
)
def test_an_address_may_name_the_route(url: str, path: str) -> None:
    used = Service.of(ServerSettings(transcriber_url=url), MediaSettings())
    assert used is not None
    assert httpx2.URL(used.url).path == path


@pytest.mark.parametrize("url", ["http://h:99999/v1", "http://h%/v1", "http://<h>/v1"])
def test_an_address_that_no_client_takes_ends_the_start(url: str) -> None:
    with pytest.raises(TranscriberSettingsError, match="--transcriber-url: "):
        Service.of(ServerSettings(transcriber_url=url), MediaSettings())


def test_the_key_is_the_one_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    used = Service.of(_with_key(file), MediaSettings())
    assert used is not None
    assert used.key == KEY


@pytest.mark.parametrize("text", ["", "\n", "two lines\nof text", "a\nb", "schlüssel"])
def test_another_file_is_refused_without_telling_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(TranscriberSettingsError, match="must hold the key alone") as caught:
        Service.of(_with_key(file), MediaSettings())
    assert not text.strip() or text.strip() not in str(caught.value)
    with pytest.raises(TranscriberSettingsError, match="cannot be read"):
        Service.of(_with_key(tmp_path / "absent"), MediaSettings())


def _with_key(file: Path) -> ServerSettings:
    return ServerSettings(transcriber_url="http://h/v1", transcriber_key_file=file)


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(Service(URL, "m", KEY))


async def test_a_cancelled_request_ends_the_exchange() -> None:
    begun = asyncio.Event()

    async def hang(_: Asked) -> httpx2.Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(hear(Service(URL, "m", transport=FakeService(hang))))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_what_is_logged_about_an_answer_has_none_of_it() -> None:
    body: dict[str, Any] = {"text": 7, "secret": "words of a clip"}
    with pytest.raises(TranscriptionError) as caught:
        asyncio.run(hear(Service(URL, "m", transport=_answers(json.dumps(body)))))
    assert "words of a clip" not in caught.value.reason


def _answers(text: str) -> FakeService:
    return FakeService(lambda _: httpx2.Response(200, text=text))
