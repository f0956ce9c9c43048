"""Places and turns that several owners share, alone and with one who wants everything."""

import asyncio
import random
from collections import Counter

import pytest

from emotion_llama_vllm.shares import UNLIMITED, Asker, Shares, Turns, asking, with_reserve


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


class Crowd:
    """Requests that hold a place until they are told to go."""

    def __init__(self, shares: Shares[str]) -> None:
        self.shares = shares
        self.inside: Counter[str] = Counter()
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.go: dict[asyncio.Task[None] | None, asyncio.Event] = {}

    async def come(self, owner: str, count: int = 1, places: int = 1) -> list[asyncio.Task[None]]:
        async def visit() -> None:
            async with self.shares.take(owner, places):
                self.inside[owner] += places
                self.order.append(owner)
                await self.go[asyncio.current_task()].wait()
                self.inside[owner] -= places

        come = [asyncio.ensure_future(visit()) for _ in range(count)]
        self.go |= {task: asyncio.Event() for task in come}
        self.tasks += come
        await settle()
        return come

    async def leave(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            self.go[task].set()
        await settle()


async def test_an_owner_alone_takes_its_share_and_no_more() -> None:
    crowd = Crowd(Shares(6, 4))
    await crowd.come("a", 10)
    assert crowd.inside == {"a": 4}
    assert not crowd.shares.has_room("a")


async def test_another_owner_finds_room_at_once() -> None:
    crowd = Crowd(Shares(6, 4))
    await crowd.come("a", 100)
    assert crowd.shares.has_room("b")
    await crowd.come("b")
    assert crowd.inside["b"] == 1


async def test_a_free_place_goes_to_whoever_holds_the_fewest() -> None:
    crowd = Crowd(Shares(4, 4))
    first = await crowd.come("a", 20)
    await crowd.come("b", 20)
    assert crowd.inside == {"a": 4}
    await crowd.leave(*first[:2])
    assert crowd.inside == {"a": 2, "b": 2}
    await crowd.leave(*first[2:4])
    assert crowd.inside == {"a": 2, "b": 2}


async def test_one_owners_requests_come_in_their_order() -> None:
    shares: Shares[str] = Shares(1, 1)
    order: list[int] = []

    async def visit(number: int) -> None:
        async with shares.take("a"):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(visit(number) for number in range(20)))
    assert order == list(range(20))


async def test_a_large_request_is_not_overtaken_for_ever() -> None:
    crowd = Crowd(Shares(5, 4))
    small = await crowd.come("a", 3)
    await crowd.come("b", places=4)
    more = await crowd.come("a", 5)
    assert crowd.inside == {"a": 3}
    await crowd.leave(*small[:2])
    assert crowd.inside["b"] == 4
    assert crowd.inside["a"] == 1
    assert not any(task.done() for task in more)


async def test_a_large_request_that_waits_keeps_no_new_owner_out() -> None:
    crowd = Crowd(Shares(5, 4))
    await crowd.come("a", 3)
    await crowd.come("b", places=4)
    await crowd.come("c")
    assert crowd.inside == {"a": 3, "c": 1}


@pytest.mark.parametrize("places", [5, 1000, UNLIMITED])
async def test_more_places_than_the_share_are_the_share(places: int) -> None:
    shares: Shares[str] = Shares(6, 4)
    assert await shares.acquire("a", places) == 4
    assert await shares.acquire("b", places=2) == 2
    shares.release("a", 4)
    assert await shares.acquire("a", places) == 4


async def test_a_share_that_shrinks_and_grows_is_kept_to() -> None:
    limit = 4
    crowd = Crowd(Shares(UNLIMITED, lambda owner: limit))
    tasks = await crowd.come("a", 12)
    assert crowd.inside == {"a": 4}
    limit = 1
    await crowd.leave(*tasks[:3])
    assert crowd.inside == {"a": 1}
    await crowd.leave(tasks[3])
    assert crowd.inside == {"a": 1}
    limit = 4
    await crowd.leave(tasks[4])
    assert crowd.inside == {"a": 4}


async def test_no_place_is_ever_lost() -> None:
    """Not by requests that are cancelled while they wait, hold a place or are just given one."""
    chance = random.Random(1)
    shares: Shares[str] = Shares(5, 3)
    inside: Counter[str] = Counter()

    async def visit(owner: str, places: int) -> None:
        async with shares.take(owner, places):
            inside[owner] += places
            assert sum(inside.values()) <= 5
            assert inside[owner] <= 3
            try:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                inside[owner] -= places

    tasks = []
    for _ in range(3000):
        owner, places = chance.choice("abcd"), chance.choice([1, 1, 1, 2, 3])
        tasks.append(asyncio.ensure_future(visit(owner, places)))
        if chance.random() < 0.4:
            chance.choice(tasks).cancel()
        if chance.random() < 0.5:
            await asyncio.sleep(0)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(error is None or isinstance(error, asyncio.CancelledError) for error in ended)
    assert not +inside
    assert await shares.acquire("a", 3) == 3
    assert await shares.acquire("b", 2) == 2
    assert not shares.has_room("b")


async def test_a_place_given_to_one_that_is_cancelled_at_that_moment_goes_on() -> None:
    crowd = Crowd(Shares(1, 1))
    (holding,) = await crowd.come("a")
    (unlucky,) = await crowd.come("b")
    await crowd.come("c")
    crowd.go[holding].set()
    await asyncio.sleep(0)  # the place is b's by now, and b does not know it yet
    unlucky.cancel()
    await settle()
    assert crowd.order == ["a", "c"]


async def test_tasks_know_on_whose_behalf_they_run() -> None:
    async def ask(owner: str) -> str:
        asking.set(Asker(owner))
        async with asyncio.TaskGroup() as group:
            inner = group.create_task(asyncio.sleep(0, asking.get().owner))
        return inner.result()

    tasks = [asyncio.ensure_future(ask(owner)) for owner in "ab"]
    assert await asyncio.gather(*tasks) == ["a", "b"]
    assert asking.get().owner == ""
    assert asking.get().is_alone()


def test_half_as_many_places_are_kept_for_others() -> None:
    assert [with_reserve(places) for places in (0, 1, 2, 3, 64)] == [0, 2, 3, 5, 96]


def test_a_new_owner_stands_in_front_of_what_another_sent_in_advance() -> None:
    turns = Turns()
    ahead = [turns.take("a") for _ in range(50)]
    numbers = [turn.__enter__() for turn in ahead]
    assert numbers == sorted(set(numbers))
    for turn in ahead[:10]:
        turn.__exit__(None, None, None)
    with turns.take("b") as new:
        assert numbers[9] <= new < numbers[10]


def test_nobody_saves_turns_up() -> None:
    """Who was away has no claim on the past, and who cancels moves nothing on."""
    turns = Turns()
    for _ in range(100):
        with turns.take("a"):
            pass
    with turns.take("b") as b, turns.take("a") as a:
        assert b == a
    later = [turns.take("a") for _ in range(50)]
    for turn in later:
        turn.__enter__()
    for turn in reversed(later):
        turn.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None)
    with turns.take("b") as number:
        assert number == a
