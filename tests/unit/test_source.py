"""What a request may read, and how each refusal is told."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pybase64
import pytest

from emotion_llama_vllm.media.errors import MediaError, MediaNotFound, MediaTooLarge
from emotion_llama_vllm.media.source import MediaReader
from emotion_llama_vllm.settings import MediaSettings

CONTENT = b"\x00\x00\x00\x18ftypisom" + bytes(1000)
SETTINGS = MediaSettings(max_media_mb=0.01, media_fetch_seconds=1)


def read(reader: MediaReader, url: str) -> bytes:
    return asyncio.run(reader.read(url))


class TestPaths:
    @pytest.fixture
    def roots(self, tmp_path: Path) -> tuple[Path, Path]:
        first, second = tmp_path / "first", tmp_path / "second"
        for root in (first, second):
            (root / "folder").mkdir(parents=True)
        (first / "one.mp4").write_bytes(CONTENT)
        (second / "two.mp4").write_bytes(CONTENT)
        (first / "with space.mp4").write_bytes(CONTENT)
        (tmp_path / "outside.mp4").write_bytes(CONTENT)
        (first / "out").symlink_to(tmp_path / "outside.mp4")
        (first / "in").symlink_to(second / "two.mp4")
        os.mkfifo(first / "pipe")
        return first, second

    @pytest.fixture
    def reader(self, roots: tuple[Path, Path]) -> MediaReader:
        return MediaReader(roots=roots, domains=(), settings=SETTINGS)

    @pytest.mark.parametrize(
        "path",
        ["one.mp4", "two.mp4", "folder/../one.mp4", "in", "with space.mp4"],
    )
    def test_relative_paths_are_tried_in_each_root(self, reader: MediaReader, path: str) -> None:
        assert read(reader, path) == CONTENT

    def test_absolute_paths_and_file_urls(self, reader: MediaReader, roots: list[Path]) -> None:
        path = roots[0] / "with space.mp4"
        assert read(reader, str(path)) == CONTENT
        assert read(reader, path.as_uri()) == CONTENT

    @pytest.mark.parametrize(
        "path", ["../outside.mp4", "out", "/etc/passwd", "/no/such", "..", "file:///etc/passwd"]
    )
    def test_outside_is_refused_whether_or_not_it_exists(
        self, reader: MediaReader, path: str
    ) -> None:
        with pytest.raises(MediaError, match="outside the folders") as caught:
            read(reader, path)
        assert caught.value.status == 400

    @pytest.mark.parametrize("path", ["missing.mp4", "folder/missing.mp4", "one.mp4/x"])
    def test_missing_inside_is_not_found(self, reader: MediaReader, path: str) -> None:
        with pytest.raises(MediaNotFound):
            read(reader, path)

    @pytest.mark.parametrize("path", ["folder", "pipe"])
    def test_only_regular_files_are_read(self, reader: MediaReader, path: str) -> None:
        with pytest.raises(MediaError, match="no regular file"):
            read(reader, path)

    @pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "", "  ", "file://host/x", "ftp://x/y"])
    def test_what_is_no_path_is_refused(self, reader: MediaReader, path: str) -> None:
        with pytest.raises(MediaError):
            read(reader, path)

    def test_a_large_file_is_refused(self, reader: MediaReader, roots: list[Path]) -> None:
        (roots[0] / "large").write_bytes(bytes(20_000))
        with pytest.raises(MediaTooLarge, match=r"over 0\.01 MiB"):
            read(reader, "large")

    def test_no_message_tells_a_resolved_path(self, reader: MediaReader, roots: list[Path]) -> None:
        for path in ("missing.mp4", "out", "folder", "../outside.mp4"):
            with pytest.raises(MediaError) as caught:
                read(reader, path)
            assert str(roots[0].parent) not in str(caught.value)

    def test_nothing_is_readable_by_default(self) -> None:
        reader = MediaReader(roots=(), domains=(), settings=SETTINGS)
        for path in ("/etc/hostname", "x", "http://localhost/x"):
            with pytest.raises(MediaError):
                read(reader, path)


class TestDataUrls:
    reader = MediaReader(roots=(), domains=(), settings=SETTINGS)

    @pytest.mark.parametrize("head", ["data:video/mp4;base64", "DATA:;base64", "data:x;a=b;base64"])
    def test_base64_is_read(self, head: str) -> None:
        url = f"{head},{pybase64.b64encode(CONTENT).decode()}"
        assert read(self.reader, url) == CONTENT

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("data:video/mp4,plain", "base64 only"),
            ("data:video/mp4;base64", "base64 only"),
            ("data:video/mp4;base64,@@@@", "not valid base64"),
            ("data:video/mp4;base64,", "empty"),
            ("data:video/jpeg;base64,AAAA", "sequence of JPEGs"),
            ("data:video/mp4;base64,AAAA,AAAA", "sequence of JPEGs"),
        ],
    )
    def test_anything_else_is_refused(self, url: str, reason: str) -> None:
        with pytest.raises(MediaError, match=reason):
            read(self.reader, url)

    def test_a_large_one_is_refused_before_it_is_decoded(self) -> None:
        with pytest.raises(MediaTooLarge):
            read(self.reader, "data:;base64," + "@" * 20_000)


class Origin(BaseHTTPRequestHandler):
    """Answers as its path says."""

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):
                for _ in range(40):
                    self.wfile.write(b"x")
                    threading.Event().wait(0.1)
        else:
            body = {"/clip": CONTENT, "/large": bytes(20_000), "/empty": b""}.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):  # a capped reader hangs up
                self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


class TestUrls:
    @pytest.fixture
    def reader(self, origin: str) -> MediaReader:
        return MediaReader(roots=(), domains=(origin,), settings=SETTINGS)

    def test_an_allowed_domain_is_fetched(self, reader: MediaReader, origin: str) -> None:
        assert read(reader, f"http://{origin}/clip") == CONTENT
        assert read(reader, f"http://{origin}/to//clip") == CONTENT

    def test_a_host_alone_allows_only_the_usual_ports(self, origin: str) -> None:
        reader = MediaReader(roots=(), domains=("127.0.0.1",), settings=SETTINGS)
        with pytest.raises(MediaError, match="does not fetch from"):
            read(reader, f"http://{origin}/clip")

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/missing", "status 404"),
            ("/empty", "empty"),
            ("/to/http://localhost/clip", "does not fetch from 'localhost'"),
            ("/to/file:///etc/passwd", "must read http"),
            ("/to//to//to//to//to//clip", "redirects over 3 times"),
            ("/drip", "took over 1 s"),
        ],
    )
    def test_refusals(self, reader: MediaReader, origin: str, path: str, reason: str) -> None:
        with pytest.raises(MediaError, match=reason) as caught:
            read(reader, f"http://{origin}{path}")
        assert caught.value.status == 400

    def test_bytes_are_capped_while_reading(self, reader: MediaReader, origin: str) -> None:
        with pytest.raises(MediaTooLarge):
            read(reader, f"http://{origin}/large")

    @pytest.mark.parametrize(
        "url",
        [
            "http://{origin}@evil.example/clip",
            "http://evil.example\\@{origin}/clip",
            "http://user:word@{origin}/clip",
            "http:///clip",
            "http://[::1/clip",
            "http://{origin}:99999/clip",
        ],
    )
    def test_no_trick_reaches_another_host(
        self, reader: MediaReader, origin: str, url: str
    ) -> None:
        with pytest.raises(MediaError):
            read(reader, url.format(origin=origin))
