"""Removes what is no longer needed and merges what is past: small transactions, safe beside every other job."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from reconcile.jobs import folding
from reconcile.jobs.world import World
from reconcile.keeping import compaction, expiry, garbage, local, retired, rows
from reconcile.keeping.house import House, Swept
from reconcile.matching import state
from reconcile.store.scratch import scratch_folder
from reconcile.store.worker_lock import held

LOCK: Final = "housekeeping"
Progress = Callable[[str, int, int], None]
"""Told what is being done, how many parts are done, and of how many."""


def housekeep(world: World, *, dry: bool = False, progress: Progress | None = None) -> list[Swept]:
    """Keeps house once; returns what each part did or, when `dry`, would do.

    May be killed at any moment and run again: a row lets go of its file first, the file is removed afterwards. Never
    touches money, audit or open cases. Raises `WorkerBusyError` while another worker keeps house.
    """
    with held(world.database, LOCK):
        if dry:
            return list(_parts(house_of(world, dry=True), world, progress))
        with world.job(LOCK) as run:
            done = list(_parts(house_of(world, dry=False), world, progress))
            run.counts.update({one.what: one.count for one in done if one.count})
            return done


def needed(world: World, flow: str) -> frozenset[str]:
    """URLs of the published files that the next fold of a flow may read again."""
    return _of_newest_state(world, flow, state.needed_files)


def needed_keys(world: World, flow: str) -> frozenset[str]:
    """Paths, below the lake, of the files of a flow's key index that its next fold reads."""
    names = _of_newest_state(world, flow, state.needed_keys)
    return frozenset(f"{folding.keys_folder(flow)}/{name}" for name in names)


def _of_newest_state(world: World, flow: str, ask: Callable[[Path, str], frozenset[str]]) -> frozenset[str]:
    with world.database.begin() as connection:
        pointer = folding.pointer(connection, flow)
    if pointer is None:
        return frozenset()
    with scratch_folder("keep") as scratch:
        return ask(folding.state_here(world.lake, pointer, scratch, state.MANIFEST_FILES), flow)


def house_of(world: World, *, dry: bool = True) -> House:
    """What the parts of housekeeping are given in this world."""
    return House(
        database=world.database,
        lake=world.lake,
        retention=world.configuration.retention,
        now=world.clock.now(),
        dry=dry,
        needed=lambda flow: needed(world, flow),
        needed_keys=lambda flow: needed_keys(world, flow),
    )


def _parts(house: House, world: World, progress: Progress | None) -> Iterator[Swept]:
    # What leaves first frees most; what was retired by this run leaves with a later one.
    reports = world.configuration.path(world.configuration.reports.path)
    parts: tuple[tuple[str, Callable[[], Iterator[Swept]]], ...] = (
        ("files that are retired", lambda: iter([retired.sweep(house)])),
        ("files that nobody names", lambda: iter([garbage.sweep(house)])),
        ("this machine", lambda: local.sweep(house, reports)),
        ("rows beyond their retention", lambda: rows.sweep(house)),
        ("files beyond their retention", lambda: expiry.sweep(house)),
        ("days to merge", lambda: compaction.sweep(house)),
    )
    for place, (name, part) in enumerate(parts):
        if progress is not None:
            progress(name, place, len(parts))
        yield from part()
