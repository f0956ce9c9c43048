"""A transaction is done wholly or not at all."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from emotion_llama_server.data.database import Database
from emotion_llama_server.data.schema import MIGRATIONS
from emotion_llama_vllm.media.errors import StorageFull


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


def _insert(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO batches (id, owner, endpoint, input_file_id, input_digest, completion_window,"
        " output_seconds, status, created_at, expires_at) VALUES ('b','','','','','',1,'',1,1)"
    )


def _count(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT COUNT(*) FROM batches").fetchone()[0]


async def test_what_fails_leaves_nothing(database: Database) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        _insert(connection)
        raise KeyError

    with pytest.raises(KeyError):
        await database.run(fail)
    assert await database.run(_count) == 0
    await database.run(_insert)
    assert await database.run(_count) == 1


async def test_a_full_disk_is_told_as_one_and_leaves_nothing(database: Database) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        _insert(connection)
        connection.execute("UPDATE batches SET errors = hex(zeroblob(100000))")

    with pytest.raises(StorageFull, match="disk is full"):
        await database.run(fill)
    assert await database.run(_count) == 0


async def test_the_tables_have_the_newest_version(database: Database) -> None:
    def version(connection: sqlite3.Connection) -> int:
        return connection.execute("PRAGMA user_version").fetchone()[0]

    assert await database.run(version) == len(MIGRATIONS)
