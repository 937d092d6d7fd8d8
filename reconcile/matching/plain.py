"""The bulk of every run: groups of one confirmation and one entry that fit as they stand.

DuckDB joins, arrays of row numbers say which pairs are alone in their group, and the pairs are written in the order of the
confirmations: a join alone gives no order that two runs would share, and sorting ten million rows costs more than all else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.matching.session import Session

Rows = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]

ROW_GROUP_ROWS: Final = 1 << 18
_WORDS: Final = pa.dictionary(pa.int8(), pa.string())
_SLICE_ROWS: Final = 4 * ROW_GROUP_ROWS


@dataclass(frozen=True, slots=True)
class PlainPairs:
    """Row numbers of confirmations, rising, and of the entry of each."""

    told: Rows
    posted: Rows

    def __len__(self) -> int:
        return len(self.told)


def find_plain_pairs(session: Session) -> PlainPairs:
    """Run the reference pass's cheap half; the tables `odd_told` and `odd_posted` hold the rows that it leaves."""
    session.run("reference")
    pairs = session.arrays("SELECT told_row, posted_row, fits FROM pair")
    [(told_rows, posted_rows)] = session.rows(
        "SELECT (SELECT coalesce(max(row)::BIGINT + 1, 0) FROM confirmation),"
        " (SELECT coalesce(max(row)::BIGINT + 1, 0) FROM entry)"
    )
    told, posted = pairs["told_row"], pairs["posted_row"]
    alone = pairs["fits"].astype(bool)
    alone &= ~_seen_again(told, told_rows)[told]
    alone &= ~_seen_again(posted, posted_rows)[posted]
    retold = _retold_rows(session)
    if len(retold):
        alone &= ~_mask(retold, told_rows)[told]
    told, posted = told[alone], posted[alone]
    session.integers("odd_told", "row", np.flatnonzero(~_mask(told, told_rows)).astype(np.uint32))
    session.integers("odd_posted", "row", np.flatnonzero(~_mask(posted, posted_rows)).astype(np.uint32))
    entry_of = np.empty(told_rows, dtype=np.uint32)
    entry_of[told] = posted
    in_order = np.flatnonzero(_mask(told, told_rows)).astype(np.uint32)
    return PlainPairs(in_order, entry_of[in_order])


def write_matches(session: Session, pairs: PlainPairs, file: Path) -> None:
    """Write the plain pairs, in the order of the confirmations, and then the rows of the view `closer_match`."""
    closer = _encoded(session.arrow("FROM closer_match"))
    repeating = ["pass", "confidence", "delta_minor"]
    # The other columns are ids: nothing makes random bits smaller, and their range helps nobody.
    compression = {name: "ZSTD" if name in repeating else "NONE" for name in closer.schema.names}
    with pq.ParquetWriter(
        file,
        closer.schema,
        compression=compression,
        use_dictionary=repeating,
        write_statistics=repeating,
        store_schema=False,
    ) as writer:
        for table in _plain_tables(session, pairs, closer.schema):
            writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
        writer.write_table(closer, row_group_size=ROW_GROUP_ROWS)


def _plain_tables(session: Session, pairs: PlainPairs, schema: Any) -> Iterator[Any]:
    if not len(pairs):
        return
    told = _Column(session, "SELECT row, match_key, confirmation_id FROM confirmation")
    posted = _Column(session, "SELECT row, entry_id FROM entry")
    for start in range(0, len(pairs), _SLICE_ROWS):
        some = slice(start, start + _SLICE_ROWS)
        keys, confirmations = told.take(pairs.told[some])
        [entries] = posted.take(pairs.posted[some])
        rows = len(entries)
        yield pa.table(
            [
                keys,
                confirmations,
                entries,
                _same("reference", rows),
                _same("high", rows),
                pa.repeat(pa.scalar(0, pa.int64()), rows),
            ],
            schema=schema,
        )


def _encoded(table: Any) -> Any:
    """The same rows with the two columns of few words encoded: ten million words need not be looked at one by one."""
    for name in ("pass", "confidence"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).combine_chunks().dictionary_encode().cast(_WORDS))
    return table


def _same(word: str, rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int8)), [word])


class _Column:
    """Columns of a query by row number; its first column is `row`."""

    def __init__(self, session: Session, query: str) -> None:
        table = session.arrow(query)
        rows = table.column("row").to_numpy()
        self._columns = [column.combine_chunks() for column in table.columns[1:]]
        self._place: Rows | None = None
        if not np.array_equal(rows, np.arange(len(rows), dtype=np.uint32)):
            self._place = np.zeros(int(rows.max()) + 1, dtype=np.uint32)
            self._place[rows] = np.arange(len(rows), dtype=np.uint32)

    def take(self, rows: Rows) -> list[Any]:
        places = pa.array(rows if self._place is None else self._place[rows])
        return [column.take(places) for column in self._columns]


def _retold_rows(session: Session) -> Rows:
    """Rows of purchases that were told more than once: perhaps with another account or amount, perhaps taken back."""
    digests = session.arrays("SELECT hash(confirmation_id) AS digest FROM confirmation")["digest"]
    digests.sort()
    # Two ids that share a digest by accident only get a closer look.
    again = np.unique(digests[1:][digests[1:] == digests[:-1]])
    if not len(again):
        return np.empty(0, dtype=np.uint32)
    session.integers("retold", "digest", again)
    found = session.arrays("SELECT row FROM confirmation WHERE hash(confirmation_id) IN (SELECT digest FROM retold)")
    rows: Rows = found["row"]
    return rows


def _seen_again(rows: Rows, size: int) -> Mask:
    """Which row numbers below `size` are in `rows` more than once."""
    last = np.empty(size, dtype=np.uint32)
    position = np.arange(len(rows), dtype=np.uint32)
    last[rows] = position
    return _mask(rows[last[rows] != position], size)


def _mask(rows: Rows, size: int) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[rows] = True
    return mask
