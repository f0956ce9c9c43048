"""The JavaScript client: its own tests, and those that need a server."""

import re
from pathlib import Path

from devtools.paths import CHECKOUT
from devtools.server import Server
from tests.support.npm import npm

CLIP = CHECKOUT / "demo/clips/happy_face.mp4"


def passed(output: str) -> int:
    """How many tests Node reports as passed, in either of its forms."""
    counts = re.findall(r"^(?:#|ℹ) pass (\d+)$", output, re.MULTILINE)
    assert len(counts) == 1, output
    return int(counts[0])


def test_it_passes_its_own_tests(sdk: Path) -> None:
    assert passed(npm(sdk, "test")) > 0


def test_the_page_has_it_as_it_is_built(sdk: Path) -> None:
    """Run `make page-vendor` after a change of the client."""
    copy = CHECKOUT / "clients/page/vendor/emotion-llama-sdk"
    assert contents(copy) == contents(sdk / "dist")


def contents(folder: Path) -> dict[Path, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_it_asks_a_running_server(server: Server, sdk: Path) -> None:
    variables = {"EMOTION_LLAMA_URL": server.url, "EMOTION_LLAMA_CLIP": str(CLIP)}
    assert passed(npm(sdk, "run", "test:live", **variables)) > 0
