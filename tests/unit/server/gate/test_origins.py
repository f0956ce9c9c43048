"""Pages in browsers that use a server without keys."""

import pytest

from tests.support.apps.gate import Call, House

NEAR = (
    *("http://127.0.0.1:7889", "http://[::1]:7889", "http://192.168.1.7", "http://localhost:3000"),
    *("http://server:7889", "https://app.localhost", "http://lab.local", "http://x.internal:8080"),
)
FAR = (
    *("https://evil.example", "http://evil.example:7889", "http://127.0.0.1.evil.example", "null"),
    *("http://localhost.evil.example", "http://[", "", "evil", "http://evil.example.", "x" * 4000),
)


def open_house(**settings: object) -> House:
    house = House(**settings)  # type: ignore[arg-type]
    house.go_on.set()
    return house


@pytest.mark.parametrize("origin", FAR)
async def test_a_page_from_the_internet_is_refused(origin: str) -> None:
    call = await Call(open_house(), "/work", headers={"Origin": origin}).answer()
    assert call.status == 403
    assert "--allowed-origins" in call.text
    assert len(call.text) < 600


@pytest.mark.parametrize("origin", NEAR)
async def test_a_page_from_here_is_answered(origin: str) -> None:
    assert (await Call(open_house(), "/work", headers={"Origin": origin}).answer()).status == 200


async def test_a_program_names_no_origin() -> None:
    assert (await Call(open_house(), "/work").answer()).status == 200


@pytest.mark.parametrize("allowed", ["*", "https://evil.example"])
async def test_an_origin_that_is_named_is_answered(allowed: str) -> None:
    house = open_house(origins=(allowed,))
    headers = {"Origin": "https://evil.example"}
    assert (await Call(house, "/work", headers=headers).answer()).status == 200


async def test_where_keys_are_needed_the_key_decides() -> None:
    house = open_house(keys="a:k")
    headers = {"Origin": "https://evil.example"}
    assert (await Call(house, "/work", headers=headers).answer()).status == 401
    headers["X-API-Key"] = "k"
    assert (await Call(house, "/work", headers=headers).answer()).status == 200
