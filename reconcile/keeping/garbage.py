"""Files that no row ever named: what a job wrote before it was killed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import sqlalchemy as sa

from reconcile.keeping.house import FILES_AT_ONCE, House, Swept
from reconcile.keeping.retired import could_name, lock_of, named
from reconcile.store import worker_lock
from reconcile.store.lake import LakeFile
from reconcile.store.tables import retired_files

FOLDERS: Final = ("landed", "published", "runs", "matches")
"""What jobs write and rows name."""
KEYS: Final = "keys"
"""What folds write and only the newest run's state names. Nothing else in the lake is touched."""


def sweep(house: House) -> Swept:
    """Removes files that no row names and that have not been written for a while, and half-written ones of that age.

    A job writes before it commits. So each file is looked at again under the lock of whoever could name it.
    """
    found: list[LakeFile] = []
    for folder in (*FOLDERS, KEYS):
        for some in _in_parts(file for file in house.lake.find(folder) if _is_old(house, file)):
            found += _nameless(house, some)
    count = freed = 0
    for lock, group in groupby(sorted(found, key=lambda file: (lock_of(file.path), file.path)), key=_lock):
        for some in _in_parts(group):
            with worker_lock.tried(house.database, lock) as mine:
                still = [file for file in _nameless(house, some) if _is_unchanged(house, file)] if mine else []
                for file in still:
                    if not house.dry:
                        house.lake.remove(file.path)
            count, freed = count + len(still), freed + sum(file.size_bytes for file in still)
    return Swept("files that no row ever named", count, freed)


def _nameless(house: House, files: list[LakeFile]) -> list[LakeFile]:
    of_keys = [file for file in files if file.path.startswith(f"{KEYS}/")]
    needed = frozenset[str]().union(
        *(house.needed_keys(flow) for flow in {file.path.split("/")[1] for file in of_keys})
    )
    names = {file.path: could_name(file.path) for file in files if file not in of_keys}
    wanted = [name for some in names.values() for name in some]
    with house.database.begin() as connection:
        kept = named(connection, wanted)
        kept.update(
            connection.execute(sa.select(retired_files.c.path).where(retired_files.c.path.in_(wanted))).scalars()
        )
    return [
        file for file in files if (kept.isdisjoint(names[file.path]) if file.path in names else file.path not in needed)
    ]


def _is_old(house: House, file: LakeFile) -> bool:
    return file.changed_at < datetime.now(UTC) - house.retention.unnamed


def _is_unchanged(house: House, file: LakeFile) -> bool:
    return list(house.lake.find(file.path)) == [file]


def _lock(file: LakeFile) -> str:
    return lock_of(file.path)


def _in_parts(files: Iterable[LakeFile]) -> Iterator[list[LakeFile]]:
    some: list[LakeFile] = []
    for file in files:
        some.append(file)
        if len(some) == FILES_AT_ONCE:
            yield some
            some = []
    if some:
        yield some
