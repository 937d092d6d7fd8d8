"""Drives a sandboxed day: lets the operator live a little, has Airflow work on it, waits until that is done, goes on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from reconcile.runtime import motion
from reconcile.runtime.airflow_api import AirflowApi
from reconcile.runtime.sandbox_api import SandboxApi
from reconcile.runtime.supervisor import Supervisor, tail
from reconcile.runtime.terminal import Terminal
from reconcile.store.database import Database

TICK = timedelta(minutes=5)
LIVE_FROM = datetime(2024, 7, 9, 13, 30, tzinfo=UTC)  # before that, all in one batch
LIVE_UNTIL = datetime(2024, 7, 9, 15, 30, tzinfo=UTC)
DAY_END = datetime(2024, 7, 10, tzinfo=UTC)  # after `LIVE_UNTIL`, all in one batch
# After midnight: what was bought last comes due, and what was re-credited appears on the ledger.
CLOSING_STEP = timedelta(minutes=15)
CLOSING_STEPS_LEAST = 2
CLOSING_STEPS_MOST = 8

TICK_LIMIT_SECONDS = 180
DATABASE_LIMIT_SECONDS = 60  # it may have died, and comes back by recovering what was committed
QUIET_SECONDS = 1.0
POLL_SECONDS = 0.05
LOOK_FOR_TROUBLE_SECONDS = 1.0
LOOK_FOR_PEOPLE_SECONDS = 1.0


class DayStopped(RuntimeError):  # noqa: N818 - says what is the matter
    """The work of a tick failed, or was not done in time; the message ends with the end of the log that says why."""


P = ParamSpec("P")
T = TypeVar("T")


def ticks() -> Iterator[datetime]:
    """The instants at which the operator's clock stops, up to midnight."""
    tick = LIVE_FROM
    while tick <= LIVE_UNTIL:
        yield tick
        tick += TICK
    yield DAY_END


@dataclass(frozen=True)
class Day:
    """One day with all that takes part in it. `dag_id` says what Airflow calls one of our DAGs; `revive_database` starts
    PostgreSQL again if it has died.

    `ask_people` lets two sandbox persons give their approvals; without it the clock waits until real ones have, and
    `invitation` tells them who, and at which desk.
    """

    sandbox: SandboxApi
    airflow: AirflowApi
    database: Database
    supervisor: Supervisor
    terminal: Terminal
    dag_id: Callable[[str], str]
    revive_database: Callable[[], None]
    ask_people: Callable[[], None] | None = None
    invitation: str = ""

    def live(self) -> None:
        """From where the operator's clock stands to the end. Raises `DayStopped`.

        The tick at which the clock stands is worked on again, because nobody knows how much of it was done; what was
        done stays done once.
        """
        self._settle()
        begun_at = self.sandbox.now()
        for tick in ticks():
            if tick >= begun_at:
                self._live_through(tick)
        first = max((begun_at - DAY_END) // CLOSING_STEP, 1)
        for step in range(first, CLOSING_STEPS_MOST + 1):
            if step > CLOSING_STEPS_LEAST and not self._ask(motion.goes_on):
                break
            self._live_through(DAY_END + step * CLOSING_STEP)
        self._report()

    def _live_through(self, tick: datetime) -> None:
        begun = time.monotonic()
        with self.terminal.working(f"{tick:%H:%M}"):
            self.sandbox.advance(tick)
            self._run_chain(tick)
        figures = self._ask(motion.figures)
        self.terminal.say(f"  {tick:%H:%M}  {figures} · {time.monotonic() - begun:.1f} s")
        self._let_people_act(closing=tick >= LIVE_UNTIL)

    def _run_chain(self, tick: datetime) -> None:
        trouble = self._watch()
        self.airflow.trigger(self.dag_id("feeds"))
        while not (self._ask(motion.chain_has_run, tick) and self.airflow.is_idle()):
            trouble.look(f"the work of {tick:%H:%M}")
            time.sleep(POLL_SECONDS)

    def _report(self) -> None:
        trouble = self._watch()
        with self.terminal.working("writing the report"):
            run_id = self.airflow.trigger(self.dag_id("report"))
            while self.airflow.state(self.dag_id("report"), run_id) != "success":
                trouble.look("the report")
                time.sleep(POLL_SECONDS)

    def _let_people_act(self, *, closing: bool) -> None:
        """`closing`: the next tick comes after hours, in which whoever waits for a person would wait for nothing."""

        def people_are_needed(connection: sa.Connection) -> bool:
            return motion.incident_waits(connection) or (closing and motion.case_waits(connection))

        if self.ask_people is not None:
            if self._ask(motion.incident_waits) or self._ask(motion.case_waits):
                self.ask_people()
            return
        if self._ask(people_are_needed):
            page = "incidents" if self._ask(motion.incident_waits) else "approvals"
            self.terminal.say(f"  The clock waits for two people: {self.invitation}/{page}.", style="bold yellow")
            with self.terminal.working("waiting for two people at the desk"):
                while self._ask(people_are_needed):
                    self._watch().look_at_programs()
                    time.sleep(LOOK_FOR_PEOPLE_SECONDS)

    def _settle(self) -> None:
        """Let end what a run that was killed had begun, or woken by an asset without starting it."""
        self.airflow.abandon_runs()
        trouble = self._watch()
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            if not self.airflow.is_idle():
                quiet_since = time.monotonic()
            trouble.look_at_the_time("what the last run had begun")  # what fails in it is tried again, with its tick
            time.sleep(POLL_SECONDS)

    def _watch(self) -> "_Watch":
        return _Watch(self.airflow, self.supervisor)

    def _ask(self, question: Callable[Concatenate[sa.Connection, P], T], *about: P.args, **how: P.kwargs) -> T:
        give_up = time.monotonic() + DATABASE_LIMIT_SECONDS
        while True:
            try:
                with self.database.begin() as connection:
                    return question(connection, *about, **how)
            except OperationalError:
                if time.monotonic() > give_up:
                    raise
                self.revive_database()
                time.sleep(POLL_SECONDS)


class _Watch:
    """Notices, while something is waited for, that it will not come."""

    def __init__(self, airflow: AirflowApi, supervisor: Supervisor) -> None:
        self._airflow = airflow
        self._supervisor = supervisor
        self._since = datetime.now(UTC)
        self._give_up = time.monotonic() + TICK_LIMIT_SECONDS
        self._next_look = time.monotonic() + LOOK_FOR_TROUBLE_SECONDS

    def look(self, what: str) -> None:
        """Raises `DayStopped` when a task has failed for good, a program was given up, or the time is over."""
        self.look_at_the_time(what)
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_FOR_TROUBLE_SECONDS
        self.look_at_programs()
        failed = self._airflow.failed_tasks(self._since)
        if failed:
            raise DayStopped(f"{what}: {failed[0]}")

    def look_at_the_time(self, what: str) -> None:
        """Raises `DayStopped` when it is over."""
        if time.monotonic() > self._give_up:
            raise DayStopped(f"{what} is not done after {TICK_LIMIT_SECONDS} s; Airflow shows why: {self._airflow.url}")

    def look_at_programs(self) -> None:
        """Raises `DayStopped` when a program died too often."""
        for program in self._supervisor.given_up():
            raise DayStopped(f"{program} died too often:\n{tail(self._supervisor.log_of(program))}")
