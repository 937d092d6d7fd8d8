"""`matches.parquet`: the plain pairs, in the order of the confirmations, and then what needed a closer look."""

from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.matching.plain import PlainPairs
from reconcile.matching.row_columns import as_arrow
from reconcile.matching.session import Session

ROW_GROUP_ROWS: Final = 1 << 18
_REPEATING: Final = ["pass", "confidence", "delta_minor"]
# Encoded: ten million words need not be looked at one by one.
_WORDS: Final = pa.dictionary(pa.uint8(), pa.string())


class MatchesFile:
    """Writes the file. `write_plain` asks nothing of the session, so that it may run beside the passes that follow."""

    def __init__(self, file: Path, pairs: PlainPairs) -> None:
        self._pairs = pairs
        self._schema = pa.schema(
            [
                ("match_id", pairs.match_key.type),
                ("confirmation_id", pairs.confirmation_id.type),
                ("entry_id", pairs.entry_id.type),
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

    def write_plain(self) -> None:
        """Write the plain pairs; row groups are cut by row numbers, so that two runs cut them alike."""
        pairs = self._pairs
        for start in range(0, len(pairs.is_plain), ROW_GROUP_ROWS):
            rows = np.flatnonzero(pairs.is_plain[start : start + ROW_GROUP_ROWS]) + start
            if not len(rows):
                continue
            columns = [
                pairs.match_key.take(rows),
                pairs.confirmation_id.take(rows),
                pairs.entry_id.take(pairs.entry_of[rows]),
                _same("reference", len(rows)),
                _same("high", len(rows)),
                as_arrow(np.zeros(len(rows), dtype=np.int64)),
            ]
            self._writer.write_table(pa.table(columns, schema=self._schema), row_group_size=ROW_GROUP_ROWS)

    def write_closer(self, session: Session) -> None:
        """Write the rows of the table `closer_match`."""
        self._writer.write_table(session.arrow("FROM closer_match"), row_group_size=ROW_GROUP_ROWS)


def _same(word: str, rows: int) -> Any:
    ends = np.array([0, len(word)], dtype=np.int32)
    one = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(ends), pa.py_buffer(word.encode())])
    return pa.DictionaryArray.from_arrays(as_arrow(np.zeros(rows, dtype=np.uint8)), one)
