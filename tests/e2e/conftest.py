"""One engine for all of these tests: the demo, in float32, as `emotion-llama serve` starts it."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openai
import pytest

from devtools.media import Recipe, write_clip
from devtools.server import Server, running_server
from emotion_llama_vllm import demo_files
from tests.support.documents import make_folder
from tests.support.golden.reference import Reference
from tests.support.npm import npm, require_npm
from tests.support.services.traces import Collector, running_collector
from tests.support.services.transcription import running_service

MODEL = demo_files.MODEL_NAME


@pytest.fixture(scope="session")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and bad clips, and a file beside it that nobody may read."""
    root = tmp_path_factory.mktemp("media") / "root"
    (root / "folder").mkdir(parents=True)
    for index in range(16):
        recipe = Recipe(seed=index, hertz=200 + 30 * index, seconds=0.5 + 0.1 * index)
        write_clip(root / f"clip{index}.mp4", recipe)
    good = (root / "clip0.mp4").read_bytes()
    write_clip(root / "silent.mp4", Recipe(audio=None))
    write_clip(root / "recorded.webm", Recipe("webm", "libvpx", "libopus", live=True))
    write_clip(root / "camera.avi", Recipe("avi", "mpeg4", "libmp3lame"))
    write_clip(root / "voice.flac", Recipe("flac", None, "flac"))
    write_clip(root / "rare.avi", Recipe("avi", "huffyuv", "pcm_s16le", pixels="yuv422p"))
    (root / "empty.mp4").write_bytes(b"")
    (root / "truncated.mp4").write_bytes(good[: len(good) // 2])
    (root / "corrupt.mp4").write_bytes(good[:200] + bytes(range(256)) * 20)
    (root / "text.mp4").write_text("This is no video.\n" * 50)
    write_clip(root.parent / "outside.mp4")
    (root / "link.mp4").symlink_to(root.parent / "outside.mp4")
    return root


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def origin(media_root: Path) -> Iterator[str]:
    """A web server for the clips; its host:port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(media_root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """What receives the server's traces."""
    with running_collector() as running:
        yield running


@pytest.fixture(scope="session")
def transcriber() -> Iterator[str]:
    """A transcription service; its base address."""
    with running_service() as url:
        yield url


@pytest.fixture(scope="session")
def server(
    media_root: Path,
    origin: str,
    collector: Collector,
    transcriber: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    log = folder / "log"
    flags = ["--dtype", "float32", "--media-root", str(media_root)]
    flags += ["--transcriber-url", transcriber, "--data-dir", str(folder / "data")]
    fetching = ["--allowed-media-domains", origin, "--allow-private-media-host", origin]
    flags += ["--otlp-traces-endpoint", f"http://127.0.0.1:{collector.port}"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")  # milliseconds; 5 s by default
        with running_server(log, *flags, *fetching) as started:
            yield started


@pytest.fixture(scope="session")
def client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference(demo_files.checkpoint())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder like the checkout, for what readers do in theirs."""
    return make_folder(tmp_path / "checkout")


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the JavaScript client, built."""
    require_npm()
    built = make_folder(tmp_path_factory.mktemp("sdk") / "checkout") / "clients/js"
    quick = ("--omit=optional", "--prefer-offline", "--no-audit", "--no-fund")
    npm(built, "ci", *quick)  # without the programs that lint
    npm(built, "run", "build")
    return built


@pytest.fixture(autouse=True)
def _healthy_after_every_test(server: Server) -> Iterator[None]:
    yield
    assert server.is_healthy()
