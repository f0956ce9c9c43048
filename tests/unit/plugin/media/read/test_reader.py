"""What a request may read, and how each refusal is told."""

import asyncio
import errno
import os
import resource
import threading
import time
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
    ServerBusy,
)
from emotion_llama_vllm.media.read import reader as module
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.media.read.threads import Threads
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
        with pytest.raises(MediaError, match=r"outside the folders.* upload the file") as caught:
            read(reader, path)
        assert caught.value.status == 400

    @pytest.mark.parametrize("path", ["missing.mp4", "folder/missing.mp4", "one.mp4/x"])
    def test_missing_inside_is_not_found(self, reader: MediaReader, path: str) -> None:
        with pytest.raises(MediaNotFound, match=r"--media-root.*check the name, or upload"):
            read(reader, path)

    @pytest.mark.parametrize("path", ["folder", "pipe"])
    def test_only_regular_files_are_read(self, reader: MediaReader, path: str) -> None:
        with pytest.raises(MediaError, match="no regular file"):
            read(reader, path)

    @pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "", "  ", "file://host/x", "ftp://x/y"])
    def test_what_is_no_path_is_refused(self, reader: MediaReader, path: str) -> None:
        with pytest.raises(MediaError):
            read(reader, path)

    @pytest.mark.parametrize(
        "path",
        ["a/" * 50_000, "./" * 2049, "x" * 4097, "\u732b" * 1366, "../" * 10**6, "a" * 10**7],
    )
    def test_a_path_over_4096_bytes_is_refused_before_it_is_resolved(
        self, reader: MediaReader, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MediaReader, "_resolve", None)
        with pytest.raises(MediaError, match="path is over 4096 bytes") as caught:
            read(reader, path)
        assert caught.value.status == 400

    @pytest.mark.parametrize(
        "url",
        ["http://a.example/" + "x" * 8192, "FILE:///" + "a/" * 5000, "https://" + "\u732b" * 2740],
    )
    def test_a_url_over_8_kib_is_refused_before_it_is_parsed(
        self, reader: MediaReader, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MediaReader, "_fetch", None)
        monkeypatch.setattr(MediaReader, "_resolve", None)
        with pytest.raises(MediaError, match="URL is over 8192 bytes") as caught:
            read(reader, url)
        assert caught.value.status == 400

    def test_the_path_in_a_file_url_is_no_longer_than_a_path(self, reader: MediaReader) -> None:
        with pytest.raises(MediaError, match="path is over 4096 bytes"):
            read(reader, "file:///" + "a/" * 2500)

    @pytest.mark.parametrize(
        ("path", "statuses"),
        [
            ("a/" * 2047, {404}),
            ("./" * 2047, {400}),
            ("folder/../" * 409, {400}),
            ("here/" * 800 + "one.mp4", {200}),
            ("loop", {400, 404}),
            ("loop/x", {400, 404}),
            ("link0", {400, 404}),
            ("n" * 256, {400, 404}),
            ("n" * 255, {404}),
            ("a\0b", {400}),
            ("\ud800", {400}),
            ("\udcff.mp4", {400, 404}),
            ("file:///a%00b", {400}),
            ("file://[x", {400}),
        ],
    )
    def test_odd_paths_are_answered_quickly(
        self, reader: MediaReader, roots: list[Path], path: str, statuses: set[int]
    ) -> None:
        (roots[0] / "loop").symlink_to("pool")
        (roots[0] / "pool").symlink_to("loop")
        (roots[0] / "here").symlink_to(".")
        links = 1500 if path == "link0" else 0  # more than Python calls functions
        for number in range(links):
            (roots[0] / f"link{number}").symlink_to(f"link{number + 1}")
        started = time.monotonic()
        try:
            status = 200 if read(reader, path) == CONTENT else 0
        except MediaError as error:
            status = error.status
        assert status in statuses
        assert time.monotonic() - started < 2

    @pytest.mark.costly
    def test_a_file_system_that_hangs_holds_up_neither_others_nor_the_request(
        self, reader: MediaReader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A network's file system: every thread for files hangs, and data URLs are still read."""
        healthy = threading.Event()
        resolve = MediaReader._resolve
        pool = Threads("threads for files", 2, wait_seconds=0.2)
        monkeypatch.setattr(module, "files", pool)

        def hang(self: MediaReader, path: str) -> str:
            healthy.wait()
            return resolve(self, path)

        monkeypatch.setattr(MediaReader, "_resolve", hang)

        async def ask() -> None:
            stuck = [asyncio.ensure_future(reader.open("one.mp4")) for _ in range(2)]
            await asyncio.sleep(0.1)
            with pytest.raises(ServerBusy, match="all stuck"):
                await reader.open("two.mp4")
            data = f"data:;base64,{pybase64.b64encode(CONTENT).decode()}"
            (await reader.open(data)).close()
            for task in stuck:
                with pytest.raises(ServerBusy, match="within 1 s"):
                    await task

        try:
            asyncio.run(ask())
        finally:
            healthy.set()
        monkeypatch.undo()
        assert read(reader, "one.mp4") == CONTENT

    def test_a_file_opened_for_nobody_is_closed(
        self, reader: MediaReader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        goes_on, closed = threading.Event(), threading.Event()
        check, close = MediaReader._check_opened, module.ClipFile.close

        def wait(self: MediaReader, descriptor: int) -> None:
            goes_on.wait(10)
            check(self, descriptor)

        def tell(self: module.ClipFile) -> None:
            close(self)
            closed.set()

        monkeypatch.setattr(MediaReader, "_check_opened", wait)
        monkeypatch.setattr(module.ClipFile, "close", tell)

        async def leave() -> None:
            task = asyncio.ensure_future(reader.open("one.mp4"))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            goes_on.set()

        asyncio.run(leave())
        assert closed.wait(5)

    @pytest.mark.parametrize(
        ("number", "status"),
        [
            (errno.EMFILE, 503),
            (errno.ENFILE, 503),
            (errno.ENOMEM, 503),
            (errno.EACCES, 400),
            (errno.EIO, 400),
        ],
    )
    def test_what_the_server_lacks_is_not_the_clips_fault(
        self, reader: MediaReader, monkeypatch: pytest.MonkeyPatch, number: int, status: int
    ) -> None:
        def fail(*args: object, **kwargs: object) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "open", fail)
        with pytest.raises(MediaError) as caught:
            read(reader, "one.mp4")
        monkeypatch.undo()
        assert caught.value.status == status
        assert (caught.value.field is None) == (status == 503)

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
            ("data:video/mp4;base64", "comma"),
            ("data:video/mp4;base64,@@@@", "base64 is not valid"),
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


@pytest.mark.parametrize("url", ["one.mp4", "data:;base64,AAAA", "http://127.0.0.1:9/x"])
def test_without_descriptors_the_server_is_busy(tmp_path: Path, url: str) -> None:
    (tmp_path / "one.mp4").write_bytes(CONTENT)
    settings = SETTINGS.model_copy(update={"allow_private_media_host": ("127.0.0.1:9",)})
    reader = MediaReader(roots=(tmp_path,), domains=("127.0.0.1:9",), settings=settings)

    async def starve() -> None:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken = os.open(os.devnull, os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (taken + 1, limits[1]))
        try:
            with pytest.raises(ServerBusy, match="no file descriptors left") as caught:
                await reader.open(url)
            assert caught.value.status == 503
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            os.close(taken)

    asyncio.run(starve())


@pytest.mark.costly
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
