"""How the installation is, for machines: asked for often, looked at seldom, and never by more than one thread at a time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

import sqlalchemy as sa

from reconcile.jobs.world import World
from reconcile.metrics import reading
from reconcile.metrics.reading import Point
from reconcile.store import migrate
from reconcile.store.tables import job_totals

KEPT_SECONDS: Final = 5.0
"""An answer is given again for so long: ten load balancers cost no more than one."""
WAIT_SECONDS: Final = 3.0
"""How long a request waits for the look that another one has begun."""
STATEMENT_LIMIT_SECONDS: Final = 2

Found = TypeVar("Found")
Checks = dict[str, str | None]
"""What was looked at → what is wrong with it, or None."""


class NotNowError(RuntimeError):
    """The last look has not come back yet, and another one would not either."""


class Monitor:
    """Answers of one process about its world. `token`: what whoever wants details must know, or None."""

    def __init__(self, world: World) -> None:
        self._world = world
        secret = world.configuration.desk.monitor_token
        self.token: Final = None if secret is None else secret.read()
        self._checks = _Kept(self._look)
        self._points = _Kept(lambda: reading.read(world.database, world.clock.now()))

    def checks(self) -> Checks:
        """Raises `NotNowError`."""
        return self._checks.get()

    def points(self) -> Sequence[Point]:
        """Raises `NotNowError`."""
        return self._points.get()

    def _look(self) -> Checks:
        checks: Checks = {"database": None, "schema": None, "lake": None}
        with _problem(checks, "database"):
            self._look_at_database(checks)
        with _problem(checks, "lake"):
            self._world.lake.check()
        return checks

    def _look_at_database(self, checks: Checks) -> None:
        within = self._world.configuration.desk.ready_within
        with self._world.database.begin() as connection:
            connection.execute(sa.text(f"set local statement_timeout = '{STATEMENT_LIMIT_SECONDS}s'"))
            current, newest = migrate.revisions(connection)
            if current != newest:
                checks["schema"] = f"at revision {current or 'none'}, needs {newest}"
            elif within is not None:
                for flow in self._world.configuration.flows:
                    folded = connection.execute(
                        sa.select(
                            sa.func.coalesce(
                                sa.func.max(job_totals.c.last_succeeded_at) > sa.func.clock_timestamp() - within, False
                            )
                        ).where(job_totals.c.job == "fold_flow", job_totals.c.subject == flow.name)
                    ).scalar_one()
                    checks[f"flow {flow.name}"] = None if folded else f"not folded for {within}"


class _Kept(Generic[Found]):
    """The last answer, made anew when it is too old, by one thread at a time."""

    def __init__(self, make: Callable[[], Found]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._found: tuple[float, Found] | None = None

    def get(self) -> Found:
        if (fresh := self._fresh()) is not None:
            return fresh[1]
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise NotNowError("the last look has not come back")
        try:
            found = self._fresh()
            if found is None:
                found = self._found = (time.monotonic(), self._make())
            return found[1]
        finally:
            self._lock.release()

    def _fresh(self) -> tuple[float, Found] | None:
        found = self._found
        return found if found is not None and time.monotonic() - found[0] < KEPT_SECONDS else None


@contextmanager
def _problem(checks: Checks, name: str) -> Iterator[None]:
    """Whatever cannot be looked at is what is wrong; its text may hold anything, so only its type is told."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - to be unable to look is the answer
        checks[name] = f"cannot be used: {type(error).__name__}"
