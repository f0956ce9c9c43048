"""One key, or one address, takes as much as it may: the others find room all the same."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from prometheus_client import REGISTRY
from starlette.responses import JSONResponse, Response, StreamingResponse

from emotion_llama_vllm.shares import asking
from tests.support.apps.gate import Call, House, gauge, until

KEYS = "alice:a,bob:b,carol:c,dave:d"


def refusals(reason: str) -> float:
    return REGISTRY.get_sample_value("emotion_llama_refusals_total", {"reason": reason}) or 0.0


def of_key(house: House, key: str) -> Call:
    return Call(house, headers={"X-API-Key": key})


async def flood(house: House, count: int, **caller: str) -> list[Call]:
    """Send requests until some wait and the rest is refused."""
    calls = [Call(house, headers=caller).start() for _ in range(count)]
    await until(lambda: house.door.working + gauge("requests_waiting") >= 1)
    await asyncio.sleep(0.1)
    return calls


async def empty(house: House, *calls: Call) -> None:
    """Let everything end, and see that nothing is left."""
    house.go_on.set()
    await asyncio.gather(*(call.task for call in calls))
    assert house.door.inside == house.door.working == 0
    assert gauge("requests_in_flight") == gauge("requests_waiting") == 0


async def test_a_key_that_fills_its_share_leaves_room_for_another() -> None:
    house = House(keys=KEYS, max_in_flight=4, max_waiting=2)
    before = refusals("share")
    flooding = await flood(house, 20, **{"X-API-Key": "a"})
    assert house.working == 4
    assert gauge("requests_waiting") == 2
    refused = [call for call in flooding if call.status]
    assert [call.status for call in refused] == [503] * 14
    assert all(int(call.answered["retry-after"]) >= 1 for call in refused)
    assert all(call.reads == 0 for call in refused)
    assert refusals("share") == before + 14
    others = [of_key(house, "b").start(), of_key(house, "c").start()]
    await until(lambda: house.working == 6)
    await empty(house, *flooding, *others)
    assert [call.status for call in others] == [200, 200]


async def test_without_keys_an_address_has_a_share_and_an_ipv6_network_one_in_all() -> None:
    house = House(max_in_flight=2, max_waiting=0)
    own = [Call(house, address=f"2001:db8::{number}").start() for number in range(1, 5)]
    await until(lambda: house.working == 2)
    other = [Call(house, address=address).start() for address in ("2001:db8:0:1::1",)]
    await until(lambda: house.working == 3)
    await empty(house, *own, *other)
    assert sorted(call.status for call in own) == [200, 200, 503, 503]
    assert other[0].status == 200


async def test_many_keys_together_are_refused_when_all_is_taken() -> None:
    house = House(keys=KEYS, max_in_flight=2, max_waiting=1)
    before = refusals("overload")
    calls = [of_key(house, key).start() for key in "aaabbb"]
    await until(lambda: house.working == 3 and gauge("requests_waiting") == 2)
    late = await of_key(house, "d").answer()
    assert late.status == 503
    assert refusals("overload") == before + 2  # bob's third came too late as well
    await empty(house, *calls)


async def test_a_slot_that_becomes_free_goes_to_the_key_with_the_fewest() -> None:
    house = House(keys=KEYS, max_in_flight=2, max_waiting=9)
    inside: list[str] = []

    async def note(raw_request: Request) -> Response:
        inside.append(asking.get().owner)
        await house.go_on.wait()
        return Response()

    house.app.add_api_route("/note", note, methods=["POST"])
    leaving = of_key(house, "a").start()
    await until(lambda: house.working == 1)
    keys = "aaaabbc"
    calls = [Call(house, "/note", headers={"X-API-Key": key}).start() for key in keys]
    await until(lambda: inside == ["key:alice", "key:bob"] and gauge("requests_waiting") == 5)
    leaving.leaves.set()
    await until(lambda: len(inside) == 3)
    assert inside[-1] == "key:carol"  # five came before, of keys that have a slot already
    await empty(house, *calls)


@pytest.mark.costly
async def test_those_that_leave_or_run_out_of_time_give_their_share_back() -> None:
    house = House(keys=KEYS, max_in_flight=2, max_waiting=3, request_timeout=0.5)
    calls = [of_key(house, "a").start() for _ in range(5)]
    await until(lambda: gauge("requests_waiting") == 3)
    for call in calls[::2]:
        call.leaves.set()
    await asyncio.gather(*(call.task for call in calls))
    assert house.door.inside == house.door.working == 0
    assert gauge("requests_in_flight") == gauge("requests_waiting") == 0
    assert house.door.has_free_slot("key:alice")
    house.go_on.set()
    again = [of_key(house, "a") for _ in range(2)]
    await asyncio.gather(*(call.answer() for call in again))
    assert [call.status for call in again] == [200, 200]


@pytest.mark.parametrize("as_stream", [False, True])
async def test_what_runs_for_a_request_knows_its_owner(as_stream: bool) -> None:
    house = House(keys=KEYS)

    async def told() -> AsyncIterator[str]:
        yield await asyncio.create_task(asyncio.sleep(0, asking.get().owner))

    async def tell(raw_request: Request) -> Response:
        await raw_request.body()
        if as_stream:
            return StreamingResponse(told())
        return JSONResponse(await asyncio.to_thread(lambda: asking.get().owner))

    house.app.add_api_route("/tell", tell, methods=["POST"])
    calls = [Call(house, "/tell", headers={"X-API-Key": key}) for key in "ab"]
    await asyncio.gather(*(call.answer() for call in calls))
    assert [call.text.strip('"') for call in calls] == ["key:alice", "key:bob"]


async def test_a_request_is_alone_until_another_is_worked_on() -> None:
    house = House(keys=KEYS)
    askers = []

    async def note(raw_request: Request) -> Response:
        askers.append(asking.get())
        await house.go_on.wait()
        return Response()

    house.app.add_api_route("/note", note, methods=["POST"])
    first = Call(house, "/note", headers={"X-API-Key": "a"}).start()
    await until(lambda: len(askers) == 1)
    assert askers[0].is_alone()
    second = Call(house, "/note", headers={"X-API-Key": "b"}).start()
    await until(lambda: len(askers) == 2)
    assert not askers[0].is_alone()
    await empty(house, first, second)


async def test_the_place_in_the_engines_queue_is_the_servers_choice() -> None:
    """A key's second request stands behind another key's first, whatever the client says."""
    house = House(keys=KEYS)
    seen: list[int] = []

    async def look(raw_request: Request) -> Response:
        seen.extend(int(value) for value in raw_request.headers.getlist("x-vllm-priority"))
        await house.go_on.wait()
        return Response()

    house.app.add_api_route("/queue", look, methods=["POST"])
    calls = []
    for key in "aaab":
        headers = {"X-API-Key": key, "X-Vllm-Priority": "-9000"}
        calls.append(Call(house, "/queue", headers=headers).start())
        await until(lambda: len(seen) == len(calls))
    await empty(house, *calls)
    assert seen[0] < seen[1] < seen[2]
    assert seen[3] == seen[0] >= 0
