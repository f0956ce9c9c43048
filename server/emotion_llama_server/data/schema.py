"""Defines the database's tables as numbered migrations; a later release appends to them."""

import sqlite3

_FIRST = """
CREATE TABLE files (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    digest TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX files_of_owner ON files (owner, number);
CREATE INDEX files_of_digest ON files (digest);
CREATE INDEX files_by_expiry ON files (expires_at);

CREATE TABLE batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    input_file_id TEXT NOT NULL,
    input_digest TEXT NOT NULL,
    completion_window TEXT NOT NULL,
    metadata TEXT,
    output_seconds INTEGER,
    status TEXT NOT NULL,
    errors TEXT,
    total INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    output_bytes INTEGER NOT NULL DEFAULT 0,
    error_bytes INTEGER NOT NULL DEFAULT 0,
    output_file_id TEXT,
    error_file_id TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    in_progress_at INTEGER,
    finalizing_at INTEGER,
    completed_at INTEGER,
    failed_at INTEGER,
    expired_at INTEGER,
    cancelling_at INTEGER,
    cancelled_at INTEGER
);
CREATE INDEX batches_of_owner ON batches (owner, number);
CREATE INDEX unfinished_batches ON batches (owner)
    WHERE status IN ('validating', 'in_progress', 'finalizing', 'cancelling');
CREATE VIEW unfinished AS SELECT * FROM batches
    WHERE status IN ('validating', 'in_progress', 'finalizing', 'cancelling');
CREATE INDEX batches_of_digest ON batches (input_digest);

CREATE TABLE lines (
    batch INTEGER NOT NULL REFERENCES batches (number) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    start INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    is_answered INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (batch, number)
) WITHOUT ROWID;
CREATE INDEX open_lines ON lines (batch, number) WHERE NOT is_answered;
"""

MIGRATIONS = (_FIRST,)
"""The scripts that lead from each version to the next one; version 0 is an empty database."""


class NewerSchema(ValueError):
    """Reports a database that a later release has written."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version, each step of which is done wholly or not at all.

    Raises:
        NewerSchema: the tables are of a later release.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NewerSchema(
            f"its tables have version {version}, and this release knows {len(MIGRATIONS)}: "
            "a later release has written them"
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
