"""A provider for each test, and requests with its tokens."""

from collections.abc import Iterator

import pytest

from tests.support.services.oidc import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.stop()
