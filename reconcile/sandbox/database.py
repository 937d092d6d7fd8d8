"""The sandbox's durable state: one SQLite file that survives a SIGKILL at any moment.

WAL with `synchronous = NORMAL`: a commit is in the operating system's hands before it is acknowledged. A killed process
loses nothing; a machine that loses power may, and a sandbox need not guard against that.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BUSY_TIMEOUT_SECONDS: Final = 5

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- One row per advance of the clock. From its insertion on, the export through `instant` is closed.
CREATE TABLE IF NOT EXISTS tick (
    number INTEGER PRIMARY KEY,
    instant TEXT NOT NULL UNIQUE,
    is_done INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The order in which credits took effect and notices arrived, across all tables.
CREATE TABLE IF NOT EXISTS turn (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), number INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO turn VALUES (1, 0);

CREATE TABLE IF NOT EXISTS fault (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT;

-- How often each id was submitted, so that a fault is drawn anew, and repeatably, for each try.
CREATE TABLE IF NOT EXISTS submission (correlation_id TEXT PRIMARY KEY, tries INTEGER NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS credit (
    correlation_id TEXT PRIMARY KEY,
    server_id TEXT NOT NULL UNIQUE,
    transaction_reference TEXT NOT NULL UNIQUE,
    body_hash TEXT NOT NULL,
    transaction_type TEXT NOT NULL,
    account TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    original_reference TEXT,
    requesting_reference TEXT,
    callback_url TEXT,
    polls_left INTEGER NOT NULL,
    -- Both NULL while pending; set together, once, when the credit takes effect.
    posted_at TEXT,
    turn INTEGER UNIQUE,
    CHECK ((posted_at IS NULL) = (turn IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS credit_posted_at ON credit (posted_at);

CREATE TABLE IF NOT EXISTS notice (
    turn INTEGER PRIMARY KEY,
    channel TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    arrived_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- Parts of a long SMS, until all are there.
CREATE TABLE IF NOT EXISTS sms_part (
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    group_number INTEGER NOT NULL,
    part_count INTEGER NOT NULL,
    part_number INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (sender, recipient, group_number, part_count, part_number)
) STRICT;

-- Delivery receipts that the receiver has not acknowledged yet.
CREATE TABLE IF NOT EXISTS receipt (
    message_id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    is_wanted INTEGER NOT NULL
) STRICT;
"""


class Database:
    """One connection, used from one thread; every change goes through `transaction`."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`."""
        self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; never spans an await, so no two are ever open at once."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def rows(self, query: str, *parameters: str | float) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._connection.execute(query, parameters).fetchall()

    def row(self, query: str, *parameters: str | float) -> sqlite3.Row | None:
        """The first row of a query, if any."""
        found: sqlite3.Row | None = self._connection.execute(query, parameters).fetchone()
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def next_turn(connection: sqlite3.Connection) -> int:
    """The next place in the order of things; call it inside the transaction that uses it."""
    row = connection.execute("UPDATE turn SET number = number + 1 RETURNING number").fetchone()
    return int(row[0])


def keep_setting(database: Database, name: str, value: str) -> None:
    """Write a setting the first time; raises ValueError when this home was made with another value."""
    with database.transaction() as connection:
        connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, value))
        kept = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()[0]
    if kept != value:
        raise ValueError(
            f"this home was made with --{name} {kept}, not {value}: give another --home, or the same --{name}"
        )
