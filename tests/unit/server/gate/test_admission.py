"""Slots, the waiting queue, deadlines, and the end of the server."""

import asyncio
import json
import statistics
import time

import pytest

from tests.support.apps.gate import Call, House, gauge, until


async def test_more_than_may_wait_are_refused_unread() -> None:
    house = House(max_in_flight=1, max_waiting=1)
    inside, waiting = Call(house).start(), Call(house).start()
    await until(lambda: house.working == 1 and gauge("requests_waiting") == 1)
    third = await Call(house, "/process_video").answer()
    assert third.status == 503
    assert third.reads == 0
    assert int(third.answered["retry-after"]) >= 1
    assert set(json.loads(third.text)) == {"error", "code", "details"}
    assert (await Call(house, "/look", "GET").answer()).status == 200
    house.go_on.set()
    await asyncio.gather(inside.task, waiting.task)
    assert [inside.status, waiting.status] == [200, 200]
    assert gauge("requests_in_flight") == gauge("requests_waiting") == 0


async def test_a_refusal_takes_no_time() -> None:
    house = House(max_in_flight=1, max_waiting=0)
    inside = Call(house).start()
    await until(lambda: house.working == 1)
    took = []
    for _ in range(50):
        started = time.monotonic()
        assert (await Call(house).answer()).status == 503
        took.append(time.monotonic() - started)
    assert statistics.median(took) < 0.05
    house.go_on.set()
    await inside.task


async def test_one_that_leaves_while_it_waits_frees_its_place() -> None:
    house = House(max_in_flight=1, max_waiting=1)
    inside, waiting = Call(house).start(), Call(house).start()
    await until(lambda: gauge("requests_waiting") == 1)
    waiting.leaves.set()
    await waiting.task
    assert not waiting.sent
    assert gauge("requests_waiting") == 0
    another = Call(house).start()
    await until(lambda: gauge("requests_waiting") == 1)
    house.go_on.set()
    await asyncio.gather(inside.task, another.task)
    assert another.status == 200


@pytest.mark.parametrize("path", ["/work", "/stream"])
async def test_one_that_leaves_ends_its_work(path: str) -> None:
    house = House()
    call = Call(house, path).start()
    await until(lambda: house.working == 1)
    call.leaves.set()
    await call.task
    assert house.working == 0
    assert house.door.inside == 0
    assert gauge("requests_in_flight") == 0


async def test_one_that_leaves_during_its_upload_frees_its_slot() -> None:
    house = House(max_in_flight=1)
    call = Call(house, body=None).start()
    await until(lambda: call.reads > 0)
    call.leaves.set()
    await call.task
    assert house.door.inside == 0
    house.go_on.set()
    assert (await Call(house).answer()).status == 200


async def test_a_body_is_read_whole_after_a_wait() -> None:
    house = House(max_in_flight=1)
    first, second = Call(house).start(), Call(house, body=b'{"x": 1}').start()
    await until(lambda: gauge("requests_waiting") == 1)
    house.go_on.set()
    await asyncio.gather(first.task, second.task)
    assert second.status == 200


@pytest.mark.parametrize(("body", "status"), [(b"{}", 504), (None, 408)])
async def test_a_deadline_ends_work_and_upload(body: bytes | None, status: int) -> None:
    house = House(request_timeout=0.2)
    call = await Call(house, body=body).answer()
    assert call.status == status
    assert house.working == 0
    assert house.door.inside == 0


async def test_a_deadline_ends_a_wait() -> None:
    house = House(max_in_flight=1, request_timeout=0.3)
    first, second = Call(house).start(), Call(house).start()
    await asyncio.gather(first.task, second.task)
    assert {first.status, second.status} <= {504, 408}
    assert house.door.inside == 0
    assert house.door.has_free_slot("address:127.0.0.1")


async def test_a_deadline_ends_what_goes_on_after_the_answer_at_once() -> None:
    house = House(request_timeout=0.2)
    call = Call(house, "/later").start()
    await until(lambda: house.working == 1)
    started = time.monotonic()
    await asyncio.gather(call.task, return_exceptions=True)
    assert time.monotonic() - started < 2
    assert (call.text, house.working, house.door.inside) == ("done", 0, 0)
    assert not call.is_aborted


async def test_a_deadline_ends_a_stream_with_an_error_event() -> None:
    house = House(request_timeout=0.2)
    call = await Call(house, "/stream").answer()
    assert call.status == 200
    events = call.text.split("\n\n")
    assert events[0] == "data: 1"
    assert events[1].startswith("event: error\ndata: ")
    assert json.loads(events[1].split("data: ")[1])["error"]["code"] == "processing_timeout"
    assert call.sent[-1].get("more_body", False) is False
    assert house.working == 0


async def test_a_closed_door_lets_finish_who_is_inside() -> None:
    house = House()
    inside = Call(house, "/stream").start()
    await until(lambda: house.working == 1)
    house.door.close("The server is shutting down.")
    late = await Call(house).answer()
    assert late.status == 503
    assert "retry-after" in late.answered
    house.go_on.set()
    await inside.task
    assert inside.text == "data: 1\n\ndata: 2\n\n"


async def test_turning_out_answers_everybody_at_once() -> None:
    house = House(max_in_flight=1)
    calls = [Call(house).start(), Call(house, "/process_video").start()]
    await until(lambda: house.working == 1)
    house.door.turn_out("The engine has died.")
    await asyncio.wait_for(asyncio.gather(*(call.task for call in calls)), 2)
    assert [call.status for call in calls] == [503, 503]
    assert house.door.inside == 0
