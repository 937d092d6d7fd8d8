"""Who works on what: PostgreSQL's advisory locks, which end with their transaction, however the worker ends."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from reconcile.store.database import Database


class WorkerBusyError(RuntimeError):
    """Another worker has been at the same work for longer than the database's lock timeout. Run the job again later."""


def of_feed(feed: str) -> str:
    """What a worker holds alone while it takes a feed, so that two do not do the same work."""
    return f"take_feed/{feed}"


def of_flow(flow: str) -> str:
    """What workers share while they write a run of a flow; whoever removes files of it holds it alone."""
    return f"fold_flow/{flow}"


@contextmanager
def held(database: Database, name: str, *, shared: bool = False) -> Iterator[None]:
    """Holds the lock of that name, alone or with others who share it; waits for it and raises `WorkerBusyError`."""
    lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
    with database.begin() as connection:
        try:
            connection.execute(sa.select(lock(_key(name))))
        except OperationalError as error:
            raise WorkerBusyError(f"another worker is still at {name}") from error
        yield


@contextmanager
def tried(database: Database, name: str) -> Iterator[bool]:
    """Holds the lock alone when nobody has it; says whether it does, and never waits."""
    with database.begin() as connection:
        yield bool(connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_key(name)))).scalar_one())


def _key(name: str) -> sa.ColumnElement[int]:
    # Two schemas of one database are two installations.
    return sa.func.hashtextextended(sa.func.concat(name, "/", sa.func.current_schema()), 0)
