"""There is one sender of notices at a time, and what a lost one left behind is never sent again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from reconcile.store.database import Database
from reconcile.store.tables import notices

_LOCK: Final = sa.text("select pg_advisory_lock(hashtextextended('notices.sender/' || current_schema(), 0))")
_LOCK_NOT_AVAILABLE: Final = "55P03"


class SenderBusyError(RuntimeError):
    """Another process is sending notices and did not finish within the database's lock time-out."""


@contextmanager
def only_sender(database: Database) -> Iterator[None]:
    """Holds the one sender's lock; waits for another sender to finish, and raises `SenderBusyError` when it does not."""
    # A connection of its own, closed at the end: however this process ends, PostgreSQL lets the lock go.
    connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    try:
        _lock(connection)
        yield
    finally:
        connection.close()


def _lock(connection: sa.Connection) -> None:
    try:
        connection.execute(_LOCK)
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) == _LOCK_NOT_AVAILABLE:
            raise SenderBusyError("another process is sending notices") from error
        raise


def recover(connection: sa.Connection) -> int:
    """Rows found `submitting` become `uncertain`; returns how many. Only for whoever holds the sender's lock.

    Their sender was lost between claiming and recording: nobody knows whether they went out (invariant 16).
    """
    lost = sa.update(notices).where(notices.c.status == "submitting")
    return connection.execute(
        lost.values(status="uncertain", reason="the sender was lost while it was being sent")
    ).rowcount
