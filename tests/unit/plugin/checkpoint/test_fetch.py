"""Inputs of a conversion that are somewhere else, fetched from servers that misbehave."""

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, ClassVar

import pytest

from emotion_llama_vllm.checkpoint.fetch import FetchError, local_file, local_folder

CONTENT = bytes(range(256)) * 4096
HALF = len(CONTENT) // 2
COMMIT = "c" * 40


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Origin(BaseHTTPRequestHandler):
    """One file at every path; each test derives a class of its own and turns its knobs."""

    content = CONTENT
    etag: str | None = '"one"'
    status = 200
    content_type = "application/octet-stream"
    knows_range = True
    heeds_if_range = True
    withheld = 0
    """Bytes at the end of a range that the server keeps to itself, as it may."""
    limit: int | None = None
    """After so many bytes of a body the server hangs up."""
    served = 0
    ranges: list[str | None]

    def do_GET(self) -> None:
        kind = type(self)
        kind.ranges.append(self.headers["Range"])
        start = self.start()
        if start >= len(self.content) or self.status != 200:
            self.send_response(self.status if self.status != 200 else 416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        end = len(self.content) - (self.withheld if start else 0)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(self.content)}")
        if self.etag is not None:
            self.send_header("ETag", self.etag)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        body = self.content[start:end][: self.limit]
        kind.served += len(body)
        with contextlib.suppress(ConnectionError):  # who wants no page hangs up
            self.wfile.write(body)

    def start(self) -> int:
        same = self.headers["If-Range"] == self.etag or not self.heeds_if_range
        if not (self.knows_range and same and self.headers["Range"]):
            return 0
        return int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def origin() -> type[Origin]:
    return type("ThisOrigin", (Origin,), {"ranges": []})


@pytest.fixture
def url(origin: type[Origin]) -> Iterator[str]:
    with serving(origin) as address:
        yield f"{address}/folder/weights.pth?download=1"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOTION_LLAMA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def place(cache: Path, url: str) -> Path:
    """The folder in which the cache keeps what it has of `url`."""
    return cache / "downloads" / hashlib.sha256(url.encode()).hexdigest()[:16]


def interrupt(origin: type[Origin], url: str) -> None:
    """Let a first download break off half way."""
    origin.limit = HALF
    with pytest.raises(
        FetchError, match=r"received 524288 bytes, expected 1048576.*run this again"
    ):
        local_file(url)
    origin.limit = None


class TestFile:
    def test_an_existing_file_is_returned_as_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "weights.pth"
        path.write_bytes(CONTENT)
        assert local_file(str(path)) == path

    @pytest.mark.parametrize(
        "given", ["", " ", "no/such.pth", "ftp://host/x", "a\0b", "x" * 5000, "/etc"]
    )
    def test_what_is_neither_a_file_nor_a_url_is_refused(self, given: str) -> None:
        with pytest.raises(FetchError, match="give a file that exists"):
            local_file(given)

    @pytest.mark.usefixtures("cache")
    @pytest.mark.parametrize(
        "given", ["http://", "http:///x", "http://[::1/x", "http://a\0b/", f"http://{'a' * 300}/"]
    )
    def test_a_url_that_is_none_is_refused(self, given: str) -> None:
        with pytest.raises(FetchError, match="check the URL"):
            local_file(given)

    def test_a_whole_download(self, origin: type[Origin], url: str, cache: Path) -> None:
        target = local_file(url)
        assert target == place(cache, url) / "weights.pth"
        assert target.read_bytes() == CONTENT
        assert list(target.parent.iterdir()) == [target]
        assert origin.ranges == [None]

    @pytest.mark.usefixtures("cache")
    def test_a_second_call_makes_no_request(self, origin: type[Origin], url: str) -> None:
        assert local_file(url) == local_file(url)
        assert len(origin.ranges) == 1

    def test_the_default_cache_is_in_the_home_folder(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("EMOTION_LLAMA_CACHE", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert local_file(url).is_relative_to(tmp_path / ".cache" / "emotion-llama")

    @pytest.mark.usefixtures("cache")
    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("/", "file"),
            ("/a/%2e%2e", "file"),
            ("/a%2F..%2F..%2F.profile", "profile"),
            ("/a%00b%20c.pth", "a_b_c.pth"),
            ("/" + "x" * 300 + ".pth", "x" * 196 + ".pth"),
        ],
    )
    def test_names_are_made_harmless(self, url: str, path: str, name: str) -> None:
        target = local_file(url.replace("/folder/weights.pth", path))
        assert target.name == name
        assert target.read_bytes() == CONTENT


@pytest.mark.usefixtures("cache")
class TestResume:
    def test_an_interrupted_download_goes_on(
        self, origin: type[Origin], url: str, cache: Path
    ) -> None:
        interrupt(origin, url)
        assert (place(cache, url) / "weights.pth.partial").stat().st_size == HALF
        assert not (place(cache, url) / "weights.pth").exists()
        target = local_file(url)
        assert target.read_bytes() == CONTENT
        assert list(target.parent.iterdir()) == [target]
        assert origin.ranges == [None, f"bytes={HALF}-"]
        assert origin.served == len(CONTENT)

    def test_a_server_without_range_sends_all(self, origin: type[Origin], url: str) -> None:
        origin.knows_range = False
        interrupt(origin, url)
        assert local_file(url).read_bytes() == CONTENT
        assert origin.served == HALF + len(CONTENT)

    @pytest.mark.parametrize(("heeds_if_range", "requests"), [(True, 2), (False, 3)])
    def test_a_changed_file_is_fetched_from_its_start(
        self, origin: type[Origin], url: str, heeds_if_range: bool, requests: int
    ) -> None:
        interrupt(origin, url)
        origin.heeds_if_range = heeds_if_range
        origin.etag, origin.content = '"two"', CONTENT[::-1]
        assert local_file(url).read_bytes() == CONTENT[::-1]
        assert len(origin.ranges) == requests

    def test_a_file_that_shrank_is_fetched_from_its_start(
        self, origin: type[Origin], url: str
    ) -> None:
        interrupt(origin, url)
        origin.content = b"short"
        assert local_file(url).read_bytes() == b"short"
        assert origin.ranges == [None, f"bytes={HALF}-", None]

    def test_a_server_that_gives_less_than_the_rest_is_asked_for_all(
        self, origin: type[Origin], url: str
    ) -> None:
        interrupt(origin, url)
        origin.withheld = 10
        assert local_file(url).read_bytes() == CONTENT
        assert origin.ranges == [None, f"bytes={HALF}-", None]

    @pytest.mark.parametrize("etag", [None, 'W/"one"'])
    def test_without_a_strong_etag_nothing_is_kept(
        self, origin: type[Origin], url: str, cache: Path, etag: str | None
    ) -> None:
        origin.etag = etag
        interrupt(origin, url)
        assert not list(place(cache, url).iterdir())
        assert local_file(url).read_bytes() == CONTENT
        assert origin.ranges == [None, None]

    @pytest.mark.parametrize("status", [404, 503])
    def test_an_http_error_is_told_and_keeps_what_has_come(
        self, origin: type[Origin], url: str, status: int
    ) -> None:
        interrupt(origin, url)
        origin.status = status
        with pytest.raises(FetchError, match=f"weights.pth.*HTTP {status}.*check the URL"):
            local_file(url)
        origin.status = 200
        local_file(url)
        assert origin.served == len(CONTENT)

    def test_a_full_disk_is_told_and_keeps_what_has_come(
        self, origin: type[Origin], url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really_open = Path.open

        def open_on_full_disk(path: Path, mode: str = "r", **options: Any) -> IO[Any]:
            return FullDisk(path) if mode == "ab" else really_open(path, mode, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", open_on_full_disk)
            with pytest.raises(FetchError, match=r"No space left on device.*make room in .*/cache"):
                local_file(url)
        assert local_file(url).read_bytes() == CONTENT
        assert origin.ranges[1] is not None


class FullDisk(io.FileIO):
    """A file on a disk that is full after the file's first half."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "ab")

    def write(self, data: Any) -> int:
        if self.tell() >= HALF:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


@pytest.mark.usefixtures("cache")
class TestNoFile:
    def test_a_page_is_no_file(self, origin: type[Origin], url: str) -> None:
        origin.content_type = "text/html; charset=utf-8"
        with pytest.raises(FetchError, match="a page instead of a file"):
            local_file(url)

    @pytest.mark.parametrize("status", [204, 206, 304])
    def test_an_answer_that_was_not_asked_for(
        self, origin: type[Origin], url: str, cache: Path, status: int
    ) -> None:
        origin.status = status
        with pytest.raises(FetchError, match=r"page instead of a file|HTTP 304"):
            local_file(url)
        assert not list(place(cache, url).iterdir())

    def test_nobody_there(self) -> None:
        with pytest.raises(FetchError, match="Connection refused"):
            local_file("http://127.0.0.1:9/weights.pth")


class Hub(BaseHTTPRequestHandler):
    """As much of Hugging Face as fetching the files of a repository needs."""

    files: ClassVar[dict[str, bytes]] = {
        "config.json": b"{}",
        "model.safetensors": CONTENT,
        "run_me.py": b"raise SystemExit",
    }
    asked: list[str]
    """Paths of the files that were fetched."""

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/api/models/").removeprefix("/")
        owner, name, kind, revision, *rest = path.split("/")
        if owner == "down":
            self.reply(503)
        elif f"{owner}/{name}" not in ("owner/name", "owner/gated401", "owner/gated403"):
            self.reply(401, {"X-Error-Code": "RepoNotFound"})
        elif revision not in ("main", "v1", COMMIT):
            self.reply(404, {"X-Error-Code": "RevisionNotFound"})
        elif kind == "revision":
            self.reply(200, body=json.dumps({"id": f"{owner}/{name}", "sha": COMMIT}).encode())
        elif kind == "tree":
            self.reply(200, body=json.dumps([*map(self.entry, self.files)]).encode())
        elif name.startswith("gated"):
            self.reply(int(name[-3:]), {"X-Error-Code": "GatedRepo"})
        else:
            type(self).asked.append(f"{self.command} {rest[0]}")
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{rest[0]}"'}
            self.reply(200, headers, self.files[rest[0]])

    def entry(self, path: str) -> dict[str, object]:
        return {"type": "file", "path": path, "size": len(self.files[path]), "oid": "0" * 40}

    def reply(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class TestFolder:
    @pytest.fixture
    def hub(self) -> type[Hub]:
        return type("ThisHub", (Hub,), {"asked": []})

    @pytest.fixture
    def endpoint(self, hub: type[Hub]) -> Iterator[str]:
        with serving(hub) as address:
            yield address

    @pytest.fixture
    def environment(self, endpoint: str, tmp_path: Path) -> dict[str, str]:
        """For a process of its own: huggingface_hub reads these when it is imported."""
        return os.environ | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(tmp_path),
            "HF_HUB_CACHE": str(tmp_path / "hub"),
            "HF_HUB_OFFLINE": "0",
        }

    @staticmethod
    def fetched(environment: dict[str, str], given: str, *files: str) -> str:
        """What `local_folder` returns, or the sentence that it fails with."""
        script = (
            "import sys; from emotion_llama_vllm.checkpoint.fetch import FetchError, local_folder\n"
            "try: print(local_folder(sys.argv[1], files=sys.argv[2:]))\n"
            "except FetchError as error: print(error)"
        )
        command = [sys.executable, "-c", script, given, *files]
        return subprocess.run(
            command, env=environment, text=True, stdout=subprocess.PIPE, check=True, timeout=60
        ).stdout.strip()

    def test_an_existing_folder_is_returned_as_it_is(self, tmp_path: Path) -> None:
        assert local_folder(str(tmp_path), files=["*.json"]) == tmp_path

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(FetchError, match="give the folder that it lies in"):
            local_folder(str(tmp_path / "file"), files=["*"])

    @pytest.mark.parametrize(
        "given",
        [
            *("", " ", "name", "/no/such/folder", "../x", "./x", "a/b/c", "a/b@", "a/b@-x", "ä/b"),
            *("https://huggingface.co/a/b", "a/b\n", "a\0/b", "x" * 5000, "a/" + "b" * 97),
        ],
    )
    def test_what_is_neither_a_folder_nor_an_id_is_refused(
        self, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "empty").mkdir()
        monkeypatch.chdir(tmp_path / "empty")
        with pytest.raises(FetchError, match="neither a folder that exists nor"):
            local_folder(given, files=["*"])

    def test_an_id_that_hugging_face_does_not_allow_is_refused(self) -> None:
        with pytest.raises(FetchError, match="a--b"):
            local_folder("owner/a--b", files=["*"])

    @pytest.mark.parametrize("given", ["owner/name", "owner/name@v1", f"owner/name@{COMMIT}"])
    @pytest.mark.costly
    def test_the_files_named_are_fetched_and_no_others(
        self, environment: dict[str, str], hub: type[Hub], given: str
    ) -> None:
        folder = Path(self.fetched(environment, given, "*.json", "*.safetensors"))
        assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}
        assert (folder / "model.safetensors").read_bytes() == CONTENT
        asked = len(hub.asked)
        assert Path(self.fetched(environment, given, "*.json", "*.safetensors")) == folder
        assert len(hub.asked) == asked

    @pytest.mark.costly
    def test_what_is_in_the_cache_needs_no_network(self, environment: dict[str, str]) -> None:
        folder = self.fetched(environment, "owner/name", "*.json")
        offline = environment | {"HF_HUB_OFFLINE": "1"}
        assert self.fetched(offline, "owner/name", "*.json") == folder
        assert "offline mode is enabled" in self.fetched(offline, "owner/name", "*.safetensors")

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ("owner/gated401", "accept its licence on http://.*/owner/gated401 .*`hf auth login`"),
            ("owner/gated403", "accept its licence on http://.*/owner/gated403 .*`hf auth login`"),
            ("owner/none", "owner/none is neither .* check the name"),
            ("owner/name@v2", "owner/name has no revision 'v2'"),
            ("down/name", "HTTP 503"),
        ],
    )
    @pytest.mark.costly
    def test_refusals(self, environment: dict[str, str], given: str, sentence: str) -> None:
        answer = self.fetched(environment, given, "*.json")
        assert re.search(sentence, answer)
        assert "\n" not in answer

    @pytest.mark.costly
    def test_a_repository_without_such_files(self, environment: dict[str, str]) -> None:
        assert "has none of the files *.gguf" in self.fetched(environment, "owner/name", "*.gguf")

    def test_nobody_there(self, environment: dict[str, str]) -> None:
        nobody = environment | {"HF_ENDPOINT": "http://127.0.0.1:9"}
        assert "Connection refused" in self.fetched(nobody, "owner/name", "*.json")
