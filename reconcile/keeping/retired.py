"""Files on their way out of the lake: first no row names them, then nobody can be reading them, then they are removed."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from pathlib import PurePosixPath
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.keeping.house import FILES_AT_ONCE, House, Swept
from reconcile.store import worker_lock
from reconcile.store.tables import batches, retired_files, runs

_PARTIAL: Final = ".partial"


def retire(connection: sa.Connection, paths: Iterable[str]) -> None:
    """Those of the paths that no row names any more leave the lake after a while; in the transaction that let them go."""
    free = sorted({path for path in paths if path} - named(connection, paths))
    if free:
        connection.execute(
            insert(retired_files)
            .values([{"path": path, "retired_at": sa.func.clock_timestamp()} for path in free])
            .on_conflict_do_nothing()
        )


def named(connection: sa.Connection, paths: Iterable[str]) -> set[str]:
    """Those of the paths that a row names: landed and published files, folders of runs, merged matches."""
    wanted = sa.func.any(sa.literal(sorted(set(paths)), sa.ARRAY(sa.Text)))
    query = sa.union_all(
        sa.select(batches.c.landed_path).where(batches.c.landed_path == wanted),
        sa.select(batches.c.path).where(batches.c.path == wanted),
        sa.select(runs.c.path).where(runs.c.path == wanted, runs.c.matches_path.is_(None)),
        sa.select(runs.c.matches_path).where(runs.c.matches_path == wanted),
    )
    return set(connection.execute(query).scalars())


def keeps(connection: sa.Connection, path: str) -> bool:
    """Whether a row names this file, or the file or folder that it belongs to."""
    return bool(named(connection, could_name(path)))


def could_name(path: str) -> list[str]:
    """What a row may hold that keeps this file: its own path, for a control file that of its data, for a run its folder."""
    file = PurePosixPath(path)
    if file.name.startswith(".") and file.suffix == _PARTIAL:
        return []
    if file.parts[0] == "runs":
        return ["/".join(file.parts[:3])]
    parts = file.name.split(".")
    return [str(file.with_name(".".join(parts[:count]))) for count in range(1, len(parts) + 1)]


def lock_of(path: str) -> str:
    """The lock of whoever writes there: `landed/<feed>/…`, `published/<feed>/…`, `runs/<flow>/…`, `matches/<flow>/…`."""
    folder, _, rest = path.partition("/")
    owner = rest.partition("/")[0]
    return worker_lock.of_feed(owner) if folder in {"landed", "published"} else worker_lock.of_flow(owner)


def sweep(house: House) -> Swept:
    """Removes what has been retired for long enough; a kill in between leaves a row whose file is gone, for the next time."""
    with house.database.begin() as connection:
        due = _due(connection, house.retention.unnamed)
    count = freed = left = 0
    for lock, group in groupby(sorted(due, key=lambda path: (lock_of(path), path)), key=lock_of):
        paths = list(group)
        for start in range(0, len(paths), FILES_AT_ONCE):
            some = paths[start : start + FILES_AT_ONCE]
            with worker_lock.tried(house.database, lock) as mine:
                if not mine:
                    left += len(some)
                    continue
                count, freed = count + len(some), freed + sum(map(house.lake.size_bytes, some))
                if not house.dry:
                    _remove(house, some)
    return Swept("files that no row names any more", count, freed, f"{left} in use, next time" if left else "")


def _due(connection: sa.Connection, after: timedelta) -> list[str]:
    old = retired_files.c.retired_at < sa.func.clock_timestamp() - sa.literal(after, sa.Interval)
    return list(connection.execute(sa.select(retired_files.c.path).where(old)).scalars())


def _remove(house: House, paths: list[str]) -> None:
    """The caller holds the lock of whoever could name them again."""
    with house.database.begin() as connection:
        again = named(connection, paths)
    for path in paths:
        if path not in again:
            house.lake.remove(path)
    with house.database.begin() as connection:
        connection.execute(sa.delete(retired_files).where(retired_files.c.path.in_(paths)))
