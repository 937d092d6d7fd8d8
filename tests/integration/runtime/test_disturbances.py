"""Airflow guarantees nothing, and need not: whatever befalls it, the operator's books and our tables are the same.

The reference has no Airflow at all: the same jobs on the same day, once each, one after the other.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from small_world import TICKS, Found, SmallWorld

from reconcile.jobs.fold_flow import RunOvertakenError
from reconcile.runtime.summary import is_good

# The first of the tests lives through both days: the limits of `small_world` end it with a reason long before this one.
pytestmark = pytest.mark.timeout(1200)

CHAIN = ("feeds", "reconcile", "remedy", "notify")
# What tells how often something was tried, and not what came of it.
TRIES = {"job_runs", "job_totals", "sessions", "runs"}
# Jobs that are run twice, or cleared, do not keep their order: where the credit is sent before the fold has looked, no delay is
# announced; else that is planned, promises the next news, and is given up when the credit goes out. Nobody hears of either.
PLANS = {"promises"}
LAST_RUN = "select run_id from dag_run where dag_id = :id and state = 'success' order by id desc limit 1"
POOL_IS_LOCKED = """
    select from pg_locks join pg_stat_activity using (pid)
    where relation = 'slot_pool'::regclass and mode = 'RowShareLock' and state = 'idle in transaction'
"""


@dataclass(frozen=True)
class Task:
    """One that runs: its key, and its process."""

    id: str
    pid: int


def many_runs_at_once(world: SmallWorld) -> None:
    """More runs than `max_active_runs` allows, which somebody has changed by a policy; and three years are filled in."""
    for _ in range(2):
        world.trigger()
    dates = {"from_date": "2021-01-01T00:00:00Z", "to_date": "2023-01-01T00:00:00Z"}
    world.post("/backfills", {"dag_id": world.dag_id("feeds"), **dates, "max_active_runs": 2})


def a_worker_killed(world: SmallWorld) -> None:
    """The one that is paying, and the process that runs its task.

    Not those that wait for a task: Airflow 3.3's LocalExecutor does not survive that (docs/operation.md).
    """

    def killed() -> bool:
        task = running(world, "dispatch_flow")
        for worker in (worker for scheduler in schedulers(world) for worker in scheduler.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                processes = worker.children()
                if task.pid in {process.pid for process in processes}:
                    kill(worker, *processes)
                    return is_running(world, task)
        return False

    again_until(killed, world)


def schedulers_killed(world: SmallWorld) -> None:
    """Both of them, and not their workers, in the midst of the transaction in which one of them queues tasks.

    It has locked the pool then, without which no scheduler can queue any, and its workers keep its connection open.
    """
    world.trigger()
    both = schedulers(world)

    def caught() -> bool:
        for scheduler in both:
            scheduler.suspend()
        if world.ask_airflow(POOL_IS_LOCKED):
            return True
        for scheduler in both:
            scheduler.resume()
        return False

    world.wait_until(caught, "a scheduler that queues tasks")
    kill(*both)


def postgres_killed(world: SmallWorld) -> None:
    """PostgreSQL, with Airflow's database and ours in it, while a delivery is taken."""
    world.trigger()
    running(world, "take_feed")
    server = world.postgres._server
    assert server is not None
    server.kill()
    server.wait()
    world.postgres.revive()


def everything_cleared_and_run_twice(world: SmallWorld) -> None:
    """Somebody clears every task of each DAG's last run; and every job runs twice more beside Airflow's.

    Of the last run that is done: Airflow 3.3.2 fails to clear one whose deadline is ahead (docs/operation.md).
    """
    for name in CHAIN:
        dag_id = world.dag_id(name)
        [(run_id,)] = world.ask_airflow(LAST_RUN, id=dag_id)
        how = {"dry_run": False, "only_failed": False, "dag_run_id": run_id}
        world.post(f"/dags/{dag_id}/clearTaskInstances", how)
    with ThreadPoolExecutor(4) as others:
        done = [others.submit(job) for _ in range(2) for job in world.jobs()]
    assert {type(error) for each in done if (error := each.exception())} <= {RunOvertakenError}


DISTURBANCES = dict(
    zip(
        TICKS[1:6],
        [many_runs_at_once, a_worker_killed, schedulers_killed, postgres_killed, everything_cleared_and_run_twice],
        strict=True,
    )
)


def again_until(happened: Callable[[], bool], world: SmallWorld) -> None:
    """A task may end before it is hit; then the next one is waited for, at most so often."""
    for _ in range(10):
        world.trigger()
        if happened():
            return
    pytest.fail("every task was done before it could be disturbed")


def running(world: SmallWorld, task_id: str) -> Task:
    """Waits for a task of that name that runs."""
    found: list[Task] = []

    def runs() -> bool:
        rows = world.ask_airflow(
            "select id, pid from task_instance where state = 'running' and task_id = :id", id=task_id
        )
        found.extend(Task(str(row.id), row.pid) for row in rows if row.pid)
        return bool(found)

    world.wait_until(runs, f"a {task_id} that runs")
    return found[0]


def is_running(world: SmallWorld, task: Task) -> bool:
    """Whether Airflow believes so."""
    return bool(world.ask_airflow("select from task_instance where state = 'running' and id = :id", id=task.id))


def schedulers(world: SmallWorld) -> list[psutil.Process]:
    """Their workers are their children, and the processes of tasks the workers'."""
    with world.supervisor._calls() as calls:
        programs = calls.getAllProcessInfo()
    return [psutil.Process(each["pid"]) for each in programs if each["name"].startswith("airflow-scheduler")]


def kill(*processes: psutil.Process) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@dataclass(frozen=True)
class Disturbed:
    """The disturbed day, and what Airflow says of it."""

    found: dict[datetime, Found]
    backfilled: int
    schedulers: int
    tried_again: set[str]
    cleared: int
    held_up: set[str]
    alerts: set[str]


@pytest.fixture(scope="module")
def undisturbed(short: Path) -> dict[datetime, Found]:
    with SmallWorld(short / "undisturbed") as world:
        return world.live(lambda _tick: world.work_without_airflow())


@pytest.fixture(scope="module")
def disturbed(short: Path) -> Disturbed:
    with SmallWorld(short / "disturbed") as world:
        world.launch_airflow()

        def work(tick: datetime) -> None:
            if disturb := DISTURBANCES.get(tick):
                disturb(world)
                world.work_with_airflow(tick)
            else:
                world.work_without_airflow()

        found = world.live(work)
        ask = world.ask_airflow
        [(backfilled,)] = ask("select count(*) from dag_run where run_type = 'backfill'")
        [(schedulers,)] = ask("select count(distinct scheduled_by_job_id) from dag_run")
        [(cleared,)] = ask("select count(*) from dag_run where clear_number > 0")
        tried_again = {row.task_id for row in ask("select distinct task_id from task_instance where try_number > 1")}
        late = ask("select distinct dag_id, run_id from log where event = 'heartbeat timeout'")
        held_up = {f"deadline:{run.dag_id}:{run.run_id}" for run in late}
        world.wait_until(lambda: held_up <= world.alerts(), f"an alert for each of {held_up}, beside {world.alerts()}")
        assert "SchedulerJob" in world.last_words()  # which a day that does not come to its end is told with
        return Disturbed(found, backfilled, schedulers, tried_again, cleared, held_up, world.alerts())


def test_it_was_disturbed(disturbed: Disturbed) -> None:
    print({**vars(disturbed), "found": ...})
    assert disturbed.backfilled == 3
    # There are two at a time, and others after each time that they ended: both have worked.
    assert disturbed.schedulers >= 4
    assert "dispatch_flow" in disturbed.tried_again
    assert disturbed.cleared == len(CHAIN)


def test_runs_that_were_held_up_beyond_their_deadline_are_told_to_whoever_is_on_call(disturbed: Disturbed) -> None:
    assert any(alert.startswith("deadline:reconcile_remedy:") for alert in disturbed.held_up)
    assert disturbed.held_up <= disturbed.alerts


def test_everybody_is_whole_at_the_end(disturbed: Disturbed, undisturbed: dict[datetime, Found]) -> None:
    assert is_good(disturbed.found[TICKS[-1]].books)
    assert is_good(undisturbed[TICKS[-1]].books)


@pytest.mark.parametrize(
    "tick", TICKS, ids=lambda tick: f"{tick:%H:%M} {getattr(DISTURBANCES.get(tick), '__name__', '')}"
)
def test_at_the_end_of_each_tick_books_and_tables_are_those_of_the_undisturbed_day(
    tick: datetime, disturbed: Disturbed, undisturbed: dict[datetime, Found]
) -> None:
    ours, theirs = disturbed.found[tick], undisturbed[tick]
    assert ours.books == theirs.books
    said = ours.rows.keys() - TRIES - PLANS
    assert {name: ours.rows[name] for name in said} == {name: theirs.rows[name] for name in said}
