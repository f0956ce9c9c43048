"""A slice of `make fuzz`: mutated clips and hostile requests, the same ones each time."""

from pathlib import Path

import pytest

from devtools.server import Server
from tests.fuzz.campaign import shoot
from tests.fuzz.gallery import Gallery
from tests.fuzz.log import tracebacks
from tests.fuzz.target import Target


@pytest.mark.parametrize(
    ("clips", "requests", "bodies"), [(15, 50, 3), pytest.param(60, 300, 1, marks=pytest.mark.slow)]
)
def test_hostile_clips_and_requests_are_answered_as_documented(
    server: Server, media_root: Path, tmp_path: Path, clips: int, requests: int, bodies: int
) -> None:
    logged = len(server.log.read_bytes())
    with Gallery(Target.of(server, media_root), tmp_path, longest_stall=1) as gallery:
        shoot(gallery, seed=1, clips=clips, requests=requests, bodies=bodies)
    assert [str(failure) for failure in gallery.failures] == []
    assert gallery.sent > clips + requests
    log = server.log.read_bytes()[logged:].decode(errors="replace")
    assert [traceback for traceback in tracebacks(log) if traceback.is_ours] == []
