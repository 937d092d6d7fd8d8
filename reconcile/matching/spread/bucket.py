"""One bucket of accounts on one machine: the same passes as anywhere, over fewer rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from reconcile.matching import inputs
from reconcile.matching.cluster import Cluster, Parcel
from reconcile.matching.passes import run_passes
from reconcile.matching.session import Session
from reconcile.matching.spread import parcels
from reconcile.matching.spread.connections import Connections
from reconcile.matching.spread.sources import Task, opened
from reconcile.matching.terms import Terms
from reconcile.store.scratch import scratch_folder

MATCHES: Final = "matches"
VERDICTS: Final = ("verdict", "statement_line", "curve", "tally")
"""What a comparison of two files needs of a bucket beside its matches: tables and views of the session, by their names."""
STATE: Final = (
    "own_verdict",
    "total_after",
    "minute_total_after",
    "kept_confirmation",
    "kept_entry",
    "kept_payment",
    "kept_heard",
)
"""What a fold needs beside these."""

MEMORY_LIMIT: Final = "2GB"
"""What DuckDB may hold in memory for one bucket; the rest of a bigger one lies on the machine's disk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every machine is told. Can be pickled."""

    tasks: list[Task]
    terms: Terms
    connections: Connections
    buckets: int


def settle_all(cluster: Cluster, plan: Plan) -> Iterator[Parcel]:
    """The results of all buckets: files named `MATCHES` and as in `result_names`."""
    return cluster.shuffle(len(plan.tasks), partial(_read, plan), plan.buckets, partial(_settle, plan))


def result_names(terms: Terms) -> tuple[str, ...]:
    """The results of a bucket, beside its matches."""
    return VERDICTS if terms.foreign else (*VERDICTS, *STATE)


def _read(plan: Plan, number: int) -> Iterator[Parcel]:
    """All rows of a task, each on its way to the bucket of its account."""
    # Our attempts are judged, whether or not a row speaks of them.
    always = [plan.connections.own_place(plan.buckets)] if number == 0 else []
    with scratch_folder("rows") as folder:
        for piece, session in opened(plan.tasks[number], folder):
            rows = session.arrow("SELECT *, hash(account_key) AS home FROM piece")
            places = plan.connections.places(rows["home"].to_numpy().astype(np.uint64), plan.buckets)
            yield from parcels.packed(piece.source.side, piece.number, rows.drop(["home"]), places, always)


def _settle(plan: Plan, arrived: Iterator[Parcel]) -> Iterator[Parcel]:
    """The passes over one bucket."""
    with scratch_folder("bucket") as folder:
        bucket, files = parcels.landed(arrived, folder)
        is_own = bucket == plan.connections.own_place(plan.buckets)
        terms = plan.terms if is_own else replace(plan.terms, own=None)
        with Session(folder, threads=1, memory_limit=MEMORY_LIMIT) as session:
            inputs.first(session, terms, files.get("told", []), files.get("posted", []), files.get("paid", []))
            run_passes(session, terms.rules, _file(folder, MATCHES), paid=terms.paid)
            session.run("handed_on")
            for name in result_names(terms):
                session.write(f"FROM {name}", _file(folder, name))
        for name in (MATCHES, *result_names(terms)):
            yield from parcels.of_file(bucket, name, _file(folder, name))


def _file(folder: Path, name: str) -> Path:
    return folder / f"out-{name}.parquet"
