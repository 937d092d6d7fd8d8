"""Many small files of a day become one: published batches beyond the horizon, and the matches of runs that are past."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from reconcile.keeping.house import House, Swept
from reconcile.keeping.merging import merge
from reconcile.keeping.retired import retire
from reconcile.store import worker_lock
from reconcile.store.scratch import scratch_folder
from reconcile.store.tables import batches, run_batches, runs

_DAY: Final = timedelta(days=1)
_MATCHES: Final = "matches.parquet"


class MergeError(RuntimeError):
    """A merged file does not hold the rows of its parts: a bug. Nothing was changed."""


def sweep(house: House) -> Iterator[Swept]:
    """Published days, then matches. Each day is one transaction; what a kill leaves is a file that no row names."""
    yield _published(house)
    yield from merge_runs(house)


def _published(house: House) -> Swept:
    with house.database.begin() as connection:
        feeds = list(connection.execute(sa.select(batches.c.feed).distinct().order_by(batches.c.feed)).scalars())
    merged = freed = 0
    for feed in feeds:
        for day in _days(house, feed):
            before, after = _merge_day(house, feed, day)
            merged, freed = merged + before, freed + after
    return Swept("published files merged into days", merged, freed)


def _days(house: House, feed: str) -> Iterator[list[Any]]:
    """The batches of each past day of a feed that all are folded, lie beyond what a fold may read, and fill several files."""
    when = sa.func.coalesce(batches.c.complete_through, batches.c.published_at)
    folded = sa.exists().where(run_batches.c.batch_id == batches.c.batch_id)
    # One that ends at midnight belongs to the day that it closes.
    day = sa.func.date_trunc("day", when - sa.literal(timedelta(microseconds=1), sa.Interval)).label("day")
    query = (
        sa.select(batches.c.batch_id, batches.c.flow, batches.c.path, batches.c.published_rows, day)
        .where(
            batches.c.feed == feed,
            batches.c.side != "directory",
            batches.c.status == "published",
            batches.c.path.is_not(None),
            batches.c.published_rows > 0,
            folded,
            when < house.now - _DAY,
        )
        .order_by(day, batches.c.batch_id)
    )
    with house.database.begin() as connection:
        rows = connection.execute(query).all()
        withdrawn = set(
            connection.execute(
                sa.select(batches.c.path).where(batches.c.feed == feed, batches.c.status == "withdrawn")
            ).scalars()
        )
    if not rows:
        return
    needed = house.needed(rows[0].flow)
    for _, group in groupby(rows, key=lambda row: row.day):
        some = list(group)
        paths = {row.path for row in some}
        past = not any(house.lake.url(path) in needed for path in paths)
        if past and (len(paths) > 1 or (len(some) > 1 and paths & withdrawn)):
            yield some


def _merge_day(house: House, feed: str, rows: Sequence[Any]) -> tuple[int, int]:
    """(files merged, bytes that this frees)."""
    old = sorted({row.path for row in rows})
    old_bytes = sum(map(house.lake.size_bytes, old))
    if house.dry:
        return len(old), 0
    ids = sorted(str(row.batch_id) for row in rows)
    name = hashlib.sha256("".join([*ids, *old]).encode()).hexdigest()[:16]
    path = f"published/{feed}/{rows[0].day:%Y-%m-%d}.{name}.parquet"
    with scratch_folder("keep") as folder:
        file = folder / "day.parquet"
        found = merge(house.lake, "day", old, file, batch_ids=ids)
        expected = sum(row.published_rows for row in rows)
        if found != expected:
            raise MergeError(f"{path}: {found} rows were found where its batches published {expected}")
        freed = old_bytes - file.stat().st_size
        switched = _switch(house, feed, rows, file, path, old)
    return (len(old), freed) if switched else (0, 0)


def _switch(house: House, feed: str, rows: Sequence[Any], file: Path, path: str, old: Sequence[str]) -> bool:
    """Puts the file into the lake and lets its batches name it, unless one of them has changed or is needed after all."""
    flow = rows[0].flow
    with (
        worker_lock.tried(house.database, worker_lock.of_feed(feed)) as feed_is_mine,
        worker_lock.tried(house.database, worker_lock.of_flow(flow)) as flow_is_mine,
    ):
        if not (feed_is_mine and flow_is_mine) or any(house.lake.url(one) in house.needed(flow) for one in old):
            return False
        house.lake.put(file, path)
        with house.database.begin() as connection:
            which = batches.c.batch_id.in_([row.batch_id for row in rows])
            same = connection.execute(
                sa.select(batches.c.batch_id)
                .where(which, batches.c.status == "published", batches.c.path.in_(old))
                .with_for_update()
            ).all()
            if len(same) != len(rows):
                return False
            connection.execute(sa.update(batches).where(which).values(path=path))
            retire(connection, old)
    return True


def merge_runs(house: House, *, today_too: bool = False) -> Iterator[Swept]:
    """The matches of each past day of a flow's runs become one file; with them goes all else of their folders, which no fold reads
    again. With `today_too` also those of the newest run's day, all but itself.
    """
    with house.database.begin() as connection:
        rows = connection.execute(
            sa.select(runs.c.run_id, runs.c.flow, runs.c.sequence, runs.c.path, runs.c.as_of)
            .where(runs.c.matches_path.is_(None))
            .order_by(runs.c.flow, runs.c.sequence)
        ).all()
    merged = freed = 0
    for flow, group in groupby(rows, key=lambda row: row.flow):
        *past, newest_run = group
        for day, runs_of_day in groupby(past, key=lambda row: row.as_of.date()):
            if today_too or day < newest_run.as_of.date():
                some = list(runs_of_day)
                before = sum(house.lake.size_bytes(run.path) for run in some)
                merged += len(some)
                freed += before if house.dry else before - _merge_runs(house, flow, some)
    yield Swept("runs merged into days", merged, freed)


def _merge_runs(house: House, flow: str, some: Sequence[Any]) -> int:
    """The size of the merged file. A run of before is never written again, so that nobody has to be kept out."""
    newest_first = [f"{run.path}/{_MATCHES}" for run in reversed(some)]
    path = f"matches/{flow}/{some[-1].as_of:%Y-%m-%d}.{some[-1].sequence}.parquet"
    with scratch_folder("keep") as folder:
        file = folder / _MATCHES
        merge(house.lake, "matches", newest_first, file)
        house.lake.put(file, path)
        size_bytes = file.stat().st_size
    with house.database.begin() as connection:
        which = runs.c.run_id.in_([run.run_id for run in some])
        connection.execute(sa.update(runs).where(which).values(matches_path=path))
        retire(connection, [run.path for run in some])
    return size_bytes
