"""The rows of one batch between reading and publishing: in DuckDB, which spills to disk when they are many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

import duckdb
import pyarrow as pa

from reconcile import resources
from reconcile.feeds.side import Side
from reconcile.store.lake import Lake

MEMORY_LIMIT_MEGABYTES: Final = 2_048
"""What DuckDB may use for one batch before it spills to disk."""
PUBLISHED_FORMAT: Final = "FORMAT parquet, COMPRESSION lz4_raw"
"""Of published batches. They are read again and again within the horizon, all columns of them, and LZ4 is unpacked at a third of
zstd's cost; the merging of past days packs them tighter.
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DISPOSITIONS: Final = ("published", "quarantined", "duplicate", "out_of_scope")
"""What may become of a row; each row of a batch has exactly one of these."""
_PUBLISHED: Final = "staged JOIN judged AS j USING (row_number) WHERE j.disposition = 'published'"
_COMMON: Final = (
    ("row_number", pa.int64()),
    ("disposition", pa.string()),
    ("reason", pa.string()),
    ("column_name", pa.string()),
    ("raw", pa.string()),
    ("node", pa.string()),
    ("number", pa.int64()),
)
"""What every staged row has; `node` and `number` where the feed numbers its rows."""


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row that is kept back. `superseded`: a published row has its key already."""

    row_number: int
    row_key: str | None
    reason: str
    column_name: str | None
    raw: str
    account: str | None
    reference: str | None
    superseded: bool


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one row, why, and what was read of it."""

    row_number: int
    disposition: str
    reason: str | None
    column_name: str | None
    found: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Smallest and greatest row key of the rows in scope, and the earliest of their times, if any can be read."""

    first_key: str
    last_key: str
    earliest: datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """How many rows had one fate, and their amounts by asset, in minor units, where those can be read."""

    rows: int
    money: Mapping[str, int]


class Staging:
    """A private database in `folder`; gone with it."""

    def __init__(self, folder: Path, side: Side, lake: Lake | None = None) -> None:
        self._side = side
        self._schema = pa.schema([*_COMMON, *side.columns.items()])
        self._connection = duckdb.connect(str(folder / "staging.duckdb"))
        if lake is not None:
            lake.register(self._connection)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"SET memory_limit = '{MEMORY_LIMIT_MEGABYTES}MB'")
        self._connection.execute(resources.text("sql/feeds/keys.sql"))
        self._select = resources.text(f"sql/feeds/stage_{side.table}.sql")
        self._add("CREATE TABLE staged AS", self._schema.empty_table())
        self._connection.execute("CREATE TABLE earlier AS SELECT row_id, content FROM staged")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds rows with the columns of the side and `row_number`, `disposition`, `reason`, `column_name`, `raw`."""
        self._add("INSERT INTO staged", pa.Table.from_pylist(list(rows), schema=self._schema))

    def tell_apart(self, feed: str) -> None:
        """Gives rows of a feed without keys theirs; see `sql/feeds/tell_apart.sql`."""
        self._connection.execute("SET VARIABLE feed = $1", [feed])
        self._connection.execute(resources.text("sql/feeds/tell_apart.sql"))

    def span(self) -> Span | None:
        """Of the rows in scope; None when none has a key, or when a row of the side may be said anew at any time."""
        if self._side.moment is None:
            return None
        # As microseconds: for a time with its zone the driver wants a library that nothing else here needs.
        query = f"""
            SELECT min(row_key), max(row_key), epoch_us(min({self._side.moment})) FROM staged WHERE disposition <> 'out_of_scope'
        """  # noqa: S608 - the side's own column
        first, last, earliest = self._rows(query)[0]
        if first is None:
            return None
        return Span(first, last, _instant(earliest))

    def older_than(self, instant: datetime) -> tuple[int, int]:
        """How many rows in scope have a time that can be read, and how many of these lie before `instant`."""
        if self._side.moment is None:
            return 0, 0
        moment = self._side.moment
        query = f"""
            SELECT count({moment}), count(*) FILTER ({moment} < $1) FROM staged WHERE disposition <> 'out_of_scope'
        """  # noqa: S608 - the side's own column
        [(rows, old)] = self._connection.execute(query, [instant]).fetchall()
        return rows, old

    def judge(self, earlier: Sequence[str], withdrawn: Sequence[UUID] = ()) -> None:
        """Gives each row its fate; `earlier`: Parquet files, as DuckDB opens them, that may hold rows with the same keys; those of
        the batches `withdrawn` do not count.
        """
        if earlier:
            self._connection.execute("SET VARIABLE files = $1", [list(earlier)])
            self._connection.execute("SET VARIABLE withdrawn = $1::UUID[]", [[str(one) for one in withdrawn]])
            self._connection.execute("DROP TABLE earlier")
            self._connection.execute(resources.text(f"sql/feeds/earlier_{self._side.table}.sql"))
        self._connection.execute(resources.text("sql/feeds/judge.sql"))

    def doubt_second_readings(self, withdrawn: Sequence[str]) -> None:
        """A message that is read otherwise than in a batch that was withdrawn (Parquet files) never moves money by itself."""
        if withdrawn:
            self._connection.execute("SET VARIABLE files = $1", [list(withdrawn)])
            self._connection.execute(resources.text("sql/feeds/second_readings.sql"))

    def number_ranges(self, at_most: int) -> list[tuple[str, int, int, datetime | None]]:
        """(node, first, last, newest time) of the numbers that the rows bear, by node and number; at most one more than asked."""
        query = resources.text("sql/feeds/number_ranges.sql").format(moment=self._side.moment)
        rows = self._rows(f"SELECT * FROM ({query}) LIMIT {at_most + 1:d}")  # noqa: S608 - a file of ours, and a number
        return [(node, first, last, _instant(newest)) for node, first, last, newest in rows]

    def newest(self) -> datetime | None:
        """The newest time of all rows, if one can be read."""
        [[newest]] = self._rows(f"SELECT epoch_us(max({self._side.moment})) FROM staged")  # noqa: S608 - the side's own column
        return _instant(newest)

    def keep_back_numbers(self, taken: Sequence[tuple[str, int, int]], settled: Sequence[str]) -> None:
        """Quarantines rows under numbers that others have; see `sql/feeds/number_conflicts.sql`."""
        nodes, first, last = zip(*taken, strict=True) if taken else ((), (), ())
        self._connection.execute(
            "CREATE OR REPLACE TABLE taken AS "
            "SELECT unnest($1::VARCHAR[]) AS node, unnest($2::BIGINT[]) AS first, unnest($3::BIGINT[]) AS last",
            [list(nodes), list(first), list(last)],
        )
        self._connection.execute("SET VARIABLE settled = $1::VARCHAR[]", [list(settled)])
        self._connection.execute(resources.text("sql/feeds/number_conflicts.sql"))

    def quarantined(self, at_most: int) -> list[QuarantinedRow]:
        """The first of them, in the order of the rows."""
        query = f"""
            SELECT row_number, row_key, j.reason, j.column_name, raw, account,
                   {"reference" if "reference" in self._side.columns else "NULL"}, superseded
            FROM judged AS j JOIN staged USING (row_number) WHERE j.disposition = 'quarantined' ORDER BY row_number LIMIT {at_most:d}
        """  # noqa: S608 - a constant
        return [QuarantinedRow(*row) for row in self._rows(query)]

    def count_as_duplicates(self, row_numbers: Sequence[int]) -> None:
        """Rows that lie in quarantine already, word for word."""
        self._connection.execute(
            "UPDATE judged SET disposition = 'duplicate' WHERE list_contains($1, row_number)", [list(row_numbers)]
        )

    def shares(self) -> dict[str, Share]:
        """Disposition → its rows and money. All of `DISPOSITIONS` are there."""
        amount = "amount_minor, asset" if "amount_minor" in self._side.columns else "NULL, NULL"
        query = f"""
            WITH amounts (disposition, amount_minor, asset) AS (
                SELECT j.disposition, {amount} FROM judged AS j JOIN staged USING (row_number)
            )
            SELECT disposition, CASE WHEN amount_minor IS NOT NULL THEN asset END AS unit, count(*), sum(amount_minor)
            FROM amounts GROUP BY ALL ORDER BY ALL
        """  # noqa: S608 - constants
        rows: dict[str, int] = dict.fromkeys(DISPOSITIONS, 0)
        money: dict[str, dict[str, int]] = {disposition: {} for disposition in DISPOSITIONS}
        for disposition, unit, count, total in self._rows(query):
            rows[disposition] += count
            if unit is not None:
                money[disposition][unit] = int(total)
        return {disposition: Share(rows[disposition], money[disposition]) for disposition in DISPOSITIONS}

    def published_keys(self) -> tuple[str, str] | None:
        """Smallest and greatest row key of the rows that are published."""
        first, last = self._rows(f"SELECT min(row_key), max(row_key) FROM {_PUBLISHED}")[0]  # noqa: S608 - a constant
        return None if first is None else (first, last)

    def row_keys(self, among: Sequence[str]) -> list[str]:
        """Those of the keys that are published with this batch."""
        query = f"SELECT DISTINCT row_key FROM {_PUBLISHED} AND list_contains($1, row_key)"  # noqa: S608 - a constant
        return [key for (key,) in self._connection.execute(query, [list(among)]).fetchall()]

    def write(self, path: Path, variables: Mapping[str, str]) -> None:
        """Writes the published rows as Parquet."""
        for name, value in variables.items():
            self._connection.execute(f"SET VARIABLE {name} = $1", [value])
        query = resources.text(f"sql/feeds/published_{self._side.table}.sql")
        self._connection.execute(f"COPY ({query}) TO '{path}' ({PUBLISHED_FORMAT})")

    def fates(self, at_most: int) -> list[Fate]:
        """The first rows and what becomes of each, in their order."""
        columns = {
            name: f"CAST({name} AS VARCHAR)" if name == self._side.moment else name for name in self._side.columns
        }
        query = f"""
            SELECT row_number, j.disposition, j.reason, j.column_name, {", ".join(columns.values())}
            FROM staged JOIN judged AS j USING (row_number) ORDER BY row_number LIMIT {at_most:d}
        """  # noqa: S608 - the side's own columns
        return [
            Fate(number, disposition, reason, column, dict(zip(columns, found, strict=True)))
            for number, disposition, reason, column, *found in self._rows(query)
        ]

    def published(self) -> list[dict[str, Any]]:
        """The published rows themselves, for a side whose rows go into tables."""
        names = list(self._side.columns)
        query = f"SELECT {', '.join(names)} FROM {_PUBLISHED} ORDER BY row_number"  # noqa: S608 - the side's own columns
        return [dict(zip(names, row, strict=True)) for row in self._rows(query)]

    def _add(self, statement: str, chunk: Any) -> None:
        self._connection.register("chunk", chunk)
        self._connection.execute(f"{statement} {self._select}")
        self._connection.unregister("chunk")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        return rows


def _instant(microseconds: int | None) -> datetime | None:
    """Times leave DuckDB as microseconds since 1970: for an instant the driver wants a library that nothing else here needs."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
