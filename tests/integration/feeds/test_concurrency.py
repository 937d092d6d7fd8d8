"""Two workers, a killed one, and one that fails."""

import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from reconcile.feeds import publishing
from reconcile.feeds.inbox import Inbox
from reconcile.feeds.landing import Landing
from reconcile.feeds.limits import DEFAULT_LIMITS
from reconcile.feeds.side import side_of
from reconcile.jobs import take_feed as job
from reconcile.store.database import Database
from reconcile.store.worker_lock import WorkerBusyError, held, of_feed

from .conftest import NOON, Operator, entry


def test_two_workers_at_once_take_each_delivery_once(operator):
    for number in range(6):
        operator.ledger(f"{number}.csv", [entry(f"E{number}"), entry("E0")])
    taken, failures = [], []

    def work():
        try:
            taken.extend(operator.take("ocs"))
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert len(taken) == len(set(taken)) == 6
    assert len(operator.published("ocs")) == 6
    assert operator.watermark("ocs") == NOON


def publisher(operator):
    configuration = operator.world.configuration
    feed = configuration.feed("ocs")
    return publishing.Publisher(
        database=operator.database,
        lake=operator.world.lake,
        feed=feed,
        flow=configuration.flow("topup"),
        side=side_of(configuration, feed),
        limits=DEFAULT_LIMITS,
        now=NOON,
        waiting=(),
    )


def land(operator):
    """Lands what lies there, as a worker that is killed before it judges."""
    configuration = operator.world.configuration
    feed = configuration.feed("ocs")
    inbox = Inbox(configuration, feed)
    landing = Landing(operator.database, operator.world.lake, inbox, feed, DEFAULT_LIMITS, NOON)
    with operator.database.begin() as connection:
        publishing.manifest.register(connection, feed, NOON)
    for delivery in inbox.list().ready:
        scratch = operator.folder / delivery.source
        scratch.mkdir()
        landing.land(delivery, scratch)
    with operator.database.begin() as connection:
        return publishing.manifest.unjudged(connection, feed)


def test_what_a_killed_worker_landed_is_judged_by_the_next(operator):
    operator.ledger("1.csv", [entry("E1")])
    (landed,) = land(operator)
    (operator.folder / "inbox" / "ocs" / "1.csv").unlink()
    assert operator.take("ocs") == [str(landed.batch_id)]
    assert len(operator.published("ocs")) == 1


def test_a_worker_that_lost_its_lock_publishes_nothing_twice(operator):
    """Both have compared their rows with what was published before either publishes: the second must notice."""
    operator.ledger("1.csv", [entry("E1"), entry("E2")])
    operator.ledger("2.csv", [entry("E2"), entry("E3")])
    first, second = land(operator)
    slow = publisher(operator)
    write = publishing.Publisher.write

    def overtaken(self, batch_id, *arguments):
        if batch_id == second.batch_id:
            publisher(operator).judge(first)
        return write(self, batch_id, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing.Publisher, "write", overtaken)
        with pytest.raises(publishing.OvertakenError):
            slow.judge(second)
    operator.take("ocs")
    assert operator.batch("2.csv")["duplicate_rows"] == 1
    assert len(operator.published("ocs")) == 3


def test_an_error_of_the_program_holds_up_only_its_own_delivery(operator, monkeypatch):
    for number in range(3):
        operator.ledger(f"{number}.csv", [entry(f"E{number}")])
    judge = publishing.Publisher.judge

    def failing(self, landed):
        if landed.source == "1.csv":
            raise ZeroDivisionError
        return judge(self, landed)

    monkeypatch.setattr(publishing.Publisher, "judge", failing)
    with pytest.raises(ExceptionGroup, match="1 deliveries could not be taken"):
        operator.take("ocs")
    assert len(operator.published("ocs")) == 2
    assert operator.query("select * from job_runs") == [], "a job that failed did not run to its end"
    monkeypatch.undo()
    operator.take("ocs")
    assert len(operator.published("ocs")) == 3
    assert operator.watermark("ocs") == NOON


def test_a_worker_that_waits_too_long_says_so(operator):
    impatient = Database(operator.database.url.render_as_string(hide_password=False))
    sa.event.listen(
        impatient.engine, "begin", lambda connection: connection.exec_driver_sql("set lock_timeout = '50ms'")
    )
    world = replace(operator.world, database=impatient)
    with held(operator.database, of_feed("ocs")), pytest.raises(WorkerBusyError, match="take_feed/ocs"):
        job.take_feed(world, "ocs")
    impatient.dispose()


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from pathlib import Path
from reconcile.feeds import manifest, publishing
from reconcile.store.database import Database
from reconcile.store.lake import Lake
from tests.integration.feeds.conftest import Operator

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

{patch}
Operator(Path({folder!r}), Database({url!r})).take("ocs")
"""
MOMENTS = {
    "before the copy": "Lake.put = die",
    "after the copy": "manifest.land = die",
    "before the rows are written": "publishing.Publisher.write = die",
    "after the rows are written": "publishing.Publisher.accepted = die",
    "before the commit": "publishing.watermark.advance = die",
}


@pytest.mark.parametrize("patch", MOMENTS.values(), ids=MOMENTS)
def test_a_worker_killed_at_any_moment_leaves_nothing_to_clean_up(operator: Operator, patch):
    operator.ledger("1.csv", [entry("E1"), entry("E2", amount="?"), entry("E3", kind="BONUS")])
    operator.ledger("2.csv", [entry("E2"), entry("E1")])
    script = KILLED.format(
        path=sys.path,
        patch=patch,
        folder=str(operator.folder),
        url=operator.database.url.render_as_string(hide_password=False),
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    operator.take("ocs")
    assert sorted(row["entry_id"] for row in operator.published("ocs")) == sorted(
        publishing.manifest.derive("entry", "ocs", key) for key in ("E1", "E2")
    )
    assert operator.watermark("ocs") == NOON
    assert [row["status"] for row in operator.query("select status from quarantine")] == ["superseded"]
