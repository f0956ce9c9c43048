"""What the server keeps between the requests of a client."""

import asyncio

import pytest
from starlette.exceptions import HTTPException

from emotion_llama_server.gradio.kept import Kept


@pytest.fixture
def dropped() -> list[str]:
    return []


@pytest.fixture
def kept(dropped: list[str]) -> Kept[str]:
    return Kept(places=2, seconds=0.1, drop=dropped.append)


async def test_a_thing_is_handed_over_once_to_its_owner(kept: Kept[str]) -> None:
    await kept.put("a", "name", "thing")
    assert kept.find("b", "name") is kept.take("b", "name") is None
    assert kept.find("a", "name") == "thing"
    assert kept.take("a", "name") == "thing"
    assert kept.take("a", "name") is None


async def test_what_nobody_takes_is_dropped(kept: Kept[str], dropped: list[str]) -> None:
    await kept.put("a", "taken", "taken")
    await kept.put("a", "left", "left")
    kept.take("a", "taken")
    await asyncio.sleep(0.2)
    assert dropped == ["left"]
    kept.check_room("a", 2)


async def test_an_owner_has_its_places_and_leaves_some_to_others(kept: Kept[str]) -> None:
    await kept.put("a", "large", "thing", 2)
    with pytest.raises(HTTPException) as refused:
        kept.check_room("a")
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "2"})
    await kept.put("b", "small", "thing")
    with pytest.raises(HTTPException):
        kept.check_room("c")
    kept.take("a", "large")
    kept.check_room("c")
