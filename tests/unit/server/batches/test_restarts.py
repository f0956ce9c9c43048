"""What a server that is killed leaves: each line is answered, and once in the results."""

import asyncio
import errno
import itertools
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from emotion_llama_server.batches import results, runner
from emotion_llama_server.data import database
from emotion_llama_server.data.database import Database
from tests.support.apps.gate import until
from tests.support.apps.stored import asking, kept, lines, over, running


async def begun(path: Path, count: int, answered: int) -> str:
    """Let a server answer some lines of a batch and end in the midst of others."""
    with kept(path) as house:
        async with running(house), asking(house) as anybody:
            batch = await anybody.create(lines(answered))
            await anybody.reaches(batch["id"])
            house.model.goes_on.clear()
            batch = await anybody.create(lines(count))
            await until(lambda: house.model.running == min(count, 20))
            return batch["id"]


async def test_the_next_server_goes_on_where_one_has_ended(tmp_path: Path) -> None:
    batch_id = await begun(tmp_path, 40, 1)
    with kept(tmp_path) as house:
        async with running(house), asking(house) as anybody:
            batch = await anybody.reaches(batch_id)
            assert batch["request_counts"] == {"total": 40, "completed": 40, "failed": 0}
            assert len(await anybody.results(batch["output_file_id"])) == 40
    assert len(house.model.asked) == 40


async def test_the_lines_during_which_a_server_ended_are_asked_alone_first(tmp_path: Path) -> None:
    batch_id = await begun(tmp_path, 40, 1)
    with kept(tmp_path) as house:
        house.model.goes_on.clear()
        async with running(house):
            await until(lambda: house.model.running == 1)
            await asyncio.sleep(0.05)
            assert house.model.most == 1
            house.model.goes_on.set()
            await over(house, "", batch_id)
    first = [body["question"] for _, body in house.model.asked[:20]]
    assert sorted(first) == list(range(20))


async def test_a_line_that_ends_three_servers_is_given_up_and_the_others_are_answered(
    tmp_path: Path,
) -> None:
    batch_id = await begun(tmp_path, 20, 1)
    for _ in range(2):
        with kept(tmp_path) as house:
            house.model.goes_on.clear()
            async with running(house):
                await until(lambda house=house: house.model.running == 1)
    with kept(tmp_path) as house:
        async with running(house), asking(house) as anybody:
            batch = await anybody.reaches(batch_id)
            assert batch["request_counts"] == {"total": 20, "completed": 19, "failed": 0}
            (given_up,) = (await anybody.results(batch["error_file_id"])).values()
    assert given_up["custom_id"] == "line-0"
    assert given_up["error"]["code"] == "server_failed"


async def test_a_server_that_is_told_to_end_blames_no_line(tmp_path: Path) -> None:
    with kept(tmp_path) as house:
        async with running(house), asking(house) as anybody:
            house.model.goes_on.clear()
            batch = await anybody.create(lines(40))
            await until(lambda: house.model.running == 20)
            door = house.storage.batches.doorkeeper
            door.close("The server is shutting down.")
            house.model.goes_on.set()
            await until(lambda: not house.storage.batches._ends)
            assert (await anybody.get(batch["id"]))["status"] == "in_progress"
    with kept(tmp_path) as house:
        store = house.storage.batches.store
        (job,) = await store.unfinished()
        assert not await store.tried_lines(job)
        async with running(house):
            found = await over(house, "", batch["id"])
    assert found.request_counts.completed == 40


async def test_a_server_that_is_killed_while_it_checks_lines_leaves_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_checked = asyncio.Event()

    async def fail(*_: Any) -> None:
        is_checked.set()
        raise asyncio.CancelledError  # as the end of the process, with all lines in the database

    with kept(tmp_path) as house:
        monkeypatch.setattr(house.storage.batches.store, "end_validation", fail)
        async with running(house), asking(house) as anybody:
            batch = await anybody.create(lines(5))
            (job,) = await house.storage.batches.store.unfinished()
            await is_checked.wait()
            assert len(await house.storage.batches.store.open_lines(job, 9)) == 5
    with kept(tmp_path) as house:
        async with running(house):
            found = await over(house, "", batch["id"])
    assert (found.status, found.request_counts.completed) == ("completed", 5)


@pytest.mark.costly
async def test_what_is_written_behind_the_counted_results_is_cut_off(tmp_path: Path) -> None:
    batch_id = await begun(tmp_path, 30, 1)
    torn = tmp_path / "results" / f"{batch_id}.output"
    with kept(tmp_path) as house:
        house.model.goes_on.clear()
        async with running(house):
            await until(lambda: house.model.running == 1)
            house.model.goes_on.set()
            await until(lambda: len(house.model.asked) > 21)
            house.model.goes_on.clear()
    with torn.open("ab") as file:
        file.write(b'{"id":"batch_req_torn' * 1000)
    with kept(tmp_path) as house:
        async with running(house), asking(house) as anybody:
            batch = await anybody.reaches(batch_id)
            assert len(await anybody.results(batch["output_file_id"])) == 30
            assert not house.left()


async def test_a_server_that_is_killed_before_it_notes_the_files_makes_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise asyncio.CancelledError  # as the end of the process

    with kept(tmp_path) as house:
        monkeypatch.setattr(results.Results, "_note", fail)
        async with running(house), asking(house) as anybody:
            batch = await anybody.create(lines(3))
            await anybody.reaches(batch["id"], "finalizing")
            await asyncio.sleep(0.05)
    monkeypatch.undo()
    with kept(tmp_path) as house:
        async with running(house), asking(house) as anybody:
            batch = await anybody.reaches(batch["id"])
            assert len(await anybody.results(batch["output_file_id"])) == 3
    assert len(house.model.asked) == 0


async def test_the_files_of_a_batch_that_is_over_are_swept(tmp_path: Path) -> None:
    with kept(tmp_path) as house:
        (tmp_path / "results" / "batch_0.output").write_bytes(b"x")
        async with running(house):
            await until(lambda: not house.left())


@pytest.mark.parametrize("call", ["pwrite", "fdatasync", "truncate", "link"])
async def test_a_full_disk_delays_a_batch_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(database, "FULL_SECONDS", 0)
    monkeypatch.setattr(runner, "FULL_SECONDS", 0)
    true, failures = getattr(os, call), iter(range(3))

    def fail(*given: Any, **more: Any) -> Any:
        if next(failures, None) is not None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return true(*given, **more)

    with kept(tmp_path) as house:
        async with running(house), asking(house) as anybody:
            house.model.goes_on.clear()
            batch = await anybody.create(lines(20))
            await until(lambda: house.model.running == 20)
            monkeypatch.setattr(os, call, fail)
            house.model.goes_on.set()
            batch = await anybody.reaches(batch["id"])
            assert next(failures, None) is None
            assert batch["request_counts"]["completed"] == 20
            assert len(await anybody.results(batch["output_file_id"])) == 20
    assert len(house.model.asked) == 20


async def test_a_database_without_space_delays_a_batch_and_blames_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "FULL_SECONDS", 0)
    monkeypatch.setattr(runner, "FULL_SECONDS", 0)
    true, turns = Database._transact, itertools.count()

    def fail(self: Database, work: Any) -> Any:
        """Fail at every third transaction that writes."""

        def write(connection: sqlite3.Connection) -> Any:
            before = connection.total_changes
            result = work(connection)
            if connection.total_changes > before and next(turns) % 3 == 2:
                raise database.disk_full()
            return result

        return true(self, write)

    with kept(tmp_path) as house:
        async with running(house), asking(house) as anybody:
            house.model.goes_on.clear()
            batch = await anybody.create(lines(30))
            await until(lambda: house.model.running == 20)
            monkeypatch.setattr(Database, "_transact", fail)
            house.model.goes_on.set()
            batch = await anybody.reaches(batch["id"])
            assert batch["request_counts"]["completed"] == 30
            assert len(await anybody.results(batch["output_file_id"])) == 30
    assert len(house.model.asked) == 30
