"""The files of dormant components: written once, mapped into memory, made anew when little of them is left."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from reconcile.matching import columns, key_index
from reconcile.matching.key_index import Keys, KeySegment, Numbers, Run
from reconcile.matching.row_columns import as_arrow, fixed

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
"""Where components stand in their segment."""

MERGED_AT_ONCE: Final = 4
COMPONENTS_MAX: Final = 1 << 18
"""A segment has at most as many: half a gigabyte, and that in memory while it is made."""

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "confirmation": columns.CONFIRMATION,
    "entry": columns.ENTRY,
    "heard": columns.HEARD,
    "minute": columns.MINUTE,
    "sum": columns.TOTAL,
    "verdict": columns.VERDICT,
}
"""Each with its component in the first column, and in that order."""
COMPONENT: Final = "component"
"""A table of the components themselves: see `dormant_component` in `sql/match/laid_down.sql`."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`level`: how often it was merged; `index`: each tie leads to the places of its components, counted from 0."""

    name: str
    level: int
    components: int
    index: KeySegment

    @property
    def paths(self) -> tuple[str, ...]:
        """Its files, below the folder of all segments."""
        return (*(_path(self.name, table) for table in (*TABLES, COMPONENT)), *self.index.paths)


class Part:
    """One segment, and what of it sleeps."""

    def __init__(self, folder: Path, segment: Segment, woken: Numbers) -> None:
        """`woken`: the components that have left their segments, in any order; those of other segments do not matter."""
        self.segment = segment
        self._folder = folder
        table = _opened(folder, segment.name, COMPONENT)
        self._columns = {name: fixed(table.column(name).combine_chunks()) for name in table.column_names}
        self._tables: dict[str, Any] = {}
        self.numbers: Numbers = self._columns[COMPONENT]
        self.asleep: Mask = ~self.among(woken)

    def among(self, numbers: Numbers) -> Mask:
        """Which of its components these are."""
        marks = np.zeros(len(self.numbers), dtype=np.bool_)
        places = np.searchsorted(self.numbers, numbers)
        places[places == len(marks)] = 0
        marks[places[self.numbers[places] == numbers]] = True
        return marks

    def count(self, column: str, frozen_before_us: int | None) -> int:
        """The sum of a column over what sleeps and may still change."""
        return int(self._columns[column][self.moving(frozen_before_us)].sum())

    def moving(self, frozen_before_us: int | None) -> Mask:
        """What sleeps and may still change: it is owed, or not older than this (microseconds since 1970 in UTC)."""
        return self.asleep & self._may_change(slice(None), frozen_before_us)

    def turning(self, frozen_before_us: int | None) -> Mask:
        """What sleeps and of which a part, but not the whole, can no longer change since it lay down: that part is to be forgotten."""
        if frozen_before_us is None:
            return self.asleep & False
        return self.moving(frozen_before_us) & (self._columns["turns_us"].view(np.int64) < frozen_before_us)

    def kept(self, frozen_before_us: int | None) -> Mask:
        """What sleeps and is not forgotten: of what can no longer change, the verdicts that stand open."""
        return self.moving(frozen_before_us) | self.asleep & (self._columns["is_open"] > 0)

    def of(self, ties: Keys) -> Mask:
        """What sleeps and has one of the sorted ties."""
        marks = np.zeros(len(self.numbers), dtype=np.bool_)
        _, places = key_index.numbers_of(self._folder, self.segment.index, ties)
        marks[places] = True
        return self.asleep & marks

    def ties(self) -> Run:
        """Every tie, and the number of a component that has it."""
        keys, places = key_index.keys_and_files(self._folder, self.segment.index)
        return keys, self.numbers[places]

    def known(self, table: str, places: Places, frozen_before_us: int | None) -> Any:
        """The rows of these components, which sleep, in one of the tables, as far as they are not forgotten: of what can no longer
        change, there are the verdicts that stand open, and that they do; its rows are gone, and its sums stay where they are.
        """
        moving = self._may_change(places, frozen_before_us)
        is_open = self._columns["is_open"][places] > 0
        if table in {"verdict", COMPONENT}:
            return self._rows(table, places[moving | is_open])
        rows = self._rows(table, places[moving])
        if table != "sum":
            return rows
        still = self._rows(table, places[~moving & is_open])
        # Not `equal`: it makes a scalar, and that imports pandas, which takes longer than many a fold.
        return pa.concat_tables([rows, still.filter(pc.match_like(still["side"], "break"))])

    def _may_change(self, places: Any, frozen_before_us: int | None) -> Mask:
        last_us: npt.NDArray[np.int64] = self._columns["last_us"].view(np.int64)[places]
        if frozen_before_us is None:
            return np.ones(len(last_us), dtype=np.bool_)
        may_change: Mask = (last_us >= frozen_before_us) | (self._columns["owing"][places] > 0)
        return may_change

    def _rows(self, table: str, places: Places) -> Any:
        if table not in self._tables:
            self._tables[table] = _opened(self._folder, self.segment.name, table)
        whole = self._tables[table]
        if not whole.num_rows:
            return whole
        of_row = fixed(whole.column(COMPONENT).combine_chunks())
        numbers = self.numbers[places]
        first, beyond = np.searchsorted(of_row, numbers), np.searchsorted(of_row, numbers, "right")
        counts = beyond - first
        return whole.take(as_arrow(np.repeat(beyond - np.cumsum(counts), counts) + np.arange(counts.sum())))


def write(folder: Path, tables: Mapping[str, Any], ties: Run, *, level: int) -> Segment:
    """Write a segment; its name says what is in it. `ties`: in any order, each with the number of a component of the segment."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = {name: folder / f".{uuid4().hex}.{name}.partial" for name in tables}
    content = hashlib.sha256()
    try:
        for name, file in partial.items():
            _store(tables[name].combine_chunks(), file)
            with file.open("rb") as stored:
                content.update(hashlib.file_digest(stored, "sha256").digest())
        name = content.hexdigest()[:32]
        keys, numbers = ties
        places = np.searchsorted(fixed(tables[COMPONENT].column(COMPONENT).combine_chunks()), numbers).astype(np.uint32)
        index = key_index.build(folder, [(keys, places)], made_of=["ties", name])
        for table, file in partial.items():
            file.replace(folder / _path(name, table))
    finally:
        for file in partial.values():
            file.unlink(missing_ok=True)  # half a file on a full disk would keep it full
    return Segment(name, level, tables[COMPONENT].num_rows, index)


def tidied(folder: Path, parts: Sequence[Part], frozen_before_us: int | None) -> tuple[Segment, ...]:
    """Segments without those that are forgotten, those of which no more than half is left made anew, and `MERGED_AT_ONCE` of
    one level merged into one of the next.
    """
    left = []
    for part in parts:
        count = int(part.kept(frozen_before_us).sum())
        if 2 * count > part.segment.components:
            left.append(part)
        elif count:
            left.append(_merged(folder, [part], part.segment.level, frozen_before_us))
    level = 0
    while any(part.segment.level >= level for part in left):
        small = [part for part in left if part.segment.components <= COMPONENTS_MAX // MERGED_AT_ONCE]
        of_level = [part for part in small if part.segment.level == level]
        if len(of_level) >= MERGED_AT_ONCE:
            left = [part for part in left if part not in of_level]
            left.append(_merged(folder, of_level, level + 1, frozen_before_us))
        level += 1
    return tuple(part.segment for part in left)


def _merged(folder: Path, parts: Sequence[Part], level: int, frozen_before_us: int | None) -> Part:
    tables = {
        name: _joined([part.known(name, np.flatnonzero(part.asleep), frozen_before_us) for part in parts])
        for name in (*TABLES, COMPONENT)
    }
    runs = [part.ties() for part in parts]
    keys, numbers = (np.concatenate(pieces) for pieces in zip(*runs, strict=True))
    still = np.isin(numbers, fixed(tables[COMPONENT].column(COMPONENT).combine_chunks()))
    segment = write(folder, tables, (keys[still], numbers[still]), level=level)
    return Part(folder, segment, np.empty(0, dtype=np.uint32))


def _joined(tables: Sequence[Any]) -> Any:
    """In the order of components."""
    whole = pa.concat_tables(tables).combine_chunks()
    if not whole.num_rows:  # of no chunks at all `combine_chunks` makes an array by importing pandas
        return whole
    return whole.take(as_arrow(np.argsort(fixed(whole.column(COMPONENT).combine_chunks()), kind="stable")))


def _opened(folder: Path, name: str, table: str) -> Any:
    return ipc.open_file(pa.memory_map(str(folder / _path(name, table)))).read_all()


def _store(table: Any, file: Path) -> None:
    with file.open("wb") as sink:
        with ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        sink.flush()
        os.fsync(sink.fileno())


def _path(name: str, table: str) -> str:
    return f"{name}.{table}.arrow"
