"""What a request may read, and how each refusal is told."""

import asyncio
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pybase64
import pytest

from emotion_llama_vllm.media.errors import (
    MediaError,
    MediaNotFound,
    MediaNotReadable,
    MediaTooLarge,
)
from emotion_llama_vllm.media.source import MediaReader
from emotion_llama_vllm.settings import MediaSettings

CONTENT = b"\x00\x00\x00\x18ftypisom" + bytes(1000)
SETTINGS = MediaSettings(max_media_mb=0.01, media_fetch_seconds=1)


def read(reader: MediaReader, url: str) -> bytes:
    async def opened() -> bytes:
        with await reader.open(url) as clip:
            return clip.read()

    return asyncio.run(opened())


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


def test_urls_are_fetched_as_the_operator_allows(tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(CONTENT)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        origin = f"127.0.0.1:{server.server_port}"
        url = f"http://{origin}/clip"
        allowed = SETTINGS.model_copy(update={"allow_private_media_host": (origin,)})
        assert read(MediaReader(roots=(), domains=(origin,), settings=allowed), url) == CONTENT
        for domains, settings in (((), allowed), ((origin,), SETTINGS)):
            with pytest.raises(MediaError, match="127"):
                read(MediaReader(roots=(), domains=domains, settings=settings), url)
        server.shutdown()


def test_a_path_that_changes_between_look_and_open_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A symlink swapped in after the check: what was opened is looked at again."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.mp4").write_bytes(CONTENT)
    (root / "clip.mp4").symlink_to(tmp_path / "secret.mp4")
    monkeypatch.setattr(MediaReader, "_resolve", lambda self, path: str(root / path))
    with pytest.raises(MediaNotReadable):
        read(MediaReader(roots=(root,), domains=(), settings=SETTINGS), "clip.mp4")


def test_a_clip_is_read_from_what_was_opened(tmp_path: Path) -> None:
    """Renamed, replaced or deleted meanwhile: the bytes stay those that were checked."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    reader = MediaReader(roots=(tmp_path,), domains=(), settings=SETTINGS)
    with asyncio.run(reader.open("clip.mp4")) as clip:
        path.unlink()
        path.write_bytes(b"other")
        assert clip.read() == CONTENT
        assert Path(clip.path).read_bytes() == CONTENT
