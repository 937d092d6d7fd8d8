"""A disk that is really full, of the lake, of the temporary folder, of PostgreSQL: it fails closed, says why, and recovers."""

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from reconcile import config
from reconcile.domain.clock import FixedClock
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.take_feed import take_feed
from reconcile.jobs.world import World
from reconcile.store.database import Database
from reconcile.store.lake import Lake
from reconcile.store.tables import batches, cases, feeds, intents, job_totals, notices, quarantine, runs

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
MEGABYTE = 1 << 20
ROWS = 20_000


class SmallDisk:
    """A file system of some megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, *, but_bytes: int = 0) -> None:
        """Takes all its room, or all but so much."""
        size = shutil.disk_usage(self.folder).free - but_bytes
        with self._filler.open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, size)

    def make_room(self) -> None:
        self._filler.unlink()


@contextlib.contextmanager
def small_disk(size_megabytes: int) -> Iterator[SmallDisk]:
    # Not pytest's own temporary folder: PostgreSQL, started by root, is somebody else and must get there.
    folder = Path(tempfile.mkdtemp(prefix="reconcile-disk-"))
    with contextlib.ExitStack() as stack:
        stack.callback(folder.rmdir)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size_megabytes}m,mode=0777", "tmpfs", str(folder)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
        yield SmallDisk(folder)


@pytest.fixture
def disk():
    with small_disk(16) as disk:
        yield disk


@pytest.fixture
def ledger(database_url, tmp_path):
    """A world whose ledger feed has one delivery of 20,000 rows waiting."""
    world = world_of(database_url, tmp_path)
    yield world
    world.database.dispose()


def world_of(url, folder):
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    with (inbox / "a.csv").open("w") as file:
        file.write("entry_id,type,account,amount,currency,reference,posted_at\n")
        for number in range(ROWS):
            file.write(f"E{number},RECHARGE,0707{number:06d},1050,XOF,RC{number:06d},2024-07-09T11:00:00Z\n")
    (inbox / "a.csv.ctl").write_text(f'{{"file": "a.csv", "rows": {ROWS}, "complete_through": "{NOON.isoformat()}"}}')
    feed = {"name": "ocs", "flow": "topup", "side": "ledger", "reader": "csv", "location": "inbox/*.csv"}
    configuration = config.build(
        {
            "flow": [{"name": "topup", "asset": "XOF", "since": NOON - timedelta(days=1)}],
            "feed": [feed | {"kinds": {"purchase": ["RECHARGE"]}}],
        },
        home=folder,
        source="test",
    )
    return World(configuration, Database(url), Lake(str(folder / "lake")), FixedClock(NOON))


def on(disk, world):
    return replace(world, lake=Lake(str(disk.folder / "lake")))


def rows_of(world, table):
    with world.database.begin() as connection:
        return connection.execute(sa.select(table)).all()


def files_of(world):
    return sorted(file.path for file in world.lake.find("."))


def causes(error):
    """Every error in a group, and what each came from."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for inner in error.exceptions for cause in causes(inner)]
    return [error, *(causes(error.__cause__) if error.__cause__ is not None else [])]


def said_no_space(error):
    return any(
        getattr(cause, "errno", None) == errno.ENOSPC or "No space left on device" in str(cause)
        for cause in causes(error)
    )


def taken_whole(world):
    (batch,) = rows_of(world, batches)
    assert (batch.status, batch.raw_rows, batch.published_rows) == ("published", ROWS, ROWS)
    assert rows_of(world, feeds)[0].watermark == NOON
    assert all(".partial" not in path for path in files_of(world))


def test_a_delivery_that_the_lake_has_no_room_for_stays_where_it_is_and_is_taken_later(disk, ledger):
    world = on(disk, ledger)
    disk.fill(but_bytes=MEGABYTE // 4)
    with pytest.raises(Exception) as failed:  # noqa: PT011 - which one depends on where the room ends
        take_feed(world, "ocs")
    assert said_no_space(failed.value)
    assert rows_of(world, batches) == []
    assert files_of(world) == []
    assert rows_of(world, feeds)[0].watermark is None
    assert rows_of(world, job_totals)[0].failed == 1
    disk.make_room()
    take_feed(world, "ocs")
    taken_whole(world)


def test_a_lake_that_is_full_after_the_copy_leaves_the_batch_unpublished_and_later_takes_it(disk, ledger):
    world = on(disk, ledger)
    copied = (ledger.configuration.home / "inbox" / "a.csv").stat().st_size
    disk.fill(but_bytes=copied + MEGABYTE // 8)
    with pytest.raises(Exception) as failed:  # noqa: PT011 - as above
        take_feed(world, "ocs")
    assert said_no_space(failed.value)
    (batch,) = rows_of(world, batches)
    assert (batch.status, batch.path) == ("landed", None)
    assert rows_of(world, feeds)[0].watermark is None
    assert [path for path in files_of(world) if path.startswith("published") or ".partial" in path] == []
    disk.make_room()
    take_feed(world, "ocs")
    taken_whole(world)


def test_a_temporary_folder_without_room_refuses_nothing_and_loses_nothing(disk, ledger, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    disk.fill(but_bytes=MEGABYTE // 4)
    with pytest.raises(Exception):  # noqa: B017, PT011 - DuckDB has errors of its own for a full disk
        take_feed(ledger, "ocs")
    assert [row.status for row in rows_of(ledger, batches)] in ([], ["landed"])
    assert rows_of(ledger, quarantine) == []
    assert rows_of(ledger, feeds)[0].watermark is None
    disk.make_room()
    take_feed(ledger, "ocs")
    taken_whole(ledger)


def test_a_fold_that_cannot_write_its_run_commits_nothing_and_the_next_one_does_the_same_work(disk, operator, tmp_path):
    operator.trade(NOON, NOON + timedelta(minutes=10), every=timedelta(seconds=20))
    operator.buy(NOON + timedelta(minutes=2, seconds=1))
    operator.advance(NOON + timedelta(minutes=40))
    shutil.copytree(tmp_path / "lake", disk.folder / "lake")
    world = on(disk, operator.world)
    with world.database.begin() as connection:
        paths = connection.execute(sa.select(batches.c.path)).scalars().all()
    assert len(paths) == 2
    disk.fill()
    with pytest.raises(OSError, match="No space left on device") as failed:
        fold_flow(world, "topup")
    assert failed.value.errno == errno.ENOSPC
    for table in (runs, cases, intents, notices):
        assert rows_of(world, table) == []
    disk.make_room()
    fold_flow(world, "topup")
    assert [case.kind for case in rows_of(world, cases)] == ["never_credited"]
    assert len(rows_of(world, runs)) == 1


@pytest.fixture
def database_on(postgres, _migrated):
    """A database whose tables lie on a small disk, so that PostgreSQL itself runs out of room."""
    with small_disk(48) as disk, contextlib.ExitStack() as stack:
        space = disk.folder / "space"
        space.mkdir()
        postgres.account.owns(space)
        engine = sa.create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
        stack.callback(engine.dispose)

        def run(statement):
            with engine.connect() as connection:
                connection.execute(sa.text(statement))

        run(f"create tablespace small location '{space}'")
        stack.callback(run, "drop tablespace small")
        run(f"create database on_small_disk owner reconcile template {_migrated} tablespace small")
        stack.callback(postgres.drop, "on_small_disk")
        yield disk, postgres.url("on_small_disk", owner="reconcile")


def test_postgresql_without_room_commits_nothing_and_goes_on_when_there_is_some(database_on, tmp_path):
    disk, url = database_on
    world = world_of(url, tmp_path)
    try:
        with world.database.begin() as connection:
            connection.execute(sa.text("create table ballast (filling text)"))
            connection.execute(sa.text("alter table ballast alter filling set storage plain"))
        disk.fill()
        full = "insert into ballast select repeat('x', 2000) from generate_series(1, 5000)"
        with (
            pytest.raises(sa.exc.OperationalError, match="No space left on device"),
            world.database.begin() as connection,
        ):
            connection.execute(sa.text("update feeds set grade = grade"))
            connection.execute(sa.text(full))
        with world.database.begin() as connection:
            assert connection.execute(sa.text("select count(*) from ballast")).scalar_one() == 0
        disk.make_room()
        take_feed(world, "ocs")
        taken_whole(world)
    finally:
        world.database.dispose()
