"""The bulk of every run: groups of one confirmation and one entry that fit as they stand.

DuckDB reads the columns that this takes, a sort brings rows of one key together, and the pairs are kept in the order of the
confirmations: a hash join of ten million rows costs more, gives no order that two runs would share, and leaves open
which of its rows are alone in their group.
"""
# ruff: noqa: S608 - our own names

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reconcile.matching.digests import BLOCK_ROWS, Digests, Rows, Words, by_block
from reconcile.matching.row_columns import FixedColumn, RowColumn, column, fixed, is_known
from reconcile.matching.session import Session

Mask = npt.NDArray[np.bool_]

_NONE: Final = np.uint32(0xFFFF_FFFF)
"""No row."""


@dataclass(frozen=True, slots=True)
class PlainPairs:
    """By the row number of a confirmation: whether it is in a plain pair, and the row number of its entry if so. And the ids
    of both, by row number.
    """

    is_plain: Mask
    entry_of: Rows
    count: int
    match_key: RowColumn
    confirmation_id: RowColumn
    entry_id: RowColumn


@dataclass(frozen=True, slots=True)
class _Side:
    """What is known of each row of one side. `time_us`: by when an entry must have come; when it came."""

    match_key: FixedColumn
    id: RowColumn
    amount_minor: FixedColumn
    time_us: FixedColumn

    @property
    def size(self) -> int:
        return len(self.match_key.values)


def find_plain_pairs(session: Session, sizes: tuple[int, int]) -> PlainPairs:
    """Run the reference pass's cheap half; the tables `odd_told` and `odd_posted` hold the rows that it leaves.

    `sizes`: more than any row number of a confirmation, and of an entry.
    """
    session.run("reference")
    told_rows, posted_rows = sizes
    keys = Digests(told_rows + posted_rows)
    told, told_again = _read_told(session, told_rows, keys)
    posted = _read(session, "posted_row", posted_rows, keys, first=told_rows)
    entry_of = _partners(keys, told_rows)
    del keys  # of fifty million purchases, 0.8 GB
    # Purchases that were told more than once are not settled unseen: perhaps with another account or amount, perhaps taken back.
    entry_of[told_again] = _NONE
    # Nor are rows with an open verdict and purchases that we paid.
    entry_of[_rows_of(session, "confirmation", "confirmation_id")] = _NONE
    is_plain = _fitting(told, posted, entry_of)
    watched_entries = _rows_of(session, "entry", "entry_id")
    if len(watched_entries):
        is_plain &= ~np.isin(entry_of, watched_entries)
    is_odd_entry = np.ones(posted_rows, dtype=np.bool_)
    is_odd_entry[entry_of[is_plain]] = False
    session.integers("odd_told", {"row": np.flatnonzero(~is_plain).astype(np.uint32)})
    session.integers("odd_posted", {"row": np.flatnonzero(is_odd_entry).astype(np.uint32)})
    return PlainPairs(is_plain, entry_of, int(is_plain.sum()), told.match_key, told.id, posted.id)


def _read_told(session: Session, size: int, keys: Digests) -> tuple[_Side, Mask]:
    """The confirmations, and which of them have an id that others have as well."""
    ids = Digests(size)
    told = _read(session, "told_row", size, keys, first=0, ids=ids)
    ids.sort()
    again = np.zeros(size, dtype=np.bool_)
    for rows in by_block(len(ids), ids.repeated):
        again[rows] = True
    return told, again


def _read(session: Session, view: str, size: int, keys: Digests, *, first: int, ids: Digests | None = None) -> _Side:
    """One side; its keys, numbered from `first` on, are added to `keys`, and its ids to `ids`."""
    id_is_text = "VARCHAR" in (kind for name, kind, *_ in session.rows(f"DESCRIBE {view}") if name == "id")
    reader = session.batches(f"SELECT *{', hash(id) AS id_key' if id_is_text and ids is not None else ''} FROM {view}")
    kinds = {field.name: field.type for field in reader.schema}
    side = _Side(
        FixedColumn(kinds["match_key"], size),
        column(kinds["id"], size),
        FixedColumn(kinds["amount_minor"], size),
        FixedColumn(kinds["time_us"], size),
    )

    def add(batch: Any) -> None:
        rows = fixed(batch.column("row")).astype(np.uint64)
        for name, of_side in (
            ("match_key", side.match_key),
            ("id", side.id),
            ("amount_minor", side.amount_minor),
            ("time_us", side.time_us),
        ):
            of_side.add(batch.column(name), rows)
        if ids is not None:
            ids.add(fixed(batch.column("id_key" if id_is_text else "id")), rows)
        _add_keys(keys, batch.column("match_key"), rows + np.uint64(first))

    # The next batch is read while one is put in its place.
    with ThreadPoolExecutor(max_workers=1) as beside:
        added: Future[None] | None = None
        for batch in reader:
            if added is not None:
                added.result()
            if batch.num_rows:
                added = beside.submit(add, batch)
        if added is not None:
            added.result()
    return side


def _add_keys(keys: Digests, column: Any, rows: Words) -> None:
    """Those that are not NULL."""
    values = fixed(column)
    if column.null_count:
        known = is_known(column)
        values, rows = values[known], rows[known]
    keys.add(values, rows)


def _partners(keys: Digests, told_rows: int) -> Rows:
    """By the row number of a confirmation: the entry that is alone with it under one digest."""
    keys.sort()
    entry_of = np.full(told_rows, _NONE, dtype=np.uint32)

    def pair(start: int) -> None:
        one, other = keys.pairs(start)
        of_two_sides = (one < told_rows) & (other >= told_rows)
        entry_of[one[of_two_sides]] = other[of_two_sides] - np.uint64(told_rows)

    for _ in by_block(len(keys), pair):
        pass
    return entry_of


def _fitting(told: _Side, posted: _Side, entry_of: Rows) -> Mask:
    """Whether a confirmation and its partner have the same key, the same amount, and are in time."""
    fits = np.zeros(told.size, dtype=np.bool_)

    def compare(start: int) -> None:
        block = slice(start, start + BLOCK_ROWS)
        rows = np.flatnonzero(entry_of[block] != _NONE)
        entries = entry_of[block][rows]
        same = told.amount_minor.values[block][rows] == posted.amount_minor.values[entries]
        same &= told.time_us.values[block][rows].view(np.int64) >= posted.time_us.values[entries].view(np.int64)
        same &= _same(told.match_key.values[block].take(rows), posted.match_key.values.take(entries))
        fits[block][rows[same]] = True

    for _ in by_block(told.size, compare):
        pass
    return fits


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Mask:
    words: Mask = one.view(np.uint64) == other.view(np.uint64)
    return words[::2] & words[1::2] if len(words) > len(one) else words


def _rows_of(session: Session, view: str, name: str) -> Rows:
    """The row numbers in `view` that are watched."""
    [(count,)] = session.rows("SELECT count(*) FROM watched")
    if not count:
        return np.empty(0, dtype=np.uint32)
    found: Rows = session.arrays(f"SELECT row FROM {view} WHERE {name} IN (SELECT id FROM watched)")["row"]
    return found
