"""Open items that nothing but a new row can change: they sleep in segments, and wake when a row comes that may concern them.

A purchase that was credited twice stays an open item for as long as the horizon, and so does every other break; but to most of
them nothing happens. What is tied together (by account, reference, key or id) is a component. It goes dormant as a whole,
with its rows, its verdicts and what it adds to the sums, and it wakes as a whole: so a run costs what its new rows concern, however
many breaks there are. Segments are files that never change, as those of the key index are, in the same folder; they are mapped
into memory, so that a few rows out of a million cost what a few rows cost. Which components have left is a list beside.
"""
# ruff: noqa: S608 - our own names

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reconcile.matching import columns, dormant_segment
from reconcile.matching.dormant_segment import COMPONENT, COMPONENTS_MAX, TABLES, Mask, Part, Segment
from reconcile.matching.key_index import Numbers
from reconcile.matching.session import Session
from reconcile.matching.terms import Terms

AWAKE_MAX: Final = 4_000
"""So many open items are judged anew in less time than it takes to lay them down."""
_NUMBERED: Final = frozenset({"confirmation", "entry"})
"""Tables whose rows join those that are at hand, each with its number."""

_NONE: Final[Numbers] = np.empty(0, dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Sleepers:
    """What sleeps. `woken`: the numbers of components that have left their segment; `last`: no number is above it; `under`: by
    what they were judged; `frozen_before_us`: what was too old to change when they were (microseconds since 1970 in UTC).
    """

    segments: tuple[Segment, ...] = ()
    woken: Numbers = field(default_factory=lambda: _NONE)
    last: int = 0
    under: str = ""
    frozen_before_us: int | None = None


NOBODY: Final = Sleepers()


class Dormant:
    """The sleepers of one flow in one session: the tables `woken_*` hold what woke in this run."""

    def __init__(self, session: Session, folder: Path, sleepers: Sleepers, terms: Terms) -> None:
        self._session = session
        self._folder = folder
        # What has become too old since is at hand once more.
        self._frozen_before_us = sleepers.frozen_before_us
        self._frozen_now_us = terms.frozen_before_us
        self._last = sleepers.last
        self._under = terms.judged_by()
        self._is_judged_alike = sleepers.under == self._under
        self._parts = [Part(folder, segment, sleepers.woken) for segment in sleepers.segments]

    def count(self, column: str) -> int:
        """How many `confirmations` or `entries` sleep."""
        return sum(part.count(column, self._frozen_now_us) for part in self._parts)

    def wake(self, *, everything: bool) -> None:
        """Before anything is matched: everything, also where it would be judged otherwise by now; or what `called.sql` calls."""
        self._session.run("stirred")
        if not self._parts:
            return
        if everything or not self._is_judged_alike:
            self._wake([part.asleep for part in self._parts])
        else:
            self._wake([part.turning(self._frozen_now_us) for part in self._parts])
            self._session.run("called")
            self._wake_called()

    def wake_by_odd_rows(self) -> None:
        """After the plain pairs were found: what the other rows may concern."""
        if not self._parts:
            return
        self._session.run("odd_ties")
        if self._wake_called():
            for name in sorted(_NUMBERED):
                self._session.add_held(name, f"FROM woken_{name} WHERE row >= getvariable('woken_{name}_from')")
            self._session.run("woken")

    def lay_down(self) -> Sleepers:
        """Put into segments what can go dormant, if much is awake; returns what sleeps after this run."""
        [(awake,)] = self._session.rows("SELECT open_confirmations + open_entries FROM tally")
        if awake <= AWAKE_MAX:
            return self.stay_awake()
        self._session.run("members")
        _label(self._session)
        self._session.set_variable("last_component", "BIGINT", self._last)
        self._session.run("laid_down")
        [(count,)] = self._session.rows("SELECT count(DISTINCT component) FROM component")
        last = self._last + count
        new = [
            self._segment(f"component BETWEEN {start} AND {min(last, start + COMPONENTS_MAX - 1)}")
            for start in range(self._last + 1, last + 1, COMPONENTS_MAX)
        ]
        return self._sleepers([*self._parts, *(Part(self._folder, segment, _NONE) for segment in new)], last)

    def stay_awake(self) -> Sleepers:
        """All that is at hand is handed on as it is; returns what sleeps after this run."""
        self._session.run("all_awake")
        return self._sleepers(self._parts, self._last)

    def _sleepers(self, parts: Sequence[Part], last: int) -> Sleepers:
        segments = dormant_segment.tidied(self._folder, parts, self._frozen_now_us)
        left = [part.numbers[~part.asleep] for part in parts if part.segment in segments]
        return Sleepers(segments, np.concatenate([_NONE, *left]), last, self._under, self._frozen_now_us)

    def _segment(self, within: str) -> Segment:
        ties = self._session.arrays(f"SELECT tie, component FROM dormant_key WHERE {within} ORDER BY ALL")
        tables = {
            name: self._session.arrow(f"FROM dormant_{name} WHERE {within} ORDER BY ALL")
            for name in (*TABLES, COMPONENT)
        }
        return dormant_segment.write(self._folder, tables, (ties["tie"], ties["component"]), level=0)

    def _wake_called(self) -> bool:
        """Wake what the table `called` calls; whether there was anything."""
        calls = {
            is_id: np.sort(self._session.arrays(f"SELECT tie FROM called WHERE is_id = {is_id}")["tie"])
            for is_id in (True, False)
        }
        return self._wake(
            [part.of(calls[True]) | part.of(calls[False]) & part.moving(self._frozen_before_us) for part in self._parts]
        )

    def _wake(self, wanted: Sequence[Mask]) -> bool:
        """Wake these of each part; whether there was anything."""
        chosen = [(part, np.flatnonzero(mask)) for part, mask in zip(self._parts, wanted, strict=True) if mask.any()]
        if not chosen:
            return False
        for name, of_kind in TABLES.items():
            rows = pa.concat_tables([part.known(name, places, self._frozen_before_us) for part, places in chosen])
            selected = columns.select(of_kind)
            if name in _NUMBERED:
                selected += f", (getvariable('next_{name}') + row_number() OVER () - 1)::UINTEGER AS row"
            self._session.insert(f"woken_{name}", rows, selected)
            if name in _NUMBERED:
                self._session.execute(f"SET VARIABLE next_{name} = getvariable('next_{name}') + {rows.num_rows}")
        for part, places in chosen:
            part.asleep[places] = False
        return True


def asleep(folder: Path, sleepers: Sleepers, table: str) -> Any:
    """All rows that sleep, of one of the tables of segments, for whoever wants to see the whole of a state."""
    parts = [Part(folder, segment, sleepers.woken) for segment in sleepers.segments]
    known = [part.known(table, np.flatnonzero(part.asleep), sleepers.frozen_before_us) for part in parts]
    return pa.concat_tables(known) if known else None


def open_tables(session: Session) -> None:
    """The tables `woken_*`, empty."""
    for name, of_kind in TABLES.items():
        query = columns.empty(of_kind, ("row",) if name in _NUMBERED else ())
        session.execute(f"CREATE TEMP TABLE woken_{name} AS {query}")


def _label(session: Session) -> None:
    """The table `label` of `laid_down.sql`: what hangs together, of the table `tie`."""
    found = session.arrays("SELECT node, tie FROM tie")
    nodes, labels = components(found["node"], found["tie"])
    session.integers("label", {"node": nodes, "label": labels})


def components(
    nodes: npt.NDArray[np.uint64], ties: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Nodes that share a tie, or share ties with others that do, have one label: each node once, and the label of each."""
    names, node = np.unique(nodes, return_inverse=True)
    tie_names, tie = np.unique(ties, return_inverse=True)
    labels = np.arange(len(names))
    while True:
        # The least label that a tie sees, and then the least that a node hears of.
        least = np.full(len(tie_names), len(names))
        np.minimum.at(least, tie, labels[node])
        heard = labels.copy()
        np.minimum.at(heard, node, least[tie])
        heard = heard[heard]
        if np.array_equal(heard, labels):
            return names, labels
        labels = heard
