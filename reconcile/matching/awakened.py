"""A state in which nothing sleeps: the same for the next fold, and all of it in files of its own."""
# ruff: noqa: S608 - our own names

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconcile.matching import columns, dormant, inputs, state
from reconcile.matching.dormant import Sleepers
from reconcile.matching.dormant_segment import TABLES
from reconcile.matching.session import Session

_WRITTEN: Final = {
    state.CONFIRMATIONS: f"SELECT {columns.select(columns.CONFIRMATION)} FROM loose_confirmation ORDER BY ALL",
    state.ENTRIES: f"SELECT {columns.select(columns.ENTRY)} FROM loose_entry ORDER BY ALL",
    state.HEARD: f"SELECT {columns.select(columns.HEARD)} FROM loose_heard ORDER BY ALL",
    state.JUDGED: f"SELECT {columns.select(columns.VERDICT)} FROM judged_before ORDER BY break_id",
    state.TOTALS: "FROM total_awake",
    state.MINUTES: "FROM minute_total_awake",
}


def write(previous: Path, out: Path, flow: str, *, keys: Path) -> None:
    """Write the state in the folder `previous` to the new folder `out` with nothing asleep, and beside it whatever else is there.

    `keys`: the folder of the flow's segments on this machine. Raises `state.StateError`.
    """
    before = state.read(previous, flow)
    shutil.copytree(previous, out, ignore=shutil.ignore_patterns(state.MANIFEST, state.WOKEN, *_WRITTEN))
    with Session(out) as session:
        inputs.open_views(session, previous, state.Manifest(flow), (), (), (), ())
        for name, of_kind in TABLES.items():
            rows = dormant.asleep(keys, before.sleepers, name)
            if rows is not None:
                session.insert(f"woken_{name}", rows, columns.select(of_kind))
        session.run("awakened")
        for file, query in _WRITTEN.items():
            session.write(query, out / file)
    # No number is given twice: of a component that has slept, whatever becomes of it.
    state.write(out, replace(before, sleepers=Sleepers(last=before.sleepers.last)))
