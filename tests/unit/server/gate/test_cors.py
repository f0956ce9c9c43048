"""Pages of other origins: which may ask, and what they can read of an answer."""

import asyncio

from tests.support.apps.gate import Call, House

ORIGIN = {"Origin": "https://page.example"}


async def test_another_origin_is_let_in_only_if_it_is_named() -> None:
    closed = await Call(House(), "/look", "GET", ORIGIN).answer()
    assert "access-control-allow-origin" not in closed.answered
    house = House(origins=("https://page.example",), keys="a:k")
    answered = (await Call(house, "/look", "GET", ORIGIN).answer()).answered
    assert answered["access-control-allow-origin"] == "https://page.example"
    assert "X-Request-Id" in answered["access-control-expose-headers"]
    preflight = {**ORIGIN, "Access-Control-Request-Method": "POST"}
    call = await Call(house, "/work", "OPTIONS", preflight).answer()
    assert call.status == 200
    assert "x-request-id" in call.answered


async def test_a_page_can_read_every_refusal() -> None:
    house = House(
        origins=(ORIGIN["Origin"],), keys="a:k,b:l", rate_limit="3/minute", request_timeout=0.2
    )
    known = {**ORIGIN, "X-API-Key": "k"}
    calls = [
        await Call(house, headers=ORIGIN).answer(),
        await Call(house, "/livez", headers=ORIGIN).answer(),
        await Call(house, "/nowhere", headers=known).answer(),
        await Call(house, headers={**known, "Cookie": "x" * 10_000}).answer(),
        await Call(house, "/fail", headers=known).answer(),
        *await asyncio.gather(*(Call(house, headers=known).answer() for _ in range(3))),
    ]
    house.door.close("The server is shutting down.")
    calls.append(await Call(house, headers={**ORIGIN, "X-API-Key": "l"}).answer())
    assert [call.status for call in calls] == [401, 405, 404, 431, 500, 504, 504, 429, 503]
    for call in calls:
        assert call.answered["access-control-allow-origin"] == ORIGIN["Origin"]
        exposed = call.answered["access-control-expose-headers"]
        assert {"X-Request-Id", "Retry-After"} <= set(exposed.split(", "))
        assert call.answered["x-request-id"]
    for call in calls[-2:]:
        assert int(call.answered["retry-after"]) >= 1


async def test_a_preflight_is_answered_for_every_path() -> None:
    house = House(origins=(ORIGIN["Origin"],), keys="a:k")
    for path in ("/work", "/livez", "/look", "/nowhere"):
        for method in ("GET", "POST"):
            headers = {**ORIGIN, "Access-Control-Request-Method": method}
            call = await Call(house, path, "OPTIONS", headers, body=None).answer()
            assert (call.status, call.reads) == (200, 0)
            assert method in call.answered["access-control-allow-methods"]
