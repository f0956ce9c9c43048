"""The server that all of this folder's tests have asked is killed; this is the last of them."""

import pytest

from devtools.server import Server
from tests.support.ends import family_of, left_of


@pytest.fixture(autouse=True)
def _healthy_after_every_test() -> None:
    """Take the place of the check of a server that runs."""


def test_when_the_server_is_killed_nothing_of_it_is_left(server: Server) -> None:
    family = family_of(server)
    server.process.kill()
    server.process.wait(10)
    assert not left_of(family)
