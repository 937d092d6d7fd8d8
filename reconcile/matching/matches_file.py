"""`matches.parquet`: the plain pairs, in the order of the confirmations, and then what needed a closer look."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.matching.plain import PlainPairs, Rows
from reconcile.matching.session import Session

ROW_GROUP_ROWS: Final = 1 << 18
_SLICE_ROWS: Final = 4 * ROW_GROUP_ROWS
_REPEATING: Final = ["pass", "confidence", "delta_minor"]
# Encoded: ten million words need not be looked at one by one.
_WORDS: Final = pa.dictionary(pa.int8(), pa.string())


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of all rows at hand, each with the column `row`: match_key and confirmation_id; entry_id."""

    told: Any
    posted: Any

    @classmethod
    def read(cls, session: Session) -> Self:
        return cls(
            session.arrow("SELECT row, match_key, confirmation_id FROM confirmation"),
            session.arrow("SELECT row, entry_id FROM entry"),
        )


class MatchesFile:
    """Writes the file. `write_plain` asks nothing of the session, so that it may run beside the passes that follow."""

    def __init__(self, file: Path, ids: Ids) -> None:
        self._ids = ids
        self._schema = pa.schema(
            [
                ("match_id", ids.told.schema.field("match_key").type),
                ("confirmation_id", ids.told.schema.field("confirmation_id").type),
                ("entry_id", ids.posted.schema.field("entry_id").type),
                ("pass", _WORDS),
                ("confidence", _WORDS),
                ("delta_minor", pa.int64()),
            ]
        )
        self._writer = pq.ParquetWriter(
            file,
            self._schema,
            # Nothing makes the random bits of ids smaller, and their range helps nobody.
            compression={name: "ZSTD" if name in _REPEATING else "NONE" for name in self._schema.names},
            use_dictionary=_REPEATING,
            write_statistics=_REPEATING,
            store_schema=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write_plain(self, pairs: PlainPairs) -> None:
        """Write the plain pairs; row groups are cut by row numbers, so that two runs cut them alike."""
        if not pairs.count:
            return
        told, told_rows = _in_order(self._ids.told)
        posted, posted_rows = _in_order(self._ids.posted)
        entry_ids = posted.column("entry_id").combine_chunks()
        without_gaps = len(posted_rows) == int(posted_rows[-1]) + 1
        for start in range(0, len(told_rows), _SLICE_ROWS):
            rows = told_rows[start : start + _SLICE_ROWS]
            chosen = pairs.is_plain[rows]
            entries = pairs.entry_of[rows[chosen]]
            places = entries if without_gaps else np.searchsorted(posted_rows, entries)
            ids = told.slice(start, _SLICE_ROWS).filter(pa.array(chosen)).combine_chunks()
            columns = [
                ids.column("match_key"),
                ids.column("confirmation_id"),
                entry_ids.take(pa.array(places)),
                _same("reference", len(entries)),
                _same("high", len(entries)),
                pa.repeat(pa.scalar(0, pa.int64()), len(entries)),
            ]
            self._writer.write_table(pa.table(columns, schema=self._schema), row_group_size=ROW_GROUP_ROWS)

    def write_closer(self, session: Session) -> None:
        """Write the rows of the view `closer_match`."""
        table = session.arrow("FROM closer_match")
        for name in ("pass", "confidence"):
            words = table.column(name).combine_chunks().dictionary_encode().cast(_WORDS)
            table = table.set_column(table.schema.get_field_index(name), name, words)
        self._writer.write_table(table, row_group_size=ROW_GROUP_ROWS)


def _in_order(table: Any) -> tuple[Any, Rows]:
    """The table in the order of its column `row`, in which it nearly always is already; and that column."""
    rows = table.column("row").to_numpy()
    if np.all(rows[1:] > rows[:-1]):
        return table, rows
    order = np.argsort(rows)
    return table.take(pa.array(order)), rows[order]


def _same(word: str, rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int8)), [word])
