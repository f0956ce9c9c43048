"""Requests go first: lines take what they leave, and make way when one comes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emotion_llama_server.batches.pace import MadeWay, Pace
from emotion_llama_server.services import services_of
from tests.support.apps.gate import Call, until
from tests.support.apps.stored import Kept, asking, kept, lines, running


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Kept]:
    with kept(tmp_path) as made:
        async with running(made):
            yield made


def ask(house: Kept, path: str = "/v1/emotion") -> Call:
    return Call(house, path, headers={"Content-Type": "application/json"}).start()


@pytest.mark.costly
async def test_a_request_gets_its_slot_at_once_and_the_lines_make_way(house: Kept) -> None:
    async with asking(house) as anybody:
        house.model.goes_on.clear()
        batch = await anybody.create(lines(30))
        await until(lambda: house.model.running == 20)
        door = services_of(house.app).doorkeeper
        assert (door.working, door.waiting) == (0, 0)
        call = ask(house)
        await until(lambda: house.model.running == 1)
        assert door.working == 1
        house.model.goes_on.set()
        await call.task
        assert call.status == 200
        batch = await anybody.reaches(batch["id"])
        assert batch["request_counts"]["completed"] == 30
        assert len(await anybody.results(batch["output_file_id"])) == 30


async def test_lines_wait_until_nobody_has_asked_for_a_second(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.storage.batches.pace, "_quiet_seconds", 3600)
    house.model.goes_on.clear()
    call = ask(house)
    await until(lambda: house.model.running == 1)
    async with asking(house) as anybody:
        batch = await anybody.create(lines(5))
        await anybody.reaches(batch["id"], "in_progress")
        await asyncio.sleep(0.05)
        assert len(house.model.asked) == 1
        house.model.goes_on.set()
        await call.task
        assert len(house.model.asked) == 1
        monkeypatch.setattr(house.storage.batches.pace, "_quiet_seconds", 0)
        batch = await anybody.reaches(batch["id"])
        assert batch["request_counts"]["completed"] == 5


@pytest.mark.costly
async def test_single_lines_go_on_while_others_ask_all_the_time(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.storage.batches.pace, "_quiet_seconds", 3600)
    monkeypatch.setattr(house.storage.batches.pace, "_single_seconds", 0)
    house.model.goes_on.clear()
    call = ask(house)
    await until(lambda: house.model.running == 1)
    async with asking(house) as anybody:
        batch = await anybody.create(lines(5))
        await until(lambda: house.model.running == 2)
        another = ask(house)
        await until(lambda: house.model.running == 3)  # a single line does not make way
        house.model.goes_on.set()
        await asyncio.gather(call.task, another.task)
        await anybody.reaches(batch["id"])
    assert len(house.model.asked) == 7


async def test_a_line_makes_way_so_often_and_then_no_more(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.storage.batches.pace, "_quiet_seconds", 0)

    def times() -> int:
        return sum(body.get("question") == 0 for _, body in house.model.asked)

    async with asking(house) as anybody:
        house.model.goes_on.clear()
        batch = await anybody.create(lines(1))
        calls = []
        for expected in (1, 2, 3, 4, 4, 4):
            await until(lambda expected=expected: times() == expected)
            calls.append(ask(house))
            await until(lambda: len(house.model.asked) - times() == len(calls))
        assert times() == 4
        house.model.goes_on.set()
        batch = await anybody.reaches(batch["id"])
        assert batch["request_counts"]["completed"] == 1
        await asyncio.gather(*(call.task for call in calls))


async def test_uploads_and_questions_about_batches_do_not_hold_lines_up(house: Kept) -> None:
    async with asking(house) as anybody:
        house.model.goes_on.clear()
        batch = await anybody.create(lines(20))
        await until(lambda: house.model.running == 20)
        other = await anybody.create(lines(1))
        await anybody.get(other["id"])
        assert house.model.running == 20
        house.model.goes_on.set()
        await anybody.reaches(batch["id"])


async def test_a_line_makes_way_for_a_request_that_came_since_its_turn(house: Kept) -> None:
    house.model.goes_on.clear()
    call = ask(house)
    await until(lambda: house.model.running == 1)
    lines_of = house.storage.batches.pace
    with pytest.raises(MadeWay):
        await lines_of.ask(asyncio.sleep(0), yields=True)
    assert await lines_of.ask(asyncio.sleep(0, "asked"), yields=False) == "asked"
    house.model.goes_on.set()
    await call.task


async def test_the_end_of_the_server_is_no_request(house: Kept) -> None:
    """A cancelled line must not be asked again by a server that ends."""
    lines_of = Pace(services_of(house.app).doorkeeper, 1, 0)
    task = asyncio.ensure_future(lines_of.ask(asyncio.sleep(60), yields=True))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    task = asyncio.ensure_future(lines_of.ask(asyncio.sleep(60), yields=True))
    await asyncio.sleep(0)
    services_of(house.app).doorkeeper.on_asked()
    with pytest.raises(MadeWay):
        await task
