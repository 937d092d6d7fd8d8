"""A small day of the operator: a thousand purchases, a few stops of its clock, and whatever works on them in between."""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
import sqlalchemy as sa
from webhook import webhook

from reconcile.app import Application, application
from reconcile.daemon import DAGS, _wait_for_desk
from reconcile.desk.accounts import ensure_user
from reconcile.resources import folder
from reconcile.runtime import motion
from reconcile.runtime.airflow_api import AirflowApi
from reconcile.runtime.airflow_home import AIRFLOW, USER, AirflowHome
from reconcile.runtime.dag_options import dag_id
from reconcile.runtime.sandbox_api import SandboxApi
from reconcile.runtime.sandbox_home import SandboxHome, SandboxPorts
from reconcile.runtime.supervisor import Program, Supervisor, tail
from reconcile.store.embedded import EmbeddedPostgres

T = TypeVar("T")

PURCHASES = 1000
MIDNIGHT = datetime(2024, 7, 10, tzinfo=UTC)
TICKS = (
    *(
        datetime(2024, 7, 9, *time_of_day, tzinfo=UTC)
        for time_of_day in ((13, 30), (14, 5), (14, 20), (14, 35), (14, 50), (15, 10))
    ),
    MIDNIGHT,
    # What was bought last comes due, and what was re-credited appears on the ledger.
    *(MIDNIGHT + step * timedelta(minutes=15) for step in (1, 2)),
)
READY_LIMIT_SECONDS = 300  # six programs at once, on a machine with other work
TICK_LIMIT_SECONDS = 300  # some thirty tasks on a machine with other work, and a minute until the dead are noticed
POLL_SECONDS = 0.05
SCHEDULES = 'schedules = { feeds = "manual", report = "manual", housekeeping = "manual" }'
# One that can be filled in backwards, which a DAG without a schedule cannot. A run is late before a killed worker is
# noticed and its task tried again; the desk tells nothing meanwhile.
OUR_SCHEDULES = """
schedules = { feeds = "0 0 1 1 *", report = "manual", housekeeping = "manual" }
deadline = "35s"

[alerts]
urls = [{ env = "NIGHT" }]
every = "1d"
"""
SECOND_SCHEDULER = Program("airflow-scheduler-2", [*AIRFLOW, "scheduler", "--skip-serve-logs"])
# Whoever runs an Airflow may change the DAGs of others by such a policy, and undo what they say of `max_active_runs`.
POLICY = """

def dag_policy(dag):
    dag.max_active_runs = 4
"""
UNDER_WAY = """
    select exists(select from dag_run where state in ('queued', 'running')) or exists(select from asset_dag_run_queue)
"""
WHAT_AIRFLOW_KNOWS = (
    "select dag_id, run_id, state from dag_run where state in ('queued', 'running')",
    """
    select dag_id, task_id, map_index, task_instance.state, try_number, queued_by_job_id, pid, last_heartbeat_at
    from task_instance join dag_run using (dag_id, run_id) where dag_run.state in ('queued', 'running')
    """,
    "select dag_id, exceeds_max_non_backfill from dag",
    "select target_dag_id from asset_dag_run_queue",
    "select id, job_type, state, latest_heartbeat from job",
    """
    select pid, state, now() - state_change, left(query, 100) from pg_stat_activity
    where datname = 'airflow' and state <> 'idle' and pid <> pg_backend_pid()
    """,
)


@dataclass(frozen=True)
class Found:
    """What there is at the end of a tick: the operator's own books, and how many rows each of our tables has.

    Notices that are planned, and not sent, do not count: what comes meanwhile may make them needless.
    """

    books: dict[str, Any]
    rows: dict[str, int]


class SmallWorld:
    """The operator, the desk and our tables in `home`, a folder that does not exist yet; Airflow when it is launched.

    All of it runs until the end of the `with` block.
    """

    def __init__(self, home: Path) -> None:
        self._stack = contextlib.ExitStack()
        home.mkdir(mode=0o711)
        ours = SandboxHome(home, SandboxPorts.free(), purchases=PURCHASES)
        ours.write_configuration()
        text = ours.configuration.read_text()
        assert SCHEDULES in text
        ours.configuration.write_text(text.replace(SCHEDULES, OUR_SCHEDULES))
        self._home = ours
        self.postgres = EmbeddedPostgres(home)
        self.sandbox = SandboxApi(ours.control_url, ours.token)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        with self._stack:
            if error is not None:
                error.add_note(self.last_words())

    def _start(self, stack: contextlib.ExitStack) -> None:
        ours = self._home
        environment = stack.enter_context(pytest.MonkeyPatch.context())  # the jobs of this process read it as well
        night, self._told = stack.enter_context(webhook())
        for name, value in ours.environment({"NIGHT": night}).items():
            environment.setenv(name, value)
        stack.callback(self.postgres.destroy)
        self.postgres.start()
        home = ours.configuration.parent
        airflow = AirflowHome(home / "airflow", self.postgres.database("airflow"), folder("dags"), ours.ports.airflow)
        airflow.prepare()
        with (airflow.folder / "config" / "airflow_local_settings.py").open("a") as settings:
            settings.write(POLICY)
        self._airflow_home = airflow
        programs = [ours.operator(), ours.desk(), *airflow.programs(), SECOND_SCHEDULER]
        self.supervisor = Supervisor(home, home / "run", programs, airflow.environment(os.environ))
        stack.callback(self.supervisor.stop)
        self.supervisor.start()
        self.supervisor.launch(ours.operator())
        stack.enter_context(self.sandbox)
        self.sandbox.wait_until_ready(limit_seconds=READY_LIMIT_SECONDS)
        self.app: Application = application(ours.configuration)
        stack.callback(self.app.world.database.dispose)
        self.app.prepare()
        with self.app.world.database.begin() as connection:
            for person in ours.people:
                ensure_user(connection, person.username, person.password, person.role, person.display_name)
        self.supervisor.launch(ours.desk())
        _wait_for_desk(ours)
        self.airflow = stack.enter_context(AirflowApi(airflow.url, USER, airflow.password))
        self._airflow_database = sa.create_engine(airflow.database_url, pool_pre_ping=True)
        stack.callback(self._airflow_database.dispose)

    def jobs(self) -> list[Callable[[], object]]:
        """Those of one tick, in the order in which Airflow runs them."""
        app, configuration = self.app, self.app.world.configuration
        return [
            *(partial(app.take_feed, feed.name) for feed in configuration.feeds),
            *(partial(app.fold_flow, flow.name) for flow in configuration.flows),
            *(partial(app.dispatch_flow, flow.name) for flow in configuration.flows),
            app.send_notices,
        ]

    def launch_airflow(self) -> None:
        """All its programs, and a second scheduler; returns when they are ready."""
        airflow = self._airflow_home
        airflow.finish_migration(airflow.begin_migration(self.supervisor.environment))
        self.supervisor.launch(*airflow.programs(), SECOND_SCHEDULER)
        self.airflow.wait_until_ready(map(self.dag_id, DAGS), limit_seconds=READY_LIMIT_SECONDS)

    def live(self, work: Callable[[datetime], None]) -> dict[datetime, Found]:
        """The whole day, with `work` at each tick; what there was at the end of each."""
        found = {}
        begun = time.monotonic()
        for tick in TICKS:
            self.sandbox.advance(tick)
            work(tick)
            if self._ask(motion.incident_waits) or self._ask(motion.case_waits):
                ours = self._home
                self.sandbox.let_persons_act(ours.desk_url, ours.maker.credentials(), ours.approver.credentials())
            print(f"{tick:%H:%M} {time.monotonic() - begun:.0f} s", flush=True)
            found[tick] = Found(self.sandbox.books(), self._ask(_count_rows))
        assert not self._ask(motion.goes_on)
        return found

    def work_without_airflow(self) -> None:
        """Each job once, one after the other."""
        for job in self.jobs():
            job()

    def work_with_airflow(self, tick: datetime) -> None:
        """Returns when the chain of DAGs has run at this tick, and nothing in Airflow is under way any more."""
        self.trigger()

        def is_done() -> bool:
            return self._ask(motion.chain_has_run, tick) and not self._is_under_way()

        self.wait_until(is_done, f"the work of {tick}")

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + TICK_LIMIT_SECONDS
        while not condition():
            assert time.monotonic() < give_up, what
            time.sleep(POLL_SECONDS)

    def _is_under_way(self) -> bool:
        """Whether a run is not at its end, or an asset has woken a DAG whose run is not there yet."""
        return bool(self.ask_airflow(UNDER_WAY)[0][0])

    def trigger(self) -> None:
        """Begin a chain of runs."""
        self.airflow.trigger(self.dag_id("feeds"))

    def dag_id(self, name: str) -> str:
        return dag_id(self.app.world.configuration.airflow, name)

    def ask_airflow(self, sql: str, **values: object) -> list[Any]:
        """Rows of Airflow's own database, which says more than its API, and sooner."""
        with self._airflow_database.begin() as connection:
            return list(connection.execute(sa.text(sql), values))

    def alerts(self) -> set[str]:
        """The keys of what was told to whoever is on call."""
        return {str(body["key"]) for body in self._told}

    def post(self, path: str, body: dict[str, Any]) -> None:
        """To Airflow's API, what only a test has to ask."""
        self.airflow._post(path, body)

    def last_words(self) -> str:
        """Why it may be that something is not done: Airflow's own tables, and the ends of the logs."""
        states = self.supervisor.states()
        questions = WHAT_AIRFLOW_KNOWS if states["airflow-scheduler"] != "STOPPED" else ()
        tables = ["\n".join([sql.strip(), *map(str, self.ask_airflow(sql))]) for sql in questions]
        logs = [f"{name}:\n{tail(self.supervisor.log_of(name), lines=60)}" for name in states]
        return "\n\n".join([*tables, *logs])

    def _ask(self, question: Callable[..., T], *about: object) -> T:
        with self.app.world.database.begin() as connection:
            return question(connection, *about)


def _count_rows(connection: sa.Connection) -> dict[str, int]:
    tables = sa.text("select tablename from pg_tables where schemaname = current_schema() order by 1")
    names = connection.execute(tables).scalars().all()
    which = {"notices": "where status not in ('planned', 'suppressed')"}
    return {
        name: connection.execute(sa.text(f'select count(*) from "{name}" {which.get(name, "")}')).scalar_one()
        for name in names
    }
