"""The size of a request's body."""

import pytest

from tests.support.apps.gate import Call, House


async def test_a_declared_size_is_refused_unread() -> None:
    house = House(max_upload_mb=1)
    call = await Call(house, headers={"Content-Length": str(2 << 20)}).answer()
    assert call.status == 413
    assert call.reads == 0


@pytest.mark.parametrize("declared", [{}, {"Content-Length": "10"}])
async def test_a_larger_body_than_declared_is_refused(declared: dict[str, str]) -> None:
    house = House(max_upload_mb=1)
    call = await Call(house, headers=declared, body=b"x" * (2 << 20)).answer()
    assert call.status == 413
    assert "--max-upload-mb" in call.text
