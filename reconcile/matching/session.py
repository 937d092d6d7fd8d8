"""One DuckDB connection that runs the named SQL of `sql/match/`."""

# ruff: noqa: S608 - all text that enters SQL here goes through `literal`; all names are our own

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reconcile import resources
from reconcile.matching import columns
from reconcile.matching.row_columns import as_arrow, fixed, is_known
from reconcile.store.place import protocols

BATCH_ROWS: Final = 122_880
"""Rows of one batch: as many as DuckDB reads at a time from a row group of its own."""

_NO_KEYS: Final = np.empty(0, dtype=np.uint64)


class Session:
    """A private in-memory database, and a folder inside `beside` for what does not fit; both are gone when it closes."""

    def __init__(
        self, beside: Path, *, threads: int | None = None, memory_limit: str | None = None, filesystem: Any = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="scratch-", dir=beside)
        self.scratch = Path(self._folder.name)
        self._connection = duckdb.connect(":memory:")
        self._held: set[str] = set()
        self._filesystem = filesystem
        settings = {"temp_directory": str(self.scratch), "TimeZone": "UTC", "arrow_lossless_conversion": "true"}
        if threads is not None:
            settings["threads"] = str(threads)
        if memory_limit is not None:
            settings["memory_limit"] = memory_limit
        for name, value in settings.items():
            self._connection.execute(f"SET {name} = {literal(value)}")
        if filesystem is not None:
            self.open_urls(filesystem)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._folder.cleanup()

    def open_urls(self, filesystem: Any) -> None:
        """Open URLs by this fsspec file system from now on."""
        if not self._connection.filesystem_is_registered(protocols(filesystem)[0]):
            self._connection.register_filesystem(filesystem)

    def run(self, name: str) -> None:
        """Run one file of `sql/match/`, named without its folder and ending."""
        self._connection.execute(resources.text(f"sql/match/{name}.sql"))

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        self._connection.execute(statement, list(parameters))

    def use_one_thread(self) -> None:
        """For little data: to hand it to another thread, and to wait for that, takes longer than to do it."""
        self._connection.execute("SET threads = 1")

    def hold(self, view: str) -> None:
        """Read a view's rows once, and have it give them from memory from now on."""
        self._connection.execute(f"CREATE TEMP TABLE held_{view} AS FROM {view}")
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS FROM held_{view}")
        self._held.add(view)

    def add_held(self, view: str, query: str) -> None:
        """Rows that have come since, where the view is held; another one has them by itself."""
        if view in self._held:
            self._connection.execute(f"INSERT INTO held_{view} BY NAME {query}")

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, list(parameters)).fetchall()

    def arrow(self, query: str) -> Any:
        """The rows of a query as a `pyarrow.Table`."""
        return self._connection.sql(query).to_arrow_table()

    def batches(self, query: str) -> Any:
        """The rows of a query as a `pyarrow.RecordBatchReader`: all of them are never held at once."""
        return self._connection.sql(query).to_arrow_reader(BATCH_ROWS)

    def arrays(self, query: str) -> dict[str, Any]:
        """The columns of a query without NULLs, as NumPy arrays."""
        found: dict[str, Any] = dict(self._connection.execute(query).fetchnumpy())
        return found

    def keys(self, query: str) -> Any:
        """The first halves of the ids in the one column of a query, as an array of 64-bit integers."""
        # Not `combine_chunks`: of no rows at all it makes an array by importing pandas, which takes longer than many a fold.
        return np.concatenate([_NO_KEYS, *map(_first_halves, self.arrow(query).column(0).chunks)])

    def keys_of_files(self, files: Sequence[str], names: Sequence[str]) -> Iterator[tuple[int, Any]]:
        """The same of columns of Parquet files, without the NULLs, piece by piece: the place of a file in the list, and keys in it.

        May be asked by a thread beside the one that uses the session.
        """
        if not files:
            return
        ids = ", ".join(f"{name}::UUID AS {name}" for name in names)
        query = f"SELECT file_index::BIGINT AS place, {ids} FROM {_scan(files)}"
        for batch in self._connection.cursor().sql(query).to_arrow_reader(BATCH_ROWS):
            if not batch.num_rows:
                continue
            places = fixed(batch.column("place"))
            for first, last in pairwise([0, *(np.flatnonzero(places[1:] != places[:-1]) + 1).tolist(), len(places)]):
                for column in batch.slice(first, last - first).columns[1:]:
                    keys = _first_halves(column)
                    if column.null_count:
                        keys = keys[is_known(column)]
                    if len(keys):
                        yield int(places[first]), keys

    def integers(self, name: str, values: Mapping[str, Any]) -> None:
        """A temporary table from arrays of integers, by the names of its columns."""
        self.table(name, pa.table([as_arrow(array) for array in values.values()], names=list(values)), "*")

    def set_variable(self, name: str, kind: str, value: object) -> None:
        """A value of the DuckDB type `kind` that the SQL reads with `getvariable`."""
        self._connection.execute(f"SET VARIABLE {name} = CAST($1 AS {kind})", [value])

    def set_instant(self, name: str, microseconds: int | None) -> None:
        """An instant, given as microseconds since 1970 in UTC."""
        self._connection.execute(f"SET VARIABLE {name} = make_timestamptz(CAST($1 AS BIGINT))", [microseconds])

    def table(self, name: str, rows: object, select: str) -> None:
        """A temporary table from an Arrow table (or anything else that DuckDB scans)."""
        self._connection.register("incoming", rows)
        self._connection.execute(f"CREATE TEMP TABLE {name} AS SELECT {select} FROM incoming")
        self._connection.unregister("incoming")

    def insert(self, name: str, rows: object, select: str) -> None:
        """Rows of an Arrow table into a table that is there, by the names of its columns."""
        self._connection.register("incoming", rows)
        self._connection.execute(f"INSERT INTO {name} BY NAME SELECT {select} FROM incoming")
        self._connection.unregister("incoming")

    def strings(self, name: str, column: str, values: Collection[str], *, kind: str = "VARCHAR") -> None:
        """A temporary table of one column of text, or of a `kind` that is written as text."""
        self._connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT unnest($1::{kind}[]) AS {column}", [sorted(values)]
        )

    def files_view(
        self,
        name: str,
        files: Sequence[str],
        of_kind: Mapping[str, str],
        *,
        first_row: int | None = None,
        only: tuple[int, int] | None = None,
    ) -> int:
        """A view over Parquet files with the columns `of_kind`; empty when there are no files; returns its number of rows.

        With `first_row` each row has its number in the column `row`, in the order of the files. `only`: the first and the
        last row of each file that are wanted, from 0; they are counted all the same.
        """
        query, numbered = columns.empty(of_kind, ("row",) if first_row is not None else ()), 0
        if files:
            footers = [self._footer(file) for file in files]
            missing, mixed = _missing(footers, of_kind)
            chosen = columns.select(of_kind, missing)
            counts = [footer.num_rows for footer in footers]
            if first_row is not None:
                starts = accumulate(counts, initial=first_row)
                offset = f"{list(starts)}[file_index::BIGINT + 1]" if len(files) > 1 else str(first_row)
                chosen += f", ({offset} + file_row_number)::UINTEGER AS row"
            query, numbered = f"SELECT {chosen} FROM {_scan(files, by_name=mixed)}", sum(counts)
            if only is not None:
                query += f" WHERE file_row_number BETWEEN {only[0]} AND {only[1]}"
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
        return numbered

    def row_counts(self, files: Sequence[str]) -> dict[str, int]:
        """Rows of each of the Parquet files, by what these say of themselves."""
        return {file: self._footer(file).num_rows for file in files}

    def _footer(self, file: str) -> pq.FileMetaData:
        """What a Parquet file says of itself. Not asked of DuckDB: planning a query takes ten times as long as reading it."""
        if self._filesystem is None or "://" not in file:
            return pq.read_metadata(file)
        with self._filesystem.open(file, "rb") as opened:
            return pq.read_metadata(opened)

    def files_of_batches(self, files: Sequence[str], batch_ids: Collection[str]) -> frozenset[str]:
        """Those of the published files that hold rows of these batches."""
        if not files or not batch_ids:
            return frozenset()
        wanted = ", ".join(f"{literal(batch_id)}::UUID" for batch_id in sorted(batch_ids))
        found = self.rows(f"SELECT DISTINCT filename FROM {_scan(files)} WHERE batch_id::UUID IN ({wanted})")
        return frozenset(file for (file,) in found)

    def time_ranges(self, files: Sequence[str], column: str) -> dict[str, tuple[int, int]]:
        """First and last time in each file that has rows, in microseconds since 1970, by the files' own statistics."""
        if not files:
            return {}
        found = self.rows(
            "SELECT file_name, epoch_us(min(stats_min_value::TIMESTAMPTZ)), epoch_us(max(stats_max_value::TIMESTAMPTZ)) "
            f"FROM parquet_metadata({_list(files)}) WHERE path_in_schema = {literal(column)} GROUP BY file_name"
        )
        if all(first is not None and last is not None for _, first, last in found):
            return {file: (first, last) for file, first, last in found}
        ends = f"epoch_us(min({column})), epoch_us(max({column}))"
        found = self.rows(f"SELECT filename, {ends} FROM {_scan(files)} GROUP BY filename")
        return {file: (first, last) for file, first, last in found if first is not None}

    def write(self, query: str, file: Path) -> None:
        """Write a query's rows, in its order, to a Parquet file."""
        self._connection.execute(f"COPY ({query}) TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd)")


def _missing(footers: Sequence[pq.FileMetaData], of_kind: Mapping[str, str]) -> tuple[frozenset[str], bool]:
    """The columns that no file has, as older ones may, and whether some files have more than others."""
    later = columns.LATER & of_kind.keys()
    found = [later.intersection(footer.schema.names) for footer in footers]
    return later.difference(*found), any(names != found[0] for names in found)


def _first_halves(ids: Any) -> Any:
    """Of an Arrow array of UUIDs, as an array of its own."""
    stored = getattr(ids, "storage", ids)
    whole = np.frombuffer(stored.buffers()[1], dtype=">u8").reshape(-1, 2)
    return whole[stored.offset : stored.offset + len(stored), 0].astype(np.uint64)


def literal(text: str) -> str:
    """A string as an SQL literal: statements such as COPY take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _list(files: Sequence[str]) -> str:
    return f"[{', '.join(literal(file) for file in files)}]"


def _scan(files: Sequence[str], *, by_name: bool = False) -> str:
    return f"read_parquet({_list(files)}, filename = true{', union_by_name = true' if by_name else ''})"
