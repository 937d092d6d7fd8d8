"""Which accounts must be matched together, found over all rows of the input."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from reconcile.matching.cluster import Cluster, Parcel
from reconcile.matching.inputs import own_attempts
from reconcile.matching.session import Session
from reconcile.matching.spread import parcels
from reconcile.matching.spread.sources import Task, opened
from reconcile.matching.terms import Terms
from reconcile.store.scratch import scratch_folder

_THREADS = "threads"
_LINKS = "links"


@dataclass(frozen=True, slots=True)
class Connections:
    """Account number → the number that stands for all accounts connected with it, for those that are connected with any.

    `own`: where our attempts belong; 0 where they concern no row.
    """

    root: Mapping[int, int] = field(default_factory=dict)
    own: int = 0

    def places(self, homes: npt.NDArray[np.uint64], buckets: int) -> npt.NDArray[np.uint64]:
        """The bucket of each account number."""
        roots = homes
        if self.root:
            known = np.array(sorted(self.root), dtype=np.uint64)
            root_of = np.array([self.root[int(home)] for home in known], dtype=np.uint64)
            at = np.minimum(np.searchsorted(known, homes), len(known) - 1)
            roots = np.where(known[at] == homes, root_of[at], homes)
        return roots % np.uint64(buckets)

    def own_place(self, buckets: int) -> int:
        """The bucket of our attempts."""
        return self.own % buckets


def find(cluster: Cluster, tasks: list[Task], terms: Terms, buckets: int) -> Connections:
    """The connections between all accounts that the tasks read of."""
    found = cluster.shuffle(len(tasks), partial(_read, tasks, terms, buckets), buckets, _link)
    return connect(row for parcel in found for row in _rows(parcel))


def connect(links: Iterable[tuple[int, int, bool]]) -> Connections:
    """From rows (thread, account number, own) to what is connected, directly or through others."""
    root: dict[int, int] = {}

    def root_of(home: int) -> int:
        while root.setdefault(home, home) != home:
            root[home] = root[root[home]]
            home = root[home]
        return home

    first_of: dict[int, int] = {}
    own = None
    for thread, home, is_own in links:
        one, other = root_of(home), root_of(first_of.setdefault(thread, home))
        root[max(one, other)] = min(one, other)
        own = home if is_own else own
    return Connections({home: root_of(home) for home in root}, 0 if own is None else root_of(own))


def _read(tasks: list[Task], terms: Terms, buckets: int, number: int) -> Iterator[Parcel]:
    with scratch_folder("threads") as folder:
        for piece, session in opened(tasks[number], folder):
            own_attempts(session, terms)
            session.run(f"threads_{piece.source.side}")
            threads = session.arrow("FROM thread")
            places = threads["thread"].to_numpy() % np.uint64(buckets)
            yield from parcels.packed(_THREADS, piece.number, threads, places)


def _link(arrived: Iterator[Parcel]) -> Iterator[Parcel]:
    with scratch_folder("links") as folder, Session(folder, threads=1) as session:
        bucket, files = parcels.landed(arrived, folder)
        session.execute(f"CREATE TEMP VIEW thread AS FROM {parcels.scan(files[_THREADS])}")
        session.run("links")
        links = folder / "links.parquet"
        session.write("FROM link", links)
        yield from parcels.of_file(bucket, _LINKS, links)


def _rows(parcel: Parcel) -> Iterator[tuple[int, int, bool]]:
    table = parcels.unpacked(parcel)
    yield from zip(*(table[name].to_pylist() for name in ("thread", "home", "own")), strict=True)
